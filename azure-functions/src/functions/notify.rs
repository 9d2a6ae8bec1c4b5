//! `notify`: sends mails for events of the bus.

use std::error::Error;

use serde_json::Value;
use wm_core::{
    record::{CloudEvent, JournalEntry, Record},
    storage::Sort,
};
use wm_service::{
    Service,
    ports::{Provider, Records},
};

use super::RetryLater;

/// A failed event is delivered again. After the last attempt it becomes a dead letter.
pub(super) async fn mail(
    service: &Service<impl Provider>,
    events: Vec<Value>,
) -> Result<(), RetryLater> {
    let mails = events.into_iter().map(|event| mail_one(service, event));
    let mailed = futures_util::future::join_all(mails).await;
    mailed.into_iter().collect()
}

async fn mail_one(service: &Service<impl Provider>, event: Value) -> Result<(), RetryLater> {
    let event: CloudEvent = serde_json::from_value(event).map_err(|error| {
        tracing::error!(%error, "received an event of another program from the bus");
        RetryLater
    })?;
    let event = committed(service, &event).await?;
    if service.notify(&event).await {
        Ok(())
    } else {
        Err(RetryLater)
    }
}

/// The event of the stored entry that this event names. The stored entry counts, not the received
/// text.
async fn committed(
    service: &Service<impl Provider>,
    event: &CloudEvent,
) -> Result<CloudEvent, RetryLater> {
    let (surface, sequence) = (event.data.surface, event.data.seq);
    let key = event.data.scope.key(Sort::journal(surface, sequence));
    let item = match service.provider().records().get(&key).await {
        Ok(Some(item)) => item,
        Ok(None) => {
            tracing::error!(%key, "received an event without a stored entry");
            return Err(RetryLater);
        }
        Err(error) => {
            let cause = error.source().map(ToString::to_string);
            tracing::warn!(%key, %error, cause, "could not read the entry of an event");
            return Err(RetryLater);
        }
    };
    let entry = Record::<JournalEntry>::decode(&item).map_err(|error| {
        tracing::error!(%key, %error, "cannot decode the entry of an event");
        RetryLater
    })?;
    Ok(CloudEvent::of(&entry.body))
}
