//! `GET /v1/projects/{project}/artifacts/{artifact}/derived/{derived}`

use alloc::boxed::Box;

use super::DerivedView;
use crate::{
    api::{Method, Parsed, Problem, Route, schema},
    model::Derived,
    operations::content::get::GetContent,
    use_case::UseCase,
};

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/artifacts/{artifact}/derived/{derived}",
    "get_derived",
    "Shows a derived output",
    parse,
)
.answers(&[(200, Some(schema::<DerivedView>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(GetContent::<Derived>::parse(request)?))
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use crate::operations::content::testing::Desk;

    #[test]
    fn shows_an_output_below_its_own_artifact() {
        let mut desk = Desk::new();
        let (path, other) = (desk.uploaded(), desk.uploaded());
        let derived = desk.derived(&path, b"text", json!({}));
        let (vera, otto) = (desk.vera.clone(), desk.otto.clone());
        let answer = desk.world.get(&vera, &derived).expect(200);
        assert_eq!(desk.world.waves, 1);
        assert_eq!(answer.body["source_version"], 1);
        Desk::assert_discreet(&answer.body);
        desk.world.get(&otto, &derived).expect_problem("not-found");
        let elsewhere = format!("{other}/derived/{}", answer.id());
        desk.world
            .get(&vera, &elsewhere)
            .expect_problem("not-found");
    }
}
