//! `notify`: sends mails for events of the bus.

use lambda_runtime::{Context, Error};
use serde_json::Value;
use wm_core::record::CloudEvent;
use wm_service::{Service, ports::Provider};

use super::{RetryLater, events::BusEvent, start::serve};

/// Runs the function.
///
/// # Errors
/// If the runtime interface of Lambda does not answer.
pub async fn notify<P: Provider>(service: Service<P>) -> Result<(), Error> {
    serve(service, mail).await
}

/// A failed event is delivered again. After the last attempt it becomes a dead letter.
async fn mail(
    service: &Service<impl Provider>,
    event: BusEvent,
    _: &Context,
) -> Result<Value, RetryLater> {
    let event: CloudEvent = serde_json::from_value(event.detail).map_err(|error| {
        tracing::error!(%error, "received an event of another program from the bus");
        RetryLater
    })?;
    if service.notify(&event).await {
        Ok(Value::Null)
    } else {
        Err(RetryLater)
    }
}
