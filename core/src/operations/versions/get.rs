//! `GET /v1/projects/{project}/artifacts/{artifact}/versions/{number}`

use alloc::boxed::Box;

use super::VersionView;
use crate::{
    api::{Method, Parsed, Problem, Route, schema},
    model::Version,
    operations::content::get::GetContent,
    use_case::UseCase,
};

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/artifacts/{artifact}/versions/{number}",
    "get_version",
    "Shows a version",
    parse,
)
.answers(&[(200, Some(schema::<VersionView>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(GetContent::<Version>::parse(request)?))
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use crate::operations::content::testing::{BYTES, Desk};

    #[test]
    fn shows_where_the_upload_stands() {
        let mut desk = Desk::new();
        let version = format!("{}/versions/1", desk.declared(BYTES));
        let vera = desk.vera.clone();
        let pending = desk.world.get(&vera, &version).expect(200).body;
        assert_eq!(desk.world.waves, 1);
        assert_eq!(pending["status"], "pending");
        assert!(pending["upload_expires_at"].is_string());
        desk.put(&version, BYTES);
        desk.complete(&version).expect(200);
        let available = desk.world.get(&vera, &version).expect(200).body;
        assert_eq!(available["status"], "available");
        assert!(available.get("upload_expires_at").is_none());
        Desk::assert_discreet(&available);
    }

    #[test]
    fn case_24_a_number_has_one_spelling() {
        let mut desk = Desk::new();
        let (ben, otto, path) = (desk.ben.clone(), desk.otto.clone(), desk.uploaded());
        for number in ["0", "01", "+1", "1%20", "-1", "2", "4294967296", "x"] {
            let version = format!("{path}/versions/{number}");
            desk.world.get(&ben, &version).expect_problem("not-found");
        }
        let version = format!("{path}/versions/1");
        desk.world.get(&otto, &version).expect_problem("not-found");
    }
}
