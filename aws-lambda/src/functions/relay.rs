//! `relay`: publishes committed journal entries from the stream of the table.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use lambda_runtime::{Context, Error};
use serde::{Deserialize, Serialize};
use wm_core::storage::{Item, Key, Sort};
use wm_service::{Service, ports::Provider};

use super::{RetryLater, start::serve};
use crate::records::{Attributes, from_attributes};

/// A batch of the table's stream.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>
#[derive(Debug, Deserialize)]
struct Batch {
    #[serde(rename = "Records", default)]
    records: Vec<Change>,
}

#[derive(Debug, Deserialize)]
struct Change {
    #[serde(rename = "eventName", default)]
    event_name: String,
    dynamodb: Images,
}

#[derive(Debug, Deserialize)]
struct Images {
    #[serde(rename = "SequenceNumber", default)]
    sequence_number: String,
    #[serde(rename = "NewImage", default)]
    new_image: BTreeMap<String, Attribute>,
}

/// An attribute in the format of the stream. Items of this program have texts and numbers only.
#[derive(Debug, Deserialize)]
enum Attribute {
    S(String),
    N(String),
    #[serde(untagged)]
    Other(serde::de::IgnoredAny),
}

/// The records to deliver again. The stream goes back to the first of them.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>
#[derive(Debug, Default, Serialize)]
struct Failures {
    #[serde(rename = "batchItemFailures")]
    batch_item_failures: Vec<Failure>,
}

#[derive(Debug, Serialize)]
struct Failure {
    #[serde(rename = "itemIdentifier")]
    item_identifier: String,
}

/// Runs the function.
///
/// # Errors
/// If the runtime interface of Lambda does not answer.
pub async fn relay<P: Provider>(service: Service<P>) -> Result<(), Error> {
    serve(service, publish).await
}

async fn publish(
    service: &Service<impl Provider>,
    batch: Batch,
    _: &Context,
) -> Result<Failures, RetryLater> {
    let total = batch.records.len();
    let entries: Vec<(String, Item)> = batch.records.into_iter().filter_map(entry).collect();
    let sequence: BTreeMap<Key, String> = entries
        .iter()
        .rev()
        .map(|(number, item)| (item.key.clone(), number.clone()))
        .collect();
    let items: Vec<Item> = entries.into_iter().map(|(_, item)| item).collect();
    let entries = items.len();
    let unpublished = service.publish(items, &|_| async { true }).await;
    tracing::info!(total, entries, left = unpublished.len(), "relayed");
    let failure = |key| {
        let item_identifier = sequence.get(&key)?.clone();
        Some(Failure { item_identifier })
    };
    let batch_item_failures = unpublished.into_iter().filter_map(failure).collect();
    Ok(Failures {
        batch_item_failures,
    })
}

/// The appended journal entry with its position in the stream. `None` for other changes. The event
/// source has the same filter; this check protects against a changed filter.
fn entry(change: Change) -> Option<(String, Item)> {
    if change.event_name != "INSERT" {
        return None;
    }
    let attributes: Attributes = change
        .dynamodb
        .new_image
        .into_iter()
        .filter_map(|(name, value)| match value {
            Attribute::S(text) => Some((name, AttributeValue::S(text))),
            Attribute::N(number) => Some((name, AttributeValue::N(number))),
            Attribute::Other(_) => None,
        })
        .collect();
    match from_attributes(&attributes) {
        Ok(item) if item.key.sort.as_str().starts_with(Sort::JOURNAL) => {
            Some((change.dynamodb.sequence_number, item))
        }
        Ok(_) => None,
        Err(error) => {
            tracing::error!(%error, "received an item of another program from the stream");
            None
        }
    }
}
