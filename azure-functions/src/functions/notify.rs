//! `notify`: mails what the bus carries.

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

/// What fails is delivered again, and in the end kept as a dead letter.
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
        tracing::error!(%error, "the bus carried something that is no event of ours");
        RetryLater
    })?;
    let event = committed(service, &event).await?;
    if service.notify(&event).await {
        Ok(())
    } else {
        Err(RetryLater)
    }
}

/// The event of the entry that this event says it is of, in the entry's own words.
async fn committed(
    service: &Service<impl Provider>,
    event: &CloudEvent,
) -> Result<CloudEvent, RetryLater> {
    let (surface, sequence) = (event.data.surface, event.data.seq);
    let key = event.data.scope.key(Sort::journal(surface, sequence));
    let item = match service.provider().records().get(&key).await {
        Ok(Some(item)) => item,
        Ok(None) => {
            tracing::error!(%key, "the bus carried an event of no entry");
            return Err(RetryLater);
        }
        Err(error) => {
            let cause = error.source().map(ToString::to_string);
            tracing::warn!(%key, %error, cause, "the entry of an event could not be read");
            return Err(RetryLater);
        }
    };
    let entry = Record::<JournalEntry>::decode(&item).map_err(|error| {
        tracing::error!(%key, %error, "the entry of an event cannot be read");
        RetryLater
    })?;
    Ok(CloudEvent::of(&entry.body))
}
