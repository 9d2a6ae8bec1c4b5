//! The backend selection: which services a surface uses, by name, never with a secret.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::catalog::Provider;

/// The non-secret selection of one surface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackendSelection {
    /// The provider.
    pub provider: Provider,
    /// The environment, such as `dev`.
    pub environment: String,
}

#[cfg(test)]
impl BackendSelection {
    /// A selection for tests that only need one.
    pub(crate) fn for_tests(provider: Provider) -> Self {
        Self {
            provider,
            environment: "test".into(),
        }
    }
}
