//! What a surface is: its id, its address and its secret, from Parameter Store and Secrets Manager.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager as secretsmanager;
use aws_sdk_ssm as ssm;
use aws_types::SdkConfig;
pub use wm_service::secrets::Identity;
use wm_service::{
    ports::PortError,
    secrets::{Found, Wrong},
};

use crate::{
    config::{Config, PUBLIC_URL, SURFACE_ID, SURFACE_SECRET},
    error::port_error,
    sdk::{Timeouts, for_service},
};

/// The name of the surface's id below the path.
pub const SURFACE_ID_PARAMETER: &str = "surface-id";
/// The name of the surface's address below the path.
pub const PUBLIC_URL_PARAMETER: &str = "public-url";
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
    /// It is not where it should be.
    #[error("there is no parameter `{0}` in Parameter Store: deploy again with `wm deploy aws`")]
    NoParameter(String),
    /// It cannot be what it says.
    #[error(transparent)]
    Wrong(#[from] Wrong),
    /// The service refuses or does not answer.
    #[error(
        "`{name}` cannot be read: see that it is there and that the function's role may read it"
    )]
    Unreadable {
        /// What was asked for.
        name: String,
        /// What the service said.
        source: PortError,
    },
}

/// Looks up whatever the environment does not say itself.
///
/// # Errors
/// [`SecretsError`].
pub async fn load(shared: &SdkConfig, config: &Config) -> Result<Identity, SecretsError> {
    let (parameters, secret) =
        futures_util::future::try_join(parameters(shared, config), secret(shared, config)).await?;
    let (surface, public_url) = parameters;
    Ok(Identity::read(surface, public_url, secret)?)
}

/// The surface's id and its address.
async fn parameters(shared: &SdkConfig, config: &Config) -> Result<(Found, Found), SecretsError> {
    let given = |name| config.variables.get(name).map(str::to_owned);
    let (surface, public_url) = (given(SURFACE_ID), given(PUBLIC_URL));
    let stored = if surface.is_some() && public_url.is_some() {
        BTreeMap::new()
    } else {
        stored_parameters(shared, config).await?
    };
    let value = |given: Option<String>, variable: &'static str, parameter: &str| {
        if let Some(value) = given {
            return Ok(Found::new(variable, value));
        }
        let Some(path) = &config.parameters else {
            return Err(SecretsError::Nowhere {
                variable,
                instead: "AWS_SSM_PATH",
            });
        };
        let name = format!("{}/{parameter}", path.trim_end_matches('/'));
        match stored.get(&name) {
            Some(value) => Ok(Found::new(name, value)),
            None => Err(SecretsError::NoParameter(name)),
        }
    };
    Ok((
        value(surface, SURFACE_ID, SURFACE_ID_PARAMETER)?,
        value(public_url, PUBLIC_URL, PUBLIC_URL_PARAMETER)?,
    ))
}

/// Everything below the configured path, by full name; nothing without a path.
async fn stored_parameters(
    shared: &SdkConfig,
    config: &Config,
) -> Result<BTreeMap<String, String>, SecretsError> {
    let Some(path) = &config.parameters else {
        return Ok(BTreeMap::new());
    };
    let settings = for_service(shared, config, "SSM", Timeouts::SERVICE);
    let client = ssm::Client::new(&settings);
    let answer = client.get_parameters_by_path().path(path).send().await;
    let answer = answer.map_err(|error| SecretsError::Unreadable {
        name: path.clone(),
        source: port_error(error),
    })?;
    let parameters = answer.parameters.unwrap_or_default();
    let named = |parameter: ssm::types::Parameter| Some((parameter.name?, parameter.value?));
    Ok(parameters.into_iter().filter_map(named).collect())
}

async fn secret(shared: &SdkConfig, config: &Config) -> Result<Found, SecretsError> {
    if let Some(text) = config.variables.get(SURFACE_SECRET) {
        return Ok(Found::new(SURFACE_SECRET, text));
    }
    let Some(name) = &config.secret else {
        return Err(SecretsError::Nowhere {
            variable: SURFACE_SECRET,
            instead: "AWS_SECRETS_MANAGER_SECRET",
        });
    };
    let settings = for_service(shared, config, "SECRETS_MANAGER", Timeouts::SERVICE);
    let client = secretsmanager::Client::new(&settings);
    let answer = client.get_secret_value().secret_id(name).send().await;
    let answer = answer.map_err(|error| SecretsError::Unreadable {
        name: name.clone(),
        source: port_error(error),
    })?;
    let text = answer.secret_string().unwrap_or_default();
    Ok(Found::new(name, text))
}
