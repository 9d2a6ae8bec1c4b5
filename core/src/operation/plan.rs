//! Signed URLs for uploads and downloads, as answered.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::Timestamp;

/// How to send the bytes. Clients send exactly the given headers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum UploadPlan {
    /// One request with all bytes.
    Single {
        /// The HTTP method.
        method: String,
        /// The signed URL. It is valid for one object, which must not exist yet.
        url: String,
        /// The headers to send.
        headers: BTreeMap<String, String>,
        /// When the URL expires.
        expires_at: Timestamp,
    },
    /// One request per part, for objects larger than 64 MiB.
    Multipart {
        /// The size in bytes of every part but the last.
        part_size: u64,
        /// The parts in ascending order.
        parts: Vec<PartPlan>,
        /// When the URLs expire.
        expires_at: Timestamp,
    },
}

/// How to send one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartPlan {
    /// The number of the part, from 1.
    pub number: u16,
    /// The HTTP method.
    pub method: String,
    /// The signed URL.
    pub url: String,
    /// The headers to send.
    pub headers: BTreeMap<String, String>,
}

/// Where to fetch the bytes with a GET request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DownloadAddress")]
pub struct DownloadUrl {
    /// The signed URL. It is valid for one object.
    pub url: String,
    /// The headers to send.
    pub headers: BTreeMap<String, String>,
    /// When the URL expires.
    pub expires_at: Timestamp,
}

impl UploadPlan {
    /// An upload plan for the OpenAPI document.
    pub const EXAMPLE: &str = r#"{
    "kind": "single",
    "method": "PUT",
    "url": "https://objects.example.com/upload?signature=c2lnbmF0dXJl",
    "headers": { "content-type": "application/pdf" },
    "expires_at": "2026-03-02T10:30:00.000Z"
}"#;
}

impl DownloadUrl {
    /// A download URL for the OpenAPI document.
    pub const EXAMPLE: &str = r#"{
    "url": "https://objects.example.com/download?signature=c2lnbmF0dXJl",
    "headers": {},
    "expires_at": "2026-03-02T09:35:00.000Z"
}"#;
}
