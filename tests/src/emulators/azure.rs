//! Emulators of Azure services in the process of the test. Each checks the shape and the
//! authorization of its requests as the service does, and records them.
//!
//! All except the identity endpoint are reached over TLS, because the SDKs send tokens only over
//! TLS. [`authority`] has the certificates.

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

/// The surface id in every cloud of the tests.
pub const SURFACE: &str = "srf_01arz3ndektsv4rrffq69g5fav_00001";
pub const PUBLIC_URL: &str = "https://wm.example.com";
pub const SECRET: &str = "a secret of the surface that only tests have";
pub const FROM: &str = "DoNotReply@mail.example.com";
/// The identity that may send mail only.
pub const MAIL_IDENTITY: &str = "9e8d7c6b-5a49-4382-9716-05f4e3d2c1b0";

/// All services except the database and the object store.
#[derive(Clone)]
pub struct AzureCloud {
    pub identity: ManagedIdentity,
    pub entra: Entra,
    pub vault: KeyVault,
    pub configuration: AppConfiguration,
    pub topic: EventGridTopic,
    pub mail: Communication,
}

impl AzureCloud {
    /// A cloud in the state after a deployment.
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

    /// The environment variables of a handler in this cloud, without those of the database and the
    /// object store.
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
