//! `ingest`: completes uploads whose bytes arrived.

use lambda_runtime::{Context, Error};
use serde_json::Value;
use wm_core::storage::ObjectPath;
use wm_service::{Service, ports::Provider};

use super::{
    RetryLater,
    events::{BusEvent, ObjectCreated},
    start::serve,
};

/// Runs the function.
///
/// # Errors
/// If the runtime interface of Lambda does not answer.
pub async fn ingest<P: Provider>(service: Service<P>) -> Result<(), Error> {
    serve(service, complete).await
}

/// Completes an upload. Events of other buckets, and of objects that are not uploads, are dropped.
async fn complete(
    service: &Service<impl Provider>,
    event: BusEvent,
    _: &Context,
) -> Result<Value, RetryLater> {
    let bucket = service.surface().selection.name("storage.bucket");
    let Ok(ObjectCreated {
        bucket: found,
        object,
    }) = serde_json::from_value(event.detail)
    else {
        tracing::error!("an event names no object");
        return Ok(Value::Null);
    };
    if Some(found.name.as_str()) != bucket {
        tracing::warn!("an event is for another bucket");
        return Ok(Value::Null);
    }
    let Ok(path) = object.key.parse::<ObjectPath>() else {
        tracing::warn!("a created object is not an upload");
        return Ok(Value::Null);
    };
    match service.ingest(&path).await {
        Ok(()) => Ok(Value::Null),
        Err(problem) => {
            let internal = problem.internal.as_deref();
            tracing::warn!(%path, %problem, internal, "could not complete an upload");
            Err(RetryLater)
        }
    }
}
