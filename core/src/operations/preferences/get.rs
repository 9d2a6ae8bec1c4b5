//! `GET /v1/preferences/notifications`

use alloc::{boxed::Box, vec, vec::Vec};

use super::PreferencesView;
use crate::operation::{
    Budget, Context, Example, Facts, Method, Outcome, Parsed, Problem, ReadRequest, Route, Success,
    UseCase, schema,
};

struct GetPreferences;

pub(super) const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/preferences/notifications",
    "get_notification_preferences",
    "Show the caller's notification preferences",
    parse,
)
.describes(
    "Before they are first set, the answer is an empty list of rules without id and version.",
)
.budget(Budget::READ)
.answers(&[Success::ok(
    schema::<PreferencesView>,
    Example::Text(super::EXAMPLE),
)]);

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
    fn unset_preferences_are_an_empty_list_without_etag() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let answer = fixture
            .get(&ana, "/v1/preferences/notifications")
            .expect(200);
        assert_eq!(answer.body, json!({ "rules": [] }));
        assert_eq!(answer.etag, None);
        assert_eq!(fixture.rounds, 1);
    }
}
