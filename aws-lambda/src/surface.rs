//! The AWS surface, with all ports.

use std::{io, sync::Arc};

use aws_lc_rs::rand;
use aws_types::SdkConfig;
use tokio::time::{Sleep, sleep};
use wm_core::{
    catalog::Provider as Catalogued, operation::Surface, selection::BackendSelection,
    storage::UploadLimits, value::FieldError,
};
use wm_service::{EnvSource, ports::Ports};

use crate::{
    artifacts::S3Artifacts, config::Config, events::EventBus, identity::HttpsKeys, mail::SesMail,
    records::DynamoRecords, secrets::Identity,
};

/// All ports of a surface on AWS.
pub type Aws = Ports<DynamoRecords, S3Artifacts, HttpsKeys, EventBus, SesMail, Sleep>;

/// The ports of a surface that can read and write. It has no event bus and no mail sender yet, so
/// that functions without events or mail are built without these clients.
///
/// # Errors
/// If the random generator of the system fails.
pub fn ports(shared: &SdkConfig, config: &Config) -> io::Result<Aws> {
    let mut seed = [0; 32];
    rand::fill(&mut seed)
        .map_err(|_| io::Error::other("the random generator of the system failed"))?;
    Ok(Ports {
        records: DynamoRecords::new(shared, config),
        artifacts: S3Artifacts::new(shared, config),
        keys: HttpsKeys::new(),
        events: EventBus::default(),
        mail: SesMail::default(),
        env: Arc::new(EnvSource::new(seed)),
        sleep,
    })
}

/// The fixed properties of the surface with this configuration.
///
/// # Errors
/// If a name is not valid on AWS.
pub fn surface(config: &Config, identity: Identity) -> Result<Surface, FieldError> {
    let mut selection = BackendSelection::defaults(Catalogued::Aws)
        .with("region", &config.region)?
        .with("storage.bucket", &config.bucket)?
        .with("database.table", &config.table)?;
    selection.environment.clone_from(&config.environment);
    Ok(Surface {
        id: identity.surface,
        secret: identity.secret,
        selection,
        public_url: identity.public_url,
        upload: UploadLimits::default(),
    })
}
