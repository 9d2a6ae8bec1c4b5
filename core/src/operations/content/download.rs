//! `POST …/versions/{number}/download` and `POST …/derived/{derived}/download`

use alloc::vec::Vec;
use core::time::Duration;

use super::{Place, Stored};
use crate::{
    api::{Parsed, Problem},
    context::Context,
    facts::{Ask, Facts},
    model::{Content, ContentStatus},
    permission::Capability,
    use_case::{Outcome, Reply, Sign, SignDownload, UseCase},
    value::MediaType,
};

/// How long an address for downloading lasts: 5 minutes.
const LIFETIME: Duration = Duration::from_secs(5 * 60);

/// Media types served as declared: browsers run nothing in them. Everything else, HTML and SVG above
/// all, is served as [`MediaType::opaque`]; and all of it as an attachment.
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

/// Signs an address for downloading.
pub(crate) struct Download<S: Stored> {
    place: Place<S>,
}

impl<S: Stored> Download<S> {
    pub(crate) fn parse(request: &Parsed<'_>) -> Result<Self, Problem> {
        request.no_body()?;
        Ok(Self {
            place: Place::of(request)?,
        })
    }
}

impl<S: Stored> UseCase for Download<S> {
    fn needs(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<Ask>, Problem> {
        Ok(self.place.asks(context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (found, record) = self.place.find(context, facts)?;
        let permit = found.permit(Capability::ArtifactDownload)?;
        let content = record.body.content();
        if content.status != ContentStatus::Available {
            return Err(Problem::conflict(
                "its bytes are not available: only what was uploaded, completed and verified can be downloaded",
            ));
        }
        let download = SignDownload::new(
            permit,
            S::object_path(&record),
            content.object_version.clone(),
            content.name.clone(),
            served_type(content),
            context.env.now.after(LIFETIME),
        );
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
