//! The AWS surface, with all ports.

use std::{future::Future, io, time::Duration};

use aws_lc_rs::rand;
use aws_types::SdkConfig;
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
    artifacts::S3Artifacts, config::Config, events::EventBus, identity::HttpsKeys, mail::SesMail,
    records::DynamoRecords, secrets::Identity,
};

/// All ports of a surface on AWS.
#[derive(Debug)]
pub struct Aws {
    records: DynamoRecords,
    artifacts: S3Artifacts,
    keys: HttpsKeys,
    events: EventBus,
    mail: SesMail,
    env: EnvSource,
}

impl Aws {
    /// A surface that can read and write. It has no event bus and no mail sender yet.
    ///
    /// # Errors
    /// If the random generator of the system fails.
    pub fn new(shared: &SdkConfig, config: &Config) -> io::Result<Self> {
        let mut seed = [0; 32];
        rand::fill(&mut seed)
            .map_err(|_| io::Error::other("the random generator of the system failed"))?;
        Ok(Self {
            records: DynamoRecords::new(shared, config),
            artifacts: S3Artifacts::new(shared, config),
            keys: HttpsKeys::new(),
            events: EventBus::default(),
            mail: SesMail::default(),
            env: EnvSource::new(seed),
        })
    }

    /// Adds an event bus. It is separate from [`Aws::new`], so that functions without events are
    /// built without the client.
    #[must_use]
    pub fn with_events(self, events: EventBus) -> Self {
        Self { events, ..self }
    }

    /// Adds a mail sender. It is separate for the same reason.
    #[must_use]
    pub fn with_mail(self, mail: SesMail) -> Self {
        Self { mail, ..self }
    }
}

impl Provider for Aws {
    type Records = DynamoRecords;
    type Artifacts = S3Artifacts;
    type Keys = HttpsKeys;
    type Events = EventBus;
    type Mail = SesMail;

    fn records(&self) -> &DynamoRecords {
        &self.records
    }

    fn artifacts(&self) -> &S3Artifacts {
        &self.artifacts
    }

    fn keys(&self) -> &HttpsKeys {
        &self.keys
    }

    fn events(&self) -> &EventBus {
        &self.events
    }

    fn mail(&self) -> &SesMail {
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
