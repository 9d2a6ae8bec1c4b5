//! `ingest`: completes uploads that arrived.

use serde::Deserialize;
use serde_json::Value;
use wm_core::storage::ObjectPath;
use wm_service::{Service, ports::Provider};

use super::RetryLater;

/// What Event Grid says of a blob that was created, in its own schema (`eventType`) or as a CloudEvent
/// (`type`). <https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage>
#[derive(Debug, Deserialize)]
struct BlobCreated {
    #[serde(alias = "eventType", rename = "type")]
    kind: String,
    /// `/blobServices/default/containers/{container}/blobs/{path}`.
    subject: String,
}

const CREATED: &str = "Microsoft.Storage.BlobCreated";

/// An event of another kind or container, or of a blob at no path of ours, is nobody's upload: it is
/// done with.
pub(super) async fn complete(
    service: &Service<impl Provider>,
    events: Vec<Value>,
) -> Result<(), RetryLater> {
    let container = service.surface().selection.name("storage.container");
    let paths = events
        .into_iter()
        .filter_map(|event| upload(event, container.unwrap_or_default()));
    let completions = paths.map(|path| complete_one(service, path));
    let completed = futures_util::future::join_all(completions).await;
    completed.into_iter().collect()
}

async fn complete_one(
    service: &Service<impl Provider>,
    path: ObjectPath,
) -> Result<(), RetryLater> {
    service.ingest(&path).await.map_err(|problem| {
        let internal = problem.internal.as_deref();
        tracing::warn!(%path, %problem, internal, "an upload was not completed");
        RetryLater
    })
}

/// The path of the upload an event tells of, if it does.
fn upload(event: Value, container: &str) -> Option<ObjectPath> {
    let Ok(BlobCreated { kind, subject }) = serde_json::from_value(event) else {
        tracing::error!("an event tells of no blob");
        return None;
    };
    if kind != CREATED {
        tracing::warn!("an event tells of something else than a new blob");
        return None;
    }
    let place = subject.strip_prefix("/blobServices/default/containers/");
    let Some((found, path)) = place.and_then(|place| place.split_once("/blobs/")) else {
        tracing::error!("an event tells of a blob nowhere");
        return None;
    };
    if found != container {
        tracing::warn!("an event tells of another container");
        return None;
    }
    path.parse()
        .inspect_err(|_| tracing::warn!("a blob was created that is no upload"))
        .ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PATH: &str = "accounts/acc_01jd0000000000000000000000/projects/\
        prj_01jd000000000000000000000001jd0000000000000000000000/artifacts/\
        art_01jd0000000000000000000000/raw/1/a.txt";

    fn told(name: &str, kind: &str, subject: &str) -> Option<ObjectPath> {
        upload(
            json!({ name: kind, "subject": subject, "data": {} }),
            "documents",
        )
    }

    #[test]
    fn an_upload_is_found_in_both_schemas() {
        let subject = format!("/blobServices/default/containers/documents/blobs/{PATH}");
        for name in ["eventType", "type"] {
            assert_eq!(told(name, CREATED, &subject).unwrap().to_string(), PATH);
        }
    }

    #[test]
    fn whatever_is_no_upload_of_ours_is_done_with() {
        let at = |container: &str, path: &str| {
            format!("/blobServices/default/containers/{container}/blobs/{path}")
        };
        let deleted = "Microsoft.Storage.BlobDeleted";
        for (kind, subject) in [
            (deleted, at("documents", PATH)),
            (CREATED, at("leases", PATH)),
            (CREATED, at("documents", "somewhere/else.txt")),
            (CREATED, at("documents", &format!("../{PATH}"))),
            (CREATED, PATH.to_owned()),
            (CREATED, String::new()),
        ] {
            assert_eq!(told("type", kind, &subject), None, "{subject}");
        }
        assert_eq!(upload(json!("text"), "documents"), None);
        assert_eq!(upload(json!({ "type": CREATED }), "documents"), None);
    }
}
