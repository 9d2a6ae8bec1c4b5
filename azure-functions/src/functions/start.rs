//! What the handler does once, while it already listens.

use std::{error::Error, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use wm_core::{
    storage::{Scope, Sort},
    value::Sha256,
};
use wm_service::{
    Service,
    ports::{Provider, Records},
    variables::Variables,
};

use super::causes;
use crate::{
    config::{Config, Role},
    identity::issuer,
    sdk::Sdk,
    secrets::{self, Identity, SecretsError},
    surface::{Azure, surface},
};

/// How long a request waits for the handler to be ready before it is told to come again. The host gives
/// up on a handler after 30 s, and a client long before that.
const WAIT: Duration = Duration::from_secs(10);

/// The first pause before what failed is tried again, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(15));

/// What requests are answered with, once it is there.
pub(super) struct Started<P> {
    /// The application.
    pub(super) service: Arc<Service<P>>,
    /// Whether a token may come in the header of App Service's own authentication.
    pub(super) easy_auth: bool,
}

impl<P> Clone for Started<P> {
    fn clone(&self) -> Self {
        Self {
            service: Arc::clone(&self.service),
            easy_auth: self.easy_auth,
        }
    }
}

/// Where a request learns that the handler is ready.
pub(super) type Starting<P> = watch::Receiver<Option<Started<P>>>;

/// What is ready, waiting for it if need be; `None` when that takes too long.
pub(super) async fn ready<P>(starting: &Starting<P>) -> Option<Started<P>> {
    let mut starting = starting.clone();
    let started = timeout(WAIT, starting.wait_for(Option::is_some)).await;
    started.ok()?.ok()?.clone()
}

/// Reads the configuration, looks up what is elsewhere, and tells who waits. Meanwhile it opens the first
/// connection to the database, which would otherwise cost the first request.
///
/// # Errors
/// What trying again would not mend: the handler then has to end. A service that does not answer, or
/// does not yet let this identity in, is asked again for as long as it takes, because the host stops
/// for good after the third end within half an hour.
pub(super) async fn start<P: Provider>(
    role: Role,
    variables: Variables,
    equip: impl FnOnce(Azure) -> P,
    tell: watch::Sender<Option<Started<P>>>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let config = Config::read(role, variables)?;
    let sdk = Sdk::new(&config)?;
    let azure = Azure::new(&sdk, &config)?;
    let records = azure.records().clone();
    let opening = tokio::spawn(async move { open_connection(&records).await });
    let identity = identity(&sdk, &config).await?;
    let surface = surface(&config, identity).map_err(|error| error.message)?;
    tracing::info!(?role, surface = %surface.id, "started");
    let service = Service::new(equip(azure), surface, vec![issuer(&config.entra)]);
    let service = Arc::new(service);
    tell.send_replace(Some(Started {
        service: Arc::clone(&service),
        easy_auth: config.easy_auth,
    }));
    Ok(opening.await?)
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

/// Reads what is never there. A database that does not answer now may do so for the first request.
async fn open_connection(records: &impl Records) {
    let nobody = Scope::Identity(Sha256::of(b"")).key(Sort::link());
    if let Err(error) = records.get(&nobody).await {
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
        let (tell, starting) = watch::channel::<Option<Started<()>>>(None);
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
