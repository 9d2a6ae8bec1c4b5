//! `POST …/versions/{number}/download` and `POST …/derived/{derived}/download`

use alloc::{boxed::Box, vec::Vec};
use core::time::Duration;

use crate::{
    operation::{
        Budget, Context, Example, Facts, Method, Outcome, Parsed, Problem, ProblemKind,
        ReadRequest, Reply, Requires, Route, Sign, SignDownload, Success, UseCase,
        content::{ContentRef, Stored},
        plan::DownloadUrl,
        schema,
    },
    record::{Content, ContentStatus},
    value::{Capability, MediaType},
};

const DESCRIPTION: &str = "The URL is valid for five minutes and for this object only. \
    The object store serves the bytes as an attachment.";

/// The lifetime of a download URL: 5 minutes.
const LIFETIME: Duration = Duration::from_secs(5 * 60);

/// Media types that are served as declared, because browsers execute nothing in them. All other
/// types, such as HTML and SVG, are served as [`MediaType::opaque`]. Every download is an
/// attachment.
const PASSIVE: &[&str] = &[
    "application/json",
    "application/pdf",
    "application/zip",
    "audio/mpeg",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/webp",
    "text/csv",
    "text/plain",
    "video/mp4",
];

pub(crate) struct Download<S: Stored> {
    target: ContentRef<S>,
}

const ANSWERS: &[Success] = &[Success::ok(
    schema::<DownloadUrl>,
    Example::Text(DownloadUrl::EXAMPLE),
)];

impl<S: Stored> Download<S> {
    /// The route for objects of this family.
    pub(crate) const fn route(
        path: &'static str,
        operation: &'static str,
        summary: &'static str,
    ) -> Route {
        Route::new(Method::Post, path, operation, summary, Self::parse)
            .describes(DESCRIPTION)
            .requires(Requires::Project(Capability::ArtifactDownload))
            .budget(Budget::READ)
            .answers(ANSWERS)
            .refuses(&[(ProblemKind::Conflict, "the bytes are not available")])
    }

    fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
        request.no_body()?;
        Ok(Box::new(Self {
            target: ContentRef::of(request)?,
        }))
    }
}

impl<S: Stored> UseCase for Download<S> {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(self.target.reads(context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let capability = Capability::ArtifactDownload;
        let (permit, _, record) = self.target.authorise(context, facts, capability)?;
        let content = record.body.content();
        if content.status != ContentStatus::Available {
            return Err(Problem::conflict(
                "the bytes are not available; upload them and complete the upload first",
            ));
        }
        let download = SignDownload::new(
            permit,
            S::object_path(&record),
            content.object_version.clone(),
            content.name.clone(),
            served_type(content),
            context.env.now.after(LIFETIME),
        )?;
        Ok(Outcome::Reply(Reply {
            status: 200,
            sign: Some(Sign::Download(download)),
            ..Reply::default()
        }))
    }
}

fn served_type(content: &Content) -> MediaType {
    let declared = &content.media_type;
    if PASSIVE.contains(&declared.as_str()) {
        declared.clone()
    } else {
        MediaType::opaque()
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString};

    use serde_json::json;

    use super::LIFETIME;
    use crate::testing::document_fixture::{BYTES, DocumentFixture, declaration};

    #[test]
    fn download_url_is_valid_for_five_minutes() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        let (vera, download) = (fixture.vera.clone(), format!("{path}/versions/1/download"));
        let before = fixture.base.dump();
        let answer = fixture.base.post(&vera, &download, json!({})).expect(200);
        assert_eq!(fixture.base.rounds, 1);
        let signed = answer.download();
        let object = fixture.object_path(&format!("{path}/versions/1"));
        assert_eq!(signed.path().to_string(), object);
        assert_eq!(signed.object_version(), Some("object-1"));
        assert_eq!(signed.file().as_str(), "report.pdf");
        assert_eq!(signed.media_type().as_str(), "application/pdf");
        assert_eq!(signed.expires_at(), fixture.base.now.after(LIFETIME));
        assert_eq!(signed.permit().author().to_string(), vera.id());
        assert_eq!(fixture.base.dump(), before);
    }

    #[test]
    fn case_49_active_content_is_served_as_opaque_bytes() {
        let mut fixture = DocumentFixture::new();
        let (ben, path) = (fixture.ben.clone(), fixture.artifacts());
        for active in [
            "text/html",
            "image/svg+xml",
            "application/xhtml+xml",
            "text/xml",
            "text/javascript",
        ] {
            let mut body = declaration(BYTES);
            body["media_type"] = json!(active);
            let answer = fixture.base.post(&ben, &path, body).expect(201);
            let id = answer.body["artifact"]["id"].as_str().unwrap();
            let version = format!("{path}/{id}/versions/1");
            fixture.put(&version, BYTES);
            assert_eq!(
                fixture.complete(&version).expect(200).body["media_type"],
                active
            );
            let download = format!("{version}/download");
            let answer = fixture.base.post(&ben, &download, json!({})).expect(200);
            assert_eq!(
                answer.download().media_type().as_str(),
                "application/octet-stream"
            );
        }
    }

    #[test]
    fn refused_download_signs_nothing() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        let pending = fixture.added(&path, b"second");
        let (ben, otto) = (fixture.ben.clone(), fixture.otto.clone());
        let download = format!("{path}/versions/1/download");
        fixture
            .base
            .post(&otto, &download, json!({}))
            .expect_problem("not-found");
        let unfinished = format!("{pending}/download");
        fixture
            .base
            .post(&ben, &unfinished, json!({}))
            .expect_problem("conflict");
        let lifetime = json!({ "expires_at": "2099-01-01T00:00:00Z" });
        assert_eq!(
            fixture.base.post(&ben, &download, lifetime).field(),
            "expires_at"
        );
    }

    #[test]
    fn case_37_archived_project_allows_downloads() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        fixture.archive();
        let (vera, download) = (fixture.vera.clone(), format!("{path}/versions/1/download"));
        fixture.base.post(&vera, &download, json!({})).expect(200);
    }

    #[test]
    fn case_36_ended_access_ends_downloads_at_once() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        let (vera, download) = (fixture.vera.clone(), format!("{path}/versions/1/download"));
        fixture.remove(&vera);
        fixture
            .base
            .post(&vera, &download, json!({}))
            .expect_problem("not-found");
    }
}
