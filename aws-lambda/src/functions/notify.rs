//! `notify`: mails what the bus carries.

use lambda_runtime::{Context, Error};
use serde_json::Value;
use wm_core::record::CloudEvent;
use wm_service::{Service, ports::Provider};

use super::{RetryLater, events::BusEvent, start::serve};

/// Runs the function.
///
/// # Errors
/// When Lambda's runtime interface does not answer.
pub async fn notify<P: Provider>(service: Service<P>) -> Result<(), Error> {
    serve(service, mail).await
}

/// What fails is delivered again, and in the end kept as a dead letter.
async fn mail(
    service: &Service<impl Provider>,
    event: BusEvent,
    _: &Context,
) -> Result<Value, RetryLater> {
    let event: CloudEvent = serde_json::from_value(event.detail).map_err(|error| {
        tracing::error!(%error, "the bus carried something that is no event of ours");
        RetryLater
    })?;
    if service.notify(&event).await {
        Ok(Value::Null)
    } else {
        Err(RetryLater)
    }
}
