//! What every function does once, before its first event.

use std::error::Error;

use aws_types::SdkConfig;
use lambda_runtime::{Context, Diagnostic, LambdaEvent, service_fn};
use serde::{Serialize, de::DeserializeOwned};
use wm_core::{
    storage::{Scope, Sort},
    value::Sha256,
};
use wm_service::{
    Service,
    identity::Issuer,
    ports::{Provider, Records},
    variables::Variables,
};

use super::LeftForLater;
use crate::{
    config::{Config, Function},
    identity::issuer,
    sdk::sdk_config,
    secrets,
    surface::{Aws, surface},
};

/// Reads the configuration, looks up what is elsewhere, and opens the first connection to the
/// database, which would otherwise cost the first request.
pub(super) async fn start<P: Provider>(
    function: Function,
    equip: impl FnOnce(Aws, &SdkConfig, &Config) -> P,
) -> Result<Service<P>, Box<dyn Error + Send + Sync>> {
    let config = Config::read(function, Variables::of_this_process())?;
    let shared = sdk_config(&config);
    let aws = equip(Aws::new(&shared, &config)?, &shared, &config);
    let (identity, ()) = futures_util::future::join(
        secrets::load(&shared, &config),
        open_connection(aws.records()),
    )
    .await;
    let surface = surface(&config, identity?).map_err(|error| error.message)?;
    tracing::info!(function = function.name(), surface = %surface.id, "started");
    Ok(Service::new(aws, surface, issuers(&config)))
}

/// Handles events of one kind until Lambda ends the process.
pub(super) async fn serve<P, E, R>(
    service: Service<P>,
    handle: impl AsyncFn(&Service<P>, E, &Context) -> Result<R, LeftForLater>,
) -> Result<(), lambda_runtime::Error>
where
    P: Provider,
    E: DeserializeOwned,
    R: Serialize,
{
    let (service, handle) = (&service, &handle);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<E>| async move {
        let (event, context) = event.into_parts();
        handle(service, event, &context).await
    }))
    .await
}

impl From<LeftForLater> for Diagnostic {
    fn from(error: LeftForLater) -> Self {
        Self {
            error_type: "LeftForLater".into(),
            error_message: error.to_string(),
        }
    }
}

fn issuers(config: &Config) -> Vec<Issuer> {
    let cognito = config.cognito.iter();
    cognito.map(|cognito| issuer(config, cognito)).collect()
}

/// Reads what is never there. A database that does not answer now may do so for the first request.
async fn open_connection(records: &impl Records) {
    let nobody = Scope::Identity(Sha256::of(b"")).key(Sort::link());
    if let Err(error) = records.get(&nobody).await {
        let cause = Error::source(&error).map(ToString::to_string);
        tracing::warn!(%error, cause, "the table did not answer at start");
    }
}
