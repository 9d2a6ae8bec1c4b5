//! `ingest`: completes uploads whose bytes arrived.

use serde::Deserialize;
use serde_json::Value;
use wm_core::storage::ObjectPath;
use wm_service::{Service, ports::Provider};

use super::RetryLater;

/// The Event Grid event for a created blob, in its own schema (`eventType`) or as a CloudEvent
/// (`type`). <https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage>
#[derive(Debug, Deserialize)]
struct BlobCreated {
    #[serde(alias = "eventType", rename = "type")]
    kind: String,
    /// `/blobServices/default/containers/{container}/blobs/{path}`.
    subject: String,
}

const CREATED: &str = "Microsoft.Storage.BlobCreated";

/// Completes uploads. Events of other kinds and containers, and of blobs that are not uploads, are
/// dropped.
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
        tracing::warn!(%path, %problem, internal, "could not complete an upload");
        RetryLater
    })
}

/// The path of the upload that an event names.
fn upload(event: Value, container: &str) -> Option<ObjectPath> {
    let Ok(BlobCreated { kind, subject }) = serde_json::from_value(event) else {
        tracing::error!("an event names no blob");
        return None;
    };
    if kind != CREATED {
        tracing::warn!("an event is not about a new blob");
        return None;
    }
    let place = subject.strip_prefix("/blobServices/default/containers/");
    let Some((found, path)) = place.and_then(|place| place.split_once("/blobs/")) else {
        tracing::error!("an event names a blob without a container");
        return None;
    };
    if found != container {
        tracing::warn!("an event is for another container");
        return None;
    }
    path.parse()
        .inspect_err(|_| tracing::warn!("a created blob is not an upload"))
        .ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PATH: &str = "accounts/acc_01jd0000000000000000000000/projects/\
        prj_01jd000000000000000000000001jd0000000000000000000000/artifacts/\
        art_01jd0000000000000000000000/raw/1/a.txt";

    fn upload_of(name: &str, kind: &str, subject: &str) -> Option<ObjectPath> {
        upload(
            json!({ name: kind, "subject": subject, "data": {} }),
            "documents",
        )
    }

    #[test]
    fn upload_is_found_in_both_event_schemas() {
        let subject = format!("/blobServices/default/containers/documents/blobs/{PATH}");
        for name in ["eventType", "type"] {
            assert_eq!(
                upload_of(name, CREATED, &subject).unwrap().to_string(),
                PATH
            );
        }
    }

    #[test]
    fn events_of_other_blobs_are_dropped() {
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
            assert_eq!(upload_of("type", kind, &subject), None, "{subject}");
        }
        assert_eq!(upload(json!("text"), "documents"), None);
        assert_eq!(upload(json!({ "type": CREATED }), "documents"), None);
    }
}
