//! The identity of a surface: its id, public URL and secret, from App Configuration and Key Vault.

use azure_core::http::{Context, Method, Request, StatusCode, Url, headers::ACCEPT};
use azure_security_keyvault_secrets::{SecretClient, SecretClientOptions};
use futures_util::future::try_join3;
use serde::Deserialize;
pub use wm_service::secrets::Identity;
use wm_service::{
    ports::{PortError, PortErrorKind},
    secrets::{Found, InvalidSetting},
};

use crate::{
    config::{Config, PUBLIC_URL, SURFACE_ID, SURFACE_SECRET},
    error::port_error,
    sdk::{Sdk, Timeouts, within},
};

/// The key in App Configuration.
pub const SURFACE_ID_KEY: &str = "surface-id";
/// The key in App Configuration.
pub const PUBLIC_URL_KEY: &str = "public-url";
const API_VERSION: &str = "2023-11-01";
const STORE_SCOPE: &str = "https://azconfig.io/.default";

/// The reason why the identity of the surface is not available.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// Neither the value nor its location is configured.
    #[error("neither `{variable}` nor `{instead}`, for looking it up, is set")]
    Nowhere {
        /// The variable with the value.
        variable: &'static str,
        /// The variable with the location of the value.
        instead: &'static str,
    },
    /// The key does not exist.
    #[error("there is no key `{0}` in App Configuration: deploy again with `wm deploy azure`")]
    NoKey(&'static str),
    /// The secret does not exist.
    #[error("there is no secret `{0}` in the Key Vault: deploy again with `wm deploy azure`")]
    NoSecret(String),
    /// The value is invalid.
    #[error(transparent)]
    Invalid(#[from] InvalidSetting),
    /// The service refused the request or did not answer.
    #[error(
        "`{name}` cannot be read: check that it exists and that the identity of the handler has access to it"
    )]
    Unreadable {
        /// The key or secret.
        name: String,
        source: PortError,
    },
}

impl SecretsError {
    /// Whether a retry may help. It may help even after a refusal, because a new role assignment
    /// takes effect after minutes.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreadable { .. })
    }
}

/// Looks up all values that are not set in the environment.
///
/// # Errors
/// [`SecretsError`].
pub async fn load(sdk: &Sdk, config: &Config) -> Result<Identity, SecretsError> {
    let (surface, public_url, secret) = try_join3(
        setting(sdk, config, SURFACE_ID, SURFACE_ID_KEY),
        setting(sdk, config, PUBLIC_URL, PUBLIC_URL_KEY),
        secret(sdk, config),
    )
    .await?;
    Ok(Identity::read(surface, public_url, secret)?)
}

async fn setting(
    sdk: &Sdk,
    config: &Config,
    variable: &'static str,
    key: &'static str,
) -> Result<Found, SecretsError> {
    if let Some(text) = config.variables.get(variable) {
        return Ok(Found::new(variable, text));
    }
    let Some(endpoint) = &config.app_configuration else {
        return Err(SecretsError::Nowhere {
            variable,
            instead: "AZURE_APP_CONFIGURATION_ENDPOINT",
        });
    };
    let stored = within(Timeouts::SERVICE.operation, stored(sdk, endpoint, key)).await;
    match stored {
        Ok(Some(text)) => Ok(Found::new(key, text)),
        Ok(None) => Err(SecretsError::NoKey(key)),
        Err(source) => Err(SecretsError::Unreadable {
            name: key.to_owned(),
            source,
        }),
    }
}

/// The used part of a key and its value.
#[derive(Deserialize)]
struct KeyValue {
    value: Option<String>,
}

/// The value of a key without a label
/// (<https://learn.microsoft.com/azure/azure-app-configuration/rest-api-key-value>).
async fn stored(sdk: &Sdk, endpoint: &str, key: &str) -> Result<Option<String>, PortError> {
    let refused = |error: azure_core::Error| PortError::new(PortErrorKind::Refused, error);
    let mut url = Url::parse(endpoint).map_err(|error| refused(error.into()))?;
    url.set_path("kv");
    if let Ok(mut path) = url.path_segments_mut() {
        path.push(key);
    }
    url.query_pairs_mut()
        .append_pair("api-version", API_VERSION);
    let pipeline = sdk.pipeline(&sdk.credential, STORE_SCOPE, Timeouts::SERVICE);
    let mut request = Request::new(url, Method::Get);
    request.insert_header(ACCEPT, "application/vnd.microsoft.appconfig.kv+json");
    let context = Context::default();
    match pipeline.send(&context, &mut request, None).await {
        Ok(answer) => {
            let found: KeyValue =
                serde_json::from_slice(answer.body()).map_err(|error| refused(error.into()))?;
            Ok(found.value)
        }
        Err(error) if error.http_status() == Some(StatusCode::NotFound) => Ok(None),
        Err(error) => Err(port_error(error)),
    }
}

async fn secret(sdk: &Sdk, config: &Config) -> Result<Found, SecretsError> {
    if let Some(text) = config.variables.get(SURFACE_SECRET) {
        return Ok(Found::new(SURFACE_SECRET, text));
    }
    let Some(vault) = &config.vault else {
        return Err(SecretsError::Nowhere {
            variable: SURFACE_SECRET,
            instead: "AZURE_KEY_VAULT_ENDPOINT",
        });
    };
    let name = &config.vault_secret;
    match within(Timeouts::SERVICE.operation, read_secret(sdk, vault, name)).await {
        Ok(Some(text)) => Ok(Found::new(name, text)),
        Ok(None) => Err(SecretsError::NoSecret(name.clone())),
        Err(source) => Err(SecretsError::Unreadable {
            name: name.clone(),
            source,
        }),
    }
}

/// The current version of a secret.
async fn read_secret(sdk: &Sdk, vault: &str, name: &str) -> Result<Option<String>, PortError> {
    let options = SecretClientOptions {
        client_options: sdk.client_options(Timeouts::SERVICE),
        verify_challenge_resource: Some(is_checked(vault)),
        ..Default::default()
    };
    let client = SecretClient::new(vault, sdk.credential.clone(), Some(options));
    let client = client.map_err(port_error)?;
    let secret = match client.get_secret(name, None).await {
        Ok(secret) => secret.into_model().map_err(port_error)?,
        Err(error) if error.http_status() == Some(StatusCode::NotFound) => return Ok(None),
        Err(error) => return Err(port_error(error)),
    };
    Ok(secret.value)
}

/// Whether the SDK must verify that the vault requests a token for its own domain. A vault on
/// loopback has no domain to compare.
fn is_checked(vault: &str) -> bool {
    let host = Url::parse(vault).ok();
    let host = host.as_ref().and_then(Url::host_str);
    !matches!(host, Some("127.0.0.1" | "localhost"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vault_domain_is_verified_except_on_loopback() {
        for vault in [
            "https://wm.vault.azure.net",
            "https://wm.vault.azure.net/",
            "https://127.0.0.1.example.com",
            "https://localhost.example.com",
            "https://127.0.0.1@wm.vault.azure.net",
            "nonsense",
        ] {
            assert!(is_checked(vault), "{vault}");
        }
        for vault in ["https://127.0.0.1:7", "http://localhost:7"] {
            assert!(!is_checked(vault), "{vault}");
        }
    }
}
