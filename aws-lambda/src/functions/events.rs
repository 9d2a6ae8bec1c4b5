//! The parts of invocation events that this program reads.

use serde::Deserialize;
use serde_json::Value;

/// An event of EventBridge.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html>
#[derive(Debug, Deserialize)]
pub(super) struct BusEvent {
    /// The content, in the format of its sender.
    #[serde(default)]
    pub(super) detail: Value,
}

/// The S3 event for a created object.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>
#[derive(Debug, Deserialize)]
pub(super) struct ObjectCreated {
    pub(super) bucket: Bucket,
    pub(super) object: Object,
}

#[derive(Debug, Deserialize)]
pub(super) struct Bucket {
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Object {
    pub(super) key: String,
}
