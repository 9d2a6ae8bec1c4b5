//! The start of the handler, after it listens.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use wm_core::record::Layout;
use wm_service::{
    Service,
    ports::Provider,
    sweeper::{BILLED_COLLECTION_INTERVAL, Sweeper},
    variables::Variables,
    warm_up,
};

use super::{StartError, causes};
use crate::{
    config::{Config, Role},
    identity::issuer,
    sdk::{Sdk, SdkError},
    secrets::{self, Identity, SecretsError},
    surface::{self, Azure},
};

/// The time a request waits for the handler to be ready, before it gets 503. The host gives up on a
/// handler after 30 s, and clients long before that.
const WAIT: Duration = Duration::from_secs(10);

/// The first and the longest pause between attempts to start.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(15));

/// The application behind requests and triggers.
pub struct Application<P> {
    pub(super) service: Arc<Service<P>>,
    pub(super) sweeper: Sweeper<P>,
    /// Whether a token may come in the header of App Service authentication.
    pub(super) easy_auth: bool,
}

/// Signals that the application is ready.
pub(super) type Starting<P> = watch::Receiver<Option<Arc<Application<P>>>>;

/// The application, after it is ready. `None` after the waiting time.
pub(super) async fn ready<P>(starting: &Starting<P>) -> Option<Arc<Application<P>>> {
    let mut starting = starting.clone();
    let started = timeout(WAIT, starting.wait_for(Option::is_some)).await;
    started.ok()?.ok()?.clone()
}

/// The configuration and the common settings of the clients.
#[derive(Debug)]
pub struct Startup {
    role: Role,
    config: Config,
    sdk: Sdk,
    /// The layout of the data, once the first connection has read it.
    layout: Arc<OnceLock<Layout>>,
}

impl Startup {
    /// Reads the configuration of this role from the environment of this process.
    ///
    /// # Errors
    /// If variables are missing or malformed, or clients cannot be created.
    pub fn read(role: Role) -> Result<Self, StartError> {
        let config = Config::read(role, Variables::of_this_process())?;
        Ok(Self {
            role,
            sdk: Sdk::new(&config)?,
            config,
            layout: Arc::default(),
        })
    }

    /// The ports. The first connection to the database opens in the background, because it would
    /// otherwise delay the first request.
    ///
    /// # Errors
    /// If the random generator of the system fails, or a URL is invalid.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn connect(&self) -> Result<Azure, SdkError> {
        let ports = surface::ports(&self.sdk, &self.config)?;
        let (records, layout) = (ports.records.clone(), Arc::clone(&self.layout));
        tokio::spawn(async move {
            if let Some(found) = warm_up(&records).await {
                // Nothing else sets it.
                let _ = layout.set(found);
            }
        });
        Ok(ports)
    }

    /// The application over these ports, after the identity of the surface is known. Services that
    /// do not answer, or do not accept this identity yet, are retried without limit, because the
    /// host stops for good after the third end within half an hour.
    ///
    /// # Errors
    /// Errors that a retry cannot repair. The handler must then end.
    pub async fn application<P: Provider>(&self, ports: P) -> Result<Application<P>, StartError> {
        let config = &self.config;
        let identity = identity(&self.sdk, config).await?;
        let surface = surface::surface(config, identity).map_err(|error| error.message)?;
        let role = self.role;
        tracing::info!(?role, surface = %surface.id, "started");
        let service = Service::new(ports, surface, vec![issuer(&config.entra)]);
        let service = Arc::new(service.with_layout(self.layout.get().cloned()));
        Ok(Application {
            sweeper: Sweeper::new(Arc::clone(&service), BILLED_COLLECTION_INTERVAL),
            service,
            easy_auth: config.easy_auth,
        })
    }
}

/// The identity of the surface, with retries without limit.
async fn identity(sdk: &Sdk, config: &Config) -> Result<Identity, SecretsError> {
    let (mut pause, longest) = PAUSES;
    loop {
        match secrets::load(sdk, config).await {
            Err(error) if error.is_transient() => {
                let seconds = pause.as_secs_f32();
                let error = causes(&error);
                tracing::warn!(
                    error,
                    seconds,
                    "the handler cannot start yet and will retry"
                );
            }
            loaded => return loaded,
        }
        sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The probe and the first requests arrive before the application is ready.
    #[tokio::test(start_paused = true)]
    async fn request_waits_no_longer_than_a_client_would() {
        let (tell, starting) = watch::channel::<Option<Arc<Application<()>>>>(None);
        let begun = tokio::time::Instant::now();
        assert!(ready(&starting).await.is_none());
        assert_eq!(begun.elapsed(), WAIT);
        drop(tell);
        assert!(ready(&starting).await.is_none(), "the sender is gone");
        assert_eq!(begun.elapsed(), WAIT);
    }
}
