//! `notify`: mails what the bus carries.

use lambda_runtime::{Context, Error};
use serde_json::Value;
use wm_core::record::CloudEvent;
use wm_service::{Service, ports::Provider};

use super::{
    LeftForLater,
    events::BusEvent,
    start::{serve, start},
};
use crate::{config::Function, mail::SesMail, surface::Aws};

/// Runs the function.
///
/// # Errors
/// When it cannot be configured.
pub async fn notify<P: Provider>(surface: impl FnOnce(Aws) -> P) -> Result<(), Error> {
    let equip =
        |aws: Aws, shared: &_, config: &_| surface(aws.with_mail(SesMail::new(shared, config)));
    let service = start(Function::Notify, equip).await?;
    serve(service, mail).await
}

/// What fails is delivered again, and in the end kept as a dead letter.
async fn mail(
    service: &Service<impl Provider>,
    event: BusEvent,
    _: &Context,
) -> Result<Value, LeftForLater> {
    let event: CloudEvent = serde_json::from_value(event.detail).map_err(|error| {
        tracing::error!(%error, "the bus carried something that is no event of ours");
        LeftForLater
    })?;
    if service.notify(&event).await {
        Ok(Value::Null)
    } else {
        Err(LeftForLater)
    }
}
