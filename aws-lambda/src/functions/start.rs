//! The start of every function, before its first event.

use std::io;

use aws_types::SdkConfig;
use lambda_runtime::{Context, Diagnostic, LambdaEvent, service_fn};
use serde::{Serialize, de::DeserializeOwned};
use wm_core::storage::WorkPartitions;
use wm_service::{
    Service,
    identity::Issuer,
    ports::Provider,
    variables::{ConfigError, Variables},
    warm_up,
};

use super::RetryLater;
use crate::{
    config::{Config, Function},
    events::EventBus,
    identity::issuer,
    mail::SesMail,
    sdk::sdk_config,
    secrets,
    surface::{self, Aws},
};

/// The configuration of a function, and the settings that its clients share.
#[derive(Debug)]
pub struct Startup {
    function: Function,
    config: Config,
    shared: SdkConfig,
}

impl Startup {
    /// Reads the configuration of a function from the environment of this process.
    ///
    /// # Errors
    /// If variables are missing or malformed.
    pub fn read(function: Function) -> Result<Self, ConfigError> {
        let config = Config::read(function, Variables::of_this_process())?;
        Ok(Self {
            function,
            shared: sdk_config(&config),
            config,
        })
    }

    /// The ports of a function that neither publishes nor mails. Unused clients would make its
    /// binary larger and its cold start slower.
    ///
    /// # Errors
    /// If the random generator of the system fails.
    pub fn ports(&self) -> io::Result<Aws> {
        surface::ports(&self.shared, &self.config)
    }

    /// The ports of a function that publishes.
    ///
    /// # Errors
    /// If the random generator of the system fails.
    pub fn publishing_ports(&self) -> io::Result<Aws> {
        let events = EventBus::new(&self.shared, &self.config);
        Ok(Aws {
            events,
            ..self.ports()?
        })
    }

    /// The ports of a function that sends mail.
    ///
    /// # Errors
    /// If the random generator of the system fails.
    pub fn mailing_ports(&self) -> io::Result<Aws> {
        let mail = SesMail::new(&self.shared, &self.config);
        Ok(Aws {
            mail,
            ..self.ports()?
        })
    }

    /// The index partitions for each kind of unfinished work, as configured.
    #[must_use]
    pub fn work_partitions(&self) -> WorkPartitions {
        self.config.work_partitions
    }

    /// The service over these ports. It looks up stored values and at the same time opens the first
    /// connection to the database, which would otherwise delay the first request.
    ///
    /// # Errors
    /// If the identity or the secret of the surface cannot be looked up.
    pub async fn service<P: Provider>(
        &self,
        ports: P,
    ) -> Result<Service<P>, lambda_runtime::Error> {
        let (identity, layout) = futures_util::future::join(
            secrets::load(&self.shared, &self.config),
            warm_up(ports.records()),
        )
        .await;
        let surface = surface::surface(&self.config, identity?).map_err(|error| error.message)?;
        let function = self.function.name();
        tracing::info!(function, surface = %surface.id, "started");
        Ok(Service::new(ports, surface, issuers(&self.config)).with_layout(layout))
    }
}

/// Handles events of one kind with shared state until Lambda ends the process.
pub(super) async fn serve<S, E, R>(
    state: S,
    handle: impl AsyncFn(&S, E, &Context) -> Result<R, RetryLater>,
) -> Result<(), lambda_runtime::Error>
where
    E: DeserializeOwned,
    R: Serialize,
{
    let (state, handle) = (&state, &handle);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<E>| async move {
        let (event, context) = event.into_parts();
        handle(state, event, &context).await
    }))
    .await
}

impl From<RetryLater> for Diagnostic {
    fn from(error: RetryLater) -> Self {
        Self {
            error_type: "RetryLater".into(),
            error_message: error.to_string(),
        }
    }
}

fn issuers(config: &Config) -> Vec<Issuer> {
    let cognito = config.cognito.iter();
    cognito.map(|cognito| issuer(config, cognito)).collect()
}
