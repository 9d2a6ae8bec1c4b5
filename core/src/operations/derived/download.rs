//! `POST /v1/projects/{project}/artifacts/{artifact}/derived/{derived}/download`

use alloc::boxed::Box;

use crate::{
    api::{Method, Parsed, Problem, Route, plan::DownloadAddress, schema},
    model::Derived,
    operations::content::download::Download,
    use_case::UseCase,
};

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/artifacts/{artifact}/derived/{derived}/download",
    "download_derived",
    "Signs an address for downloading a derived output",
    parse,
)
.answers(&[(200, Some(schema::<DownloadAddress>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(Download::<Derived>::parse(request)?))
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString};

    use serde_json::json;

    use crate::operations::content::testing::Desk;

    #[test]
    fn an_output_is_downloaded_once_it_is_available() {
        let mut desk = Desk::new();
        let path = desk.uploaded();
        let derived = desk.derived(&path, b"text", json!({}));
        let (vera, otto) = (desk.vera.clone(), desk.otto.clone());
        let download = format!("{derived}/download");
        desk.world
            .post(&vera, &download, json!({}))
            .expect_problem("conflict");
        desk.put(&derived, b"text");
        desk.complete(&derived).expect(200);
        let answer = desk.world.post(&vera, &download, json!({})).expect(200);
        assert_eq!(
            answer.download().path.to_string(),
            desk.object_path(&derived)
        );
        desk.world
            .post(&otto, &download, json!({}))
            .expect_problem("not-found");
    }
}
