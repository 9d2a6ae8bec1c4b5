//! What the handler does once, while it already listens.

use std::{error::Error, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use wm_service::{
    Service, absent_key,
    ports::{Provider, Records},
    sweeper::{BILLED_COLLECTION_INTERVAL, Sweeper},
    variables::Variables,
};

use super::{StartError, causes};
use crate::{
    config::{Config, Role},
    identity::issuer,
    sdk::{Sdk, SdkError},
    secrets::{self, Identity, SecretsError},
    surface::{Azure, surface},
};

/// How long a request waits for the handler to be ready before it is told to come again. The host gives
/// up on a handler after 30 s, and a client long before that.
const WAIT: Duration = Duration::from_secs(10);

/// The first pause before what failed is tried again, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(15));

/// What answers requests and triggers.
pub struct Application<P> {
    pub(super) service: Arc<Service<P>>,
    pub(super) sweeper: Sweeper<P>,
    /// Whether a token may come in the header of App Service's own authentication.
    pub(super) easy_auth: bool,
}

/// Where a request learns that the application is ready.
pub(super) type Starting<P> = watch::Receiver<Option<Arc<Application<P>>>>;

/// The application, once it is ready; `None` when that takes too long.
pub(super) async fn ready<P>(starting: &Starting<P>) -> Option<Arc<Application<P>>> {
    let mut starting = starting.clone();
    let started = timeout(WAIT, starting.wait_for(Option::is_some)).await;
    started.ok()?.ok()?.clone()
}

/// What the application is made from: the configuration and what the clients share.
#[derive(Debug)]
pub struct Startup {
    role: Role,
    config: Config,
    sdk: Sdk,
}

impl Startup {
    /// Reads the configuration of this role from the environment of this process.
    ///
    /// # Errors
    /// When variables are missing or malformed, or clients cannot be made.
    pub fn read(role: Role) -> Result<Self, StartError> {
        let config = Config::read(role, Variables::of_this_process())?;
        Ok(Self {
            role,
            sdk: Sdk::new(&config)?,
            config,
        })
    }

    /// The ports. The first connection to the database, which would otherwise cost the first request,
    /// opens in the background.
    ///
    /// # Errors
    /// When the system gives no randomness, or an address cannot be one.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn connect(&self) -> Result<Azure, SdkError> {
        let azure = Azure::new(&self.sdk, &self.config)?;
        let records = azure.records().clone();
        tokio::spawn(async move { warm_up(&records).await });
        Ok(azure)
    }

    /// The application over these ports, as soon as the surface's identity is known.
    ///
    /// # Errors
    /// What trying again would not mend: the handler then has to end. A service that does not answer, or
    /// does not yet let this identity in, is asked again for as long as it takes, because the host stops
    /// for good after the third end within half an hour.
    pub async fn application<P: Provider>(&self, ports: P) -> Result<Application<P>, StartError> {
        let config = &self.config;
        let identity = identity(&self.sdk, config).await?;
        let surface = surface(config, identity).map_err(|error| error.message)?;
        let role = self.role;
        tracing::info!(?role, surface = %surface.id, "started");
        let service = Service::new(ports, surface, vec![issuer(&config.entra)]);
        let service = Arc::new(service);
        Ok(Application {
            sweeper: Sweeper::new(Arc::clone(&service), BILLED_COLLECTION_INTERVAL),
            service,
            easy_auth: config.easy_auth,
        })
    }
}

/// Who the surface is, however long it takes to hear it.
async fn identity(sdk: &Sdk, config: &Config) -> Result<Identity, SecretsError> {
    let (mut pause, longest) = PAUSES;
    loop {
        match secrets::load(sdk, config).await {
            Err(error) if error.may_pass() => {
                let seconds = pause.as_secs_f32();
                let error = causes(&error);
                tracing::warn!(
                    error,
                    seconds,
                    "the handler cannot start yet and tries again"
                );
            }
            loaded => return loaded,
        }
        sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

/// Opens the connection by reading a key that does not exist. A database that does not answer now may
/// answer the first request.
async fn warm_up(records: &impl Records) {
    if let Err(error) = records.get(&absent_key()).await {
        let cause = Error::source(&error).map(ToString::to_string);
        tracing::warn!(%error, cause, "the container did not answer at start");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The probe and the first requests come before anything is ready.
    #[tokio::test(start_paused = true)]
    async fn a_request_waits_no_longer_than_a_client_would() {
        let (tell, starting) = watch::channel::<Option<Arc<Application<()>>>>(None);
        let begun = tokio::time::Instant::now();
        assert!(ready(&starting).await.is_none());
        assert_eq!(begun.elapsed(), WAIT);
        drop(tell);
        assert!(
            ready(&starting).await.is_none(),
            "nobody will tell any more"
        );
        assert_eq!(begun.elapsed(), WAIT);
    }
}
