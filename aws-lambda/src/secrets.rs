//! What a surface is: its id, its address and its secret, from Parameter Store and Secrets Manager.

use std::{collections::BTreeMap, fmt};

use aws_sdk_secretsmanager as secretsmanager;
use aws_sdk_ssm as ssm;
use aws_types::SdkConfig;
use wm_core::value::{Sha256, SurfaceId};
use wm_service::ports::PortError;

use crate::{
    config::{Config, PUBLIC_URL, SURFACE_ID, SURFACE_SECRET},
    error::port_error,
    sdk::{Patience, for_service},
};

/// The name of the surface's id below the path.
pub const SURFACE_ID_PARAMETER: &str = "surface-id";
/// The name of the surface's address below the path.
pub const PUBLIC_URL_PARAMETER: &str = "public-url";
/// A secret shorter than this could be guessed.
const SECRET_CHARACTERS: usize = 32;

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
    /// It is not where it should be.
    #[error("there is no parameter `{0}` in Parameter Store: deploy again with `wm deploy aws`")]
    NoParameter(String),
    /// It cannot be what it says.
    #[error("`{name}` {wrong}")]
    Wrong {
        /// Where it was found.
        name: String,
        /// What is wrong with it, and what would be right.
        wrong: &'static str,
    },
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
    let Parameters {
        surface,
        public_url,
    } = parameters;
    Ok(Identity {
        surface,
        public_url,
        secret,
    })
}

struct Parameters {
    surface: SurfaceId,
    public_url: String,
}

async fn parameters(shared: &SdkConfig, config: &Config) -> Result<Parameters, SecretsError> {
    let given = |name| config.variables.get(name).map(str::to_owned);
    let (surface, public_url) = (given(SURFACE_ID), given(PUBLIC_URL));
    let stored = if surface.is_some() && public_url.is_some() {
        BTreeMap::new()
    } else {
        stored_parameters(shared, config).await?
    };
    let value = |given: Option<String>, variable: &'static str, parameter: &str| {
        if let Some(value) = given {
            return Ok((variable.to_owned(), value));
        }
        let Some(path) = &config.parameters else {
            return Err(SecretsError::Nowhere {
                variable,
                instead: "AWS_SSM_PATH",
            });
        };
        let name = format!("{}/{parameter}", path.trim_end_matches('/'));
        match stored.get(&name) {
            Some(value) => Ok((name, value.clone())),
            None => Err(SecretsError::NoParameter(name)),
        }
    };
    let (name, text) = value(surface, SURFACE_ID, SURFACE_ID_PARAMETER)?;
    let wrong = "must be a surface id, as `wm deploy aws` makes it";
    let surface = text
        .parse()
        .map_err(|_| SecretsError::Wrong { name, wrong })?;
    let (name, public_url) = value(public_url, PUBLIC_URL, PUBLIC_URL_PARAMETER)?;
    if !public_url.starts_with("https://") && !public_url.starts_with("http://") {
        let wrong = "must be an address that begins with `https://`";
        return Err(SecretsError::Wrong { name, wrong });
    }
    Ok(Parameters {
        surface,
        public_url: public_url.trim_end_matches('/').to_owned(),
    })
}

/// Everything below the configured path, by full name; nothing without a path.
async fn stored_parameters(
    shared: &SdkConfig,
    config: &Config,
) -> Result<BTreeMap<String, String>, SecretsError> {
    let Some(path) = &config.parameters else {
        return Ok(BTreeMap::new());
    };
    let settings = for_service(shared, config, "SSM", Patience::SERVICE);
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

async fn secret(shared: &SdkConfig, config: &Config) -> Result<[u8; 32], SecretsError> {
    if let Some(text) = config.variables.get(SURFACE_SECRET) {
        return digest(SURFACE_SECRET, text);
    }
    let Some(name) = &config.secret else {
        return Err(SecretsError::Nowhere {
            variable: SURFACE_SECRET,
            instead: "AWS_SECRETS_MANAGER_SECRET",
        });
    };
    let settings = for_service(shared, config, "SECRETS_MANAGER", Patience::SERVICE);
    let client = secretsmanager::Client::new(&settings);
    let answer = client.get_secret_value().secret_id(name).send().await;
    let answer = answer.map_err(|error| SecretsError::Unreadable {
        name: name.clone(),
        source: port_error(error),
    })?;
    digest(name, answer.secret_string().unwrap_or_default())
}

fn digest(name: &str, text: &str) -> Result<[u8; 32], SecretsError> {
    if text.chars().count() < SECRET_CHARACTERS {
        return Err(SecretsError::Wrong {
            name: name.to_owned(),
            wrong: "must hold at least 32 characters, drawn at random",
        });
    }
    Ok(*Sha256::of(text.as_bytes()).as_bytes())
}
