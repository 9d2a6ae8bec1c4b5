//! The health of a surface.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ApiError, Client};

/// Whether a surface and its dependencies answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// `ready` or `unavailable`.
    pub status: String,
    /// `up` or `down` for each dependency.
    pub dependencies: BTreeMap<String, String>,
    /// The layout of the stored data. Older surfaces do not show it.
    pub layout: Option<Layout>,
}

/// The layout of the stored data, and how far an update of it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// `current`, `waiting`, `updating`, `refused` or `unknown`.
    pub status: String,
    /// The number of the layout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// Index rows moved so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Scopes visited so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<u64>,
}

impl Health {
    /// Whether the surface serves requests.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.status == "ready"
    }
}

impl Client {
    /// The health of the surface. It needs no token. A surface that is not ready answers too.
    ///
    /// # Errors
    /// If the surface does not answer, or the answer is not from this API.
    pub async fn health(&self) -> Result<Health, ApiError> {
        self.get_openly("/health/ready").await
    }
}
