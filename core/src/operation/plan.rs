//! Signed addresses as answered: how to upload, where to download.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::Timestamp;

/// How to bring the bytes. Clients send the given headers and nothing else of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum UploadPlan {
    /// One request with all bytes.
    Single {
        /// The method.
        method: String,
        /// The address, good for one object that must not exist yet.
        url: String,
        /// The headers to send.
        headers: BTreeMap<String, String>,
        /// When the address ends.
        expires_at: Timestamp,
    },
    /// One request per part, for objects above 64 MiB.
    Multipart {
        /// The bytes of every part but the last.
        part_size: u64,
        /// The parts, ascending.
        parts: Vec<PartPlan>,
        /// When the addresses end.
        expires_at: Timestamp,
    },
}

/// How to bring one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartPlan {
    /// The number, from 1.
    pub number: u16,
    /// The method.
    pub method: String,
    /// The address.
    pub url: String,
    /// The headers to send.
    pub headers: BTreeMap<String, String>,
}

/// Where to fetch the bytes with a GET.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DownloadAddress {
    /// The address, good for one object.
    pub url: String,
    /// The headers to send.
    pub headers: BTreeMap<String, String>,
    /// When the address ends.
    pub expires_at: Timestamp,
}
