//! The events that functions are invoked with: as much of them as is read.

use serde::Deserialize;
use serde_json::Value;

/// An event of EventBridge.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html>
#[derive(Debug, Deserialize)]
pub(super) struct BusEvent {
    /// What happened, in the syntax of whoever put it.
    #[serde(default)]
    pub(super) detail: Value,
}

/// What S3 says of an object that was created.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>
#[derive(Debug, Deserialize)]
pub(super) struct ObjectCreated {
    pub(super) bucket: Bucket,
    pub(super) object: Object,
}

/// Where it was created.
#[derive(Debug, Deserialize)]
pub(super) struct Bucket {
    pub(super) name: String,
}

/// What was created.
#[derive(Debug, Deserialize)]
pub(super) struct Object {
    pub(super) key: String,
}
