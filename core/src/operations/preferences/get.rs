//! `GET /v1/preferences/notifications`

use alloc::{boxed::Box, vec, vec::Vec};

use super::PreferencesView;
use crate::operation::{
    Context, Facts, Method, Outcome, Parsed, Problem, ReadRequest, Route, UseCase, schema,
};

/// Shows the caller's preferences; none set is an empty list.
struct GetPreferences;

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/preferences/notifications",
    "get_notification_preferences",
    "Shows what the caller wants to be told about",
    parse,
)
.answers(&[(200, Some(schema::<PreferencesView>))]);

fn parse(_: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(GetPreferences))
}

impl UseCase for GetPreferences {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(vec![ReadRequest::Get(super::key(context))])
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let preferences = facts.record(&super::key(context))?;
        Ok(Outcome::Reply(super::reply(preferences.as_ref())))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Fixture;

    #[test]
    fn nothing_set_is_an_empty_list_without_a_mark() {
        let mut world = Fixture::new();
        let ana = world.person("ana");
        let answer = world.get(&ana, "/v1/preferences/notifications").expect(200);
        assert_eq!(answer.body, json!({ "rules": [] }));
        assert_eq!(answer.etag, None);
        assert_eq!(world.rounds, 1);
    }
}
