//! The identity of a surface: its id, public URL and secret, from Parameter Store and Secrets
//! Manager.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager as secretsmanager;
use aws_sdk_ssm as ssm;
use aws_types::SdkConfig;
pub use wm_service::secrets::Identity;
use wm_service::{
    ports::PortError,
    secrets::{Found, InvalidSetting},
};

use crate::{
    config::{Config, PUBLIC_URL, SURFACE_ID, SURFACE_SECRET},
    error::port_error,
    sdk::{Timeouts, for_service},
};

/// The name of the parameter with the surface id, below the configured path.
pub const SURFACE_ID_PARAMETER: &str = "surface-id";
/// The name of the parameter with the public URL, below the configured path.
pub const PUBLIC_URL_PARAMETER: &str = "public-url";
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
    /// The parameter does not exist.
    #[error("there is no parameter `{0}` in Parameter Store: deploy again with `wm deploy aws`")]
    NoParameter(String),
    /// The value is invalid.
    #[error(transparent)]
    Invalid(#[from] InvalidSetting),
    /// The service refused the request or did not answer.
    #[error(
        "`{name}` cannot be read: check that it exists and that the role of the function has access to it"
    )]
    Unreadable {
        /// The parameter or secret.
        name: String,
        source: PortError,
    },
}

/// Looks up all values that are not set in the environment.
///
/// # Errors
/// [`SecretsError`].
pub async fn load(shared: &SdkConfig, config: &Config) -> Result<Identity, SecretsError> {
    let (parameters, secret) =
        futures_util::future::try_join(parameters(shared, config), secret(shared, config)).await?;
    let (surface, public_url) = parameters;
    Ok(Identity::read(surface, public_url, secret)?)
}

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

/// All parameters below the configured path, by full name. Empty without a path.
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
