//! Stand-ins for the services of Azure, in the process of the test: each checks the shape and the
//! authorization of what it is asked, as the service does, and remembers it.
//!
//! All but the identity's own endpoint are reached over TLS, because the kits hand a token to nothing
//! else. [`authority`] has the certificates.

pub mod app_configuration;
pub mod authority;
pub mod communication;
pub mod entra;
pub mod event_grid;
pub mod key_vault;
pub mod managed_identity;
pub mod server;

use app_configuration::AppConfiguration;
use authority::Authority;
use communication::Communication;
use entra::Entra;
use event_grid::EventGridTopic;
use key_vault::KeyVault;
use managed_identity::ManagedIdentity;

/// The surface's id in every cloud of the tests.
pub const SURFACE: &str = "srf_01arz3ndektsv4rrffq69g5fav_00001";
/// Where people reach it.
pub const PUBLIC_URL: &str = "https://wm.example.com";
pub const SECRET: &str = "a secret of the surface that only tests have";
/// The address mail comes from.
pub const FROM: &str = "DoNotReply@mail.example.com";
/// The identity that may send mail, and nothing else.
pub const MAIL_IDENTITY: &str = "9e8d7c6b-5a49-4382-9716-05f4e3d2c1b0";

/// Everything but the database and the object store.
#[derive(Clone)]
pub struct AzureCloud {
    /// Gives out tokens.
    pub identity: ManagedIdentity,
    /// Whom people sign in to.
    pub entra: Entra,
    /// Keeps the secret.
    pub vault: KeyVault,
    /// Keeps the id and the address.
    pub configuration: AppConfiguration,
    /// Takes events.
    pub topic: EventGridTopic,
    /// Takes mails.
    pub mail: Communication,
}

impl AzureCloud {
    /// A cloud in which everything is as a deployment leaves it.
    pub async fn start() -> Self {
        let cloud = Self {
            identity: ManagedIdentity::start().await,
            entra: Entra::start().await,
            vault: KeyVault::start().await,
            configuration: AppConfiguration::start().await,
            topic: EventGridTopic::start().await,
            mail: Communication::start().await,
        };
        cloud.identity.assign(MAIL_IDENTITY);
        cloud.vault.set("surface-secret", SECRET);
        let values = [("surface-id", SURFACE), ("public-url", PUBLIC_URL)];
        for (key, value) in values {
            cloud.configuration.set(key, value);
        }
        cloud
    }

    /// The variables of a handler in it; those of the database and the object store are missing.
    pub fn environment(&self) -> Vec<(String, String)> {
        let trusted = Authority::shared().trusted.display().to_string();
        let own = [
            ("SSL_CERT_FILE", trusted),
            ("AZURE_EVENTGRID_ENDPOINT", self.topic.endpoint()),
            (
                "AZURE_COMMUNICATION_ENDPOINT",
                self.mail.server.origin.clone(),
            ),
            ("AZURE_COMMUNICATION_FROM", FROM.to_owned()),
            ("AZURE_COMMUNICATION_CLIENT_ID", MAIL_IDENTITY.to_owned()),
            ("AZURE_KEY_VAULT_ENDPOINT", self.vault.server.origin.clone()),
            (
                "AZURE_APP_CONFIGURATION_ENDPOINT",
                self.configuration.server.origin.clone(),
            ),
        ];
        let own = own.map(|(name, value)| (name.to_owned(), value));
        let mut environment = own.to_vec();
        environment.extend(self.identity.environment());
        environment.extend(self.entra.environment());
        environment
    }
}
