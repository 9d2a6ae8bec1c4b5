//! `GET /v1/backend`

use alloc::{boxed::Box, vec::Vec};

use crate::{
    catalog::Provider,
    operation::{
        Context, Example, Facts, Method, Outcome, Parsed, Problem, ReadRequest, Reply, Route,
        Success, UseCase, schema,
    },
    selection::BackendSelection,
    value::canonical,
};

struct ShowBackend;

pub(super) const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/backend",
    "show_backend",
    "Show which services this surface uses",
    parse,
)
.describes("Names only, no secrets: provider, region, table, bucket.")
.answers(&[Success::ok(
    schema::<BackendSelection>,
    Example::Made(|| canonical::to_value(&BackendSelection::defaults(Provider::Local))),
)]);

fn parse(_: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(ShowBackend))
}

impl UseCase for ShowBackend {
    fn reads(&self, _: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(Vec::new())
    }

    fn decide(&self, context: &Context<'_>, _: &Facts) -> Result<Outcome, Problem> {
        let selection = &context.surface.selection;
        Ok(Outcome::Reply(Reply::ok(canonical::to_value(selection))))
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn backend_shows_the_selection_without_reads() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let answer = fixture.get(&ana, "/v1/backend").expect(200);
        assert_eq!(answer.body["provider"], "local");
        assert_eq!(fixture.rounds, 0);
    }
}
