//! The Azure surface, with all ports.

use std::{io, sync::Arc};

use aws_lc_rs::rand;
use tokio::time::{Sleep, sleep};
use wm_core::{
    catalog::Provider as Catalogued, operation::Surface, selection::BackendSelection,
    storage::UploadLimits, value::FieldError,
};
use wm_service::{EnvSource, ports::Ports};

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
pub type Azure =
    Ports<CosmosRecords, BlobArtifacts, EntraKeys, EventGrid, CommunicationMail, Sleep>;

/// The ports of the surface of this configuration. They open no connection.
///
/// # Errors
/// If the random generator of the system fails, or a URL is invalid.
pub fn ports(sdk: &Sdk, config: &Config) -> Result<Azure, SdkError> {
    Ok(Ports {
        records: CosmosRecords::new(sdk, config)?,
        artifacts: BlobArtifacts::new(sdk, config)?,
        keys: EntraKeys::new(sdk, config),
        events: EventGrid::new(sdk, config)?,
        mail: CommunicationMail::new(sdk, config)?,
        env: env_source()?,
        sleep,
    })
}

/// A source of time and randomness with its own seed.
///
/// # Errors
/// If the random generator of the system fails.
pub(crate) fn env_source() -> io::Result<Arc<EnvSource>> {
    let mut seed = [0; 32];
    rand::fill(&mut seed)
        .map_err(|_| io::Error::other("the random generator of the system failed"))?;
    Ok(Arc::new(EnvSource::new(seed)))
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
