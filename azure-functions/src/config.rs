//! The configuration of the handler, from environment variables. `docs/azure.md` lists them.

use wm_core::catalog::DEFAULT_ENVIRONMENT;
use wm_service::variables::{ConfigError, Variables, is_safe};

/// The role of the handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Every function, behind the Functions host.
    Functions,
    /// `api` alone, without a Functions host, as in a container.
    Api,
}

impl Role {
    /// The required variables. Values that may come from App Configuration or Key Vault are not
    /// among them.
    #[must_use]
    pub const fn required_variables(self) -> &'static [&'static str] {
        match self {
            Self::Functions => &[
                COSMOS_ACCOUNT,
                COSMOS_DATABASE,
                COSMOS_CONTAINER,
                STORAGE_ACCOUNT,
                STORAGE_CONTAINER,
                TOPIC,
                MAIL_ENDPOINT,
                MAIL_FROM,
                ISSUER,
                TENANT,
                CLIENTS,
            ],
            Self::Api => &[
                COSMOS_ACCOUNT,
                COSMOS_DATABASE,
                COSMOS_CONTAINER,
                STORAGE_ACCOUNT,
                STORAGE_CONTAINER,
                ISSUER,
                TENANT,
                CLIENTS,
            ],
        }
    }
}

const COSMOS_ACCOUNT: &str = "AZURE_COSMOS_ACCOUNT";
const COSMOS_DATABASE: &str = "AZURE_COSMOS_DATABASE";
const COSMOS_CONTAINER: &str = "AZURE_COSMOS_CONTAINER";
const COSMOS_ENDPOINT: &str = "AZURE_COSMOS_ENDPOINT";
const STORAGE_ACCOUNT: &str = "AZURE_STORAGE_ACCOUNT";
const STORAGE_CONTAINER: &str = "AZURE_STORAGE_CONTAINER";
const STORAGE_ENDPOINT: &str = "AZURE_STORAGE_ENDPOINT";
const TOPIC: &str = "AZURE_EVENTGRID_ENDPOINT";
const MAIL_ENDPOINT: &str = "AZURE_COMMUNICATION_ENDPOINT";
const MAIL_FROM: &str = "AZURE_COMMUNICATION_FROM";
const MAIL_KEY: &str = "AZURE_COMMUNICATION_ACCESS_KEY";
const MAIL_IDENTITY: &str = "AZURE_COMMUNICATION_CLIENT_ID";
const ISSUER: &str = "AZURE_ENTRA_ISSUER";
const TENANT: &str = "AZURE_ENTRA_TENANT";
const CLIENTS: &str = "AZURE_ENTRA_CLIENTS";
const DISCOVERY_URL: &str = "AZURE_ENTRA_DISCOVERY_URL";
const TRUSTS_EMAIL: &str = "AZURE_ENTRA_TRUSTS_EMAIL";
const EASY_AUTH: &str = "AZURE_EASY_AUTH";
const IDENTITY: &str = "AZURE_CLIENT_ID";
const VAULT: &str = "AZURE_KEY_VAULT_ENDPOINT";
const VAULT_SECRET: &str = "AZURE_KEY_VAULT_SECRET";
const APP_CONFIGURATION: &str = "AZURE_APP_CONFIGURATION_ENDPOINT";
const ENVIRONMENT: &str = "WM_ENVIRONMENT";
/// The id of the surface. Default: the value in App Configuration.
pub(crate) const SURFACE_ID: &str = "AZURE_SURFACE_ID";
/// The public URL of the surface. Default: the value in App Configuration.
pub(crate) const PUBLIC_URL: &str = "AZURE_PUBLIC_URL";
/// The secret of the surface. Default: the value in Key Vault.
pub(crate) const SURFACE_SECRET: &str = "AZURE_SURFACE_SECRET";

/// The default name of the surface's secret in Key Vault.
const DEFAULT_VAULT_SECRET: &str = "surface-secret";

#[derive(Debug, Clone)]
pub struct Config {
    pub cosmos: Cosmos,
    pub storage: Storage,
    /// The URL of the Event Grid topic, for a handler that publishes.
    pub topic: Option<String>,
    /// The sender, for a handler that sends mail.
    pub mail: Option<MailSender>,
    /// The issuer of accepted tokens.
    pub entra: Entra,
    /// Whether a token may also come in the header that App Service authentication sets. It is
    /// verified like any other token.
    pub easy_auth: bool,
    /// The client id of the managed identity. Default: the system-assigned identity.
    pub identity: Option<String>,
    /// The URL of the Key Vault.
    pub vault: Option<String>,
    /// The name of the surface's secret in the Key Vault.
    pub vault_secret: String,
    /// The URL of App Configuration.
    pub app_configuration: Option<String>,
    /// The environment, such as `dev`.
    pub environment: String,
    /// All variables, for values that can also come from elsewhere.
    pub(crate) variables: Variables,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosmos {
    pub account: String,
    /// The URL of the account, ending in `/`.
    pub endpoint: String,
    pub database: String,
    pub container: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    pub account: String,
    /// The URL of the blob service, without a trailing slash.
    pub endpoint: String,
    /// The private container of documents.
    pub container: String,
}

/// Communication Services as the sender of mail.
#[derive(Clone, PartialEq, Eq)]
pub struct MailSender {
    /// The URL of the Communication Services resource, without a trailing slash.
    pub endpoint: String,
    /// The sender address.
    pub from: String,
    /// The key of the resource in base64, instead of an identity. For experiments, not for
    /// production.
    pub key: Option<String>,
    /// The client id of the identity that may send. Default: the identity of the handler.
    pub identity: Option<String>,
}

impl std::fmt::Debug for MailSender {
    /// Omits the key.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("MailSender")
            .field("endpoint", &self.endpoint)
            .field("from", &self.from)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

/// An Entra External ID tenant whose tokens are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entra {
    /// The exact issuer of the tokens.
    pub issuer: String,
    /// The tenant id, which every token contains in `tid`.
    pub tenant: String,
    /// The applications whose tokens are accepted.
    pub clients: Vec<String>,
    /// The URL of the discovery document.
    pub discovery_url: String,
    /// Whether e-mail addresses that the tenant verified are trusted.
    pub trusts_email: bool,
}

impl Config {
    /// Reads the configuration from variables.
    ///
    /// # Errors
    /// [`ConfigError`], which names all missing variables at once.
    pub fn read(role: Role, variables: Variables) -> Result<Self, ConfigError> {
        let program = || "the handler".to_owned();
        variables.require(role.required_variables(), program, "docs/azure.md")?;
        let text = |name| variables.text(name).unwrap_or_default();
        let vault_secret = variables.text(VAULT_SECRET);
        let environment = variables.text(ENVIRONMENT);
        Ok(Self {
            cosmos: Cosmos::read(&variables)?,
            storage: Storage::read(&variables)?,
            topic: url(&variables, TOPIC)?,
            mail: url(&variables, MAIL_ENDPOINT)?.map(|endpoint| MailSender {
                endpoint,
                from: text(MAIL_FROM),
                key: variables.text(MAIL_KEY),
                identity: variables.text(MAIL_IDENTITY),
            }),
            entra: Entra::read(&variables)?,
            easy_auth: variables.flag(EASY_AUTH)?,
            identity: variables.text(IDENTITY),
            vault: url(&variables, VAULT)?,
            vault_secret: vault_secret.unwrap_or_else(|| DEFAULT_VAULT_SECRET.to_owned()),
            app_configuration: url(&variables, APP_CONFIGURATION)?,
            environment: environment.unwrap_or_else(|| DEFAULT_ENVIRONMENT.to_owned()),
            variables,
        })
    }
}

impl Cosmos {
    fn read(variables: &Variables) -> Result<Self, ConfigError> {
        let account = variables.text(COSMOS_ACCOUNT).unwrap_or_default();
        let endpoint = match url(variables, COSMOS_ENDPOINT)? {
            Some(endpoint) => format!("{endpoint}/"),
            None => format!("https://{account}.documents.azure.com/"),
        };
        Ok(Self {
            endpoint,
            account,
            database: variables.text(COSMOS_DATABASE).unwrap_or_default(),
            container: variables.text(COSMOS_CONTAINER).unwrap_or_default(),
        })
    }
}

impl Storage {
    fn read(variables: &Variables) -> Result<Self, ConfigError> {
        let account = variables.text(STORAGE_ACCOUNT).unwrap_or_default();
        let endpoint = url(variables, STORAGE_ENDPOINT)?;
        Ok(Self {
            endpoint: endpoint
                .unwrap_or_else(|| format!("https://{account}.blob.core.windows.net")),
            account,
            container: variables.text(STORAGE_CONTAINER).unwrap_or_default(),
        })
    }
}

impl Entra {
    fn read(variables: &Variables) -> Result<Self, ConfigError> {
        let issuer = variables.text(ISSUER).unwrap_or_default();
        let discovery_url = url(variables, DISCOVERY_URL)?.unwrap_or_else(|| {
            let issuer = issuer.trim_end_matches('/');
            format!("{issuer}/.well-known/openid-configuration")
        });
        if !is_safe(&discovery_url) {
            return Err(ConfigError::unsafe_url(ISSUER));
        }
        Ok(Self {
            issuer,
            tenant: variables.text(TENANT).unwrap_or_default(),
            clients: variables.list(CLIENTS),
            discovery_url,
            trusts_email: variables.flag(TRUSTS_EMAIL)?,
        })
    }
}

/// A URL, without a trailing slash.
fn url(variables: &Variables, name: &'static str) -> Result<Option<String>, ConfigError> {
    let url = variables.url(name)?;
    Ok(url.map(|url| url.trim_end_matches('/').to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: [(&str, &str); 8] = [
        (COSMOS_ACCOUNT, "wm-dev-cosmos"),
        (COSMOS_DATABASE, "workspace"),
        (COSMOS_CONTAINER, "workspace_items"),
        (STORAGE_ACCOUNT, "wmdevdocs"),
        (STORAGE_CONTAINER, "workspace-documents"),
        (ISSUER, "https://t.ciamlogin.com/t/v2.0"),
        (TENANT, "t"),
        (CLIENTS, "one, two"),
    ];

    fn with(more: &[(&str, &str)]) -> Variables {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        GIVEN.iter().chain(more).map(owned).collect()
    }

    #[test]
    fn config_error_names_all_missing_variables() {
        let given = with(&[(COSMOS_ACCOUNT, " "), (STORAGE_CONTAINER, "")]);
        let error = Config::read(Role::Functions, given).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the handler needs `AZURE_COSMOS_ACCOUNT`, `AZURE_STORAGE_CONTAINER`, `AZURE_EVENTGRID_ENDPOINT`, \
             `AZURE_COMMUNICATION_ENDPOINT`, `AZURE_COMMUNICATION_FROM`: set these variables as described in docs/azure.md"
        );
    }

    #[test]
    fn urls_are_derived_from_names_by_default() {
        let config = Config::read(Role::Api, with(&[])).unwrap();
        assert_eq!(
            config.cosmos.endpoint,
            "https://wm-dev-cosmos.documents.azure.com/"
        );
        assert_eq!(
            config.storage.endpoint,
            "https://wmdevdocs.blob.core.windows.net"
        );
        assert_eq!(
            config.entra.discovery_url,
            "https://t.ciamlogin.com/t/v2.0/.well-known/openid-configuration"
        );
        assert_eq!(config.entra.clients, ["one", "two"]);
        let given = with(&[(COSMOS_ENDPOINT, "http://127.0.0.1:1/")]);
        let config = Config::read(Role::Api, given).unwrap();
        assert_eq!(config.cosmos.endpoint, "http://127.0.0.1:1/");
    }

    #[test]
    fn every_url_needs_tls() {
        for name in [
            COSMOS_ENDPOINT,
            STORAGE_ENDPOINT,
            TOPIC,
            MAIL_ENDPOINT,
            ISSUER,
            DISCOVERY_URL,
            VAULT,
            APP_CONFIGURATION,
        ] {
            let given = with(&[(name, "http://example.com")]);
            let error = Config::read(Role::Api, given).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("`{name}` must begin")),
                "{error}"
            );
        }
    }

    #[test]
    fn debug_output_hides_the_key() {
        let given = with(&[(MAIL_ENDPOINT, "https://mail"), (MAIL_KEY, "hush")]);
        let config = Config::read(Role::Api, given).unwrap();
        assert!(config.mail.as_ref().unwrap().key.is_some());
        assert!(!format!("{config:?}").contains("hush"));
    }
}
