//! The Azure surface, with all ports.

use std::{future::Future, io, time::Duration};

use aws_lc_rs::rand;
use wm_core::{
    catalog::Provider as Catalogued,
    operation::Surface,
    selection::BackendSelection,
    storage::UploadLimits,
    value::{Env, FieldError, Timestamp},
};
use wm_service::{
    EnvSource,
    clock::now,
    ports::{EntropyContext, Provider},
};

use crate::{
    artifacts::BlobArtifacts,
    config::Config,
    events::EventGrid,
    identity::EntraKeys,
    mail::CommunicationMail,
    records::CosmosRecords,
    sdk::{Sdk, SdkError},
    secrets::Identity,
};

/// All ports of a surface on Azure.
#[derive(Debug)]
pub struct Azure {
    records: CosmosRecords,
    artifacts: BlobArtifacts,
    keys: EntraKeys,
    events: EventGrid,
    mail: CommunicationMail,
    env: EnvSource,
}

impl Azure {
    /// The surface of this configuration. It opens no connection.
    ///
    /// # Errors
    /// If the random generator of the system fails, or a URL is invalid.
    pub fn new(sdk: &Sdk, config: &Config) -> Result<Self, SdkError> {
        Ok(Self {
            records: CosmosRecords::new(sdk, config)?,
            artifacts: BlobArtifacts::new(sdk, config)?,
            keys: EntraKeys::new(sdk, config),
            events: EventGrid::new(sdk, config)?,
            mail: CommunicationMail::new(sdk, config)?,
            env: env_source()?,
        })
    }
}

impl Provider for Azure {
    type Records = CosmosRecords;
    type Artifacts = BlobArtifacts;
    type Keys = EntraKeys;
    type Events = EventGrid;
    type Mail = CommunicationMail;

    fn records(&self) -> &CosmosRecords {
        &self.records
    }

    fn artifacts(&self) -> &BlobArtifacts {
        &self.artifacts
    }

    fn keys(&self) -> &EntraKeys {
        &self.keys
    }

    fn events(&self) -> &EventGrid {
        &self.events
    }

    fn mail(&self) -> &CommunicationMail {
        &self.mail
    }

    fn env(&self, context: EntropyContext<'_>) -> Env {
        self.env.env(context)
    }

    fn now(&self) -> Timestamp {
        now()
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(duration)
    }
}

/// A source of time and randomness with its own seed.
///
/// # Errors
/// If the random generator of the system fails.
pub(crate) fn env_source() -> io::Result<EnvSource> {
    let mut seed = [0; 32];
    rand::fill(&mut seed)
        .map_err(|_| io::Error::other("the random generator of the system failed"))?;
    Ok(EnvSource::new(seed))
}

/// The fixed properties of the surface with this configuration.
///
/// # Errors
/// If a name is not valid on Azure.
pub fn surface(config: &Config, identity: Identity) -> Result<Surface, FieldError> {
    let mut selection = BackendSelection::defaults(Catalogued::Azure)
        .with("storage.account", &config.storage.account)?
        .with("storage.container", &config.storage.container)?
        .with("database.account", &config.cosmos.account)?
        .with("database.database", &config.cosmos.database)?
        .with("database.container", &config.cosmos.container)?;
    selection.environment.clone_from(&config.environment);
    Ok(Surface {
        id: identity.surface,
        secret: identity.secret,
        selection,
        public_url: identity.public_url,
        upload: UploadLimits::default(),
    })
}
