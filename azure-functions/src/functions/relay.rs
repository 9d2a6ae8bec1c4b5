//! `relay`: publishes what the container's change feed says was committed.

use std::{collections::BTreeSet, error::Error};

use serde::Deserialize;
use serde_json::Value;
use wm_core::{
    record::{JournalEntry, Record},
    storage::{Item, Key, Scope, Sort},
};
use wm_service::{Service, ports::Provider};

use super::{RetryLater, stored};

/// A changed document: as much of it as is read.
#[derive(Debug, Deserialize)]
struct Change {
    pk: String,
    sk: String,
    /// Where unfinished work is listed. An entry that is not there was published: the feed hands it over
    /// once more because of that very change.
    gsi1pk: Option<String>,
}

/// Fails when anything is left, and the whole batch is then delivered again; what was published by then
/// is published no second time, because it is read anew.
pub(super) async fn publish(
    service: &Service<impl Provider>,
    documents: Vec<Value>,
) -> Result<(), RetryLater> {
    let total = documents.len();
    let keys: BTreeSet<Key> = documents.into_iter().filter_map(unpublished).collect();
    if keys.is_empty() {
        return Ok(());
    }
    let (items, unread) = waiting(service, keys).await;
    let entries = items.len();
    let left = service.publish(items, &|_| async { true }).await.len();
    tracing::info!(total, entries, left, unread, "relayed");
    if left + unread > 0 {
        return Err(RetryLater);
    }
    Ok(())
}

/// The key of a journal entry that says it waits to be published; `None` for any other change.
fn unpublished(document: Value) -> Option<Key> {
    let Ok(change) = serde_json::from_value::<Change>(document) else {
        tracing::error!("the change feed carried something that is no item of ours");
        return None;
    };
    if !change.sk.starts_with(Sort::JOURNAL) || change.gsi1pk.is_none() {
        return None;
    }
    match change.pk.parse::<Scope>() {
        Ok(scope) => Some(scope.key(Sort::from_stored(change.sk))),
        Err(error) => {
            tracing::error!(%error, "the change feed carried an entry of no scope");
            None
        }
    }
}

/// The entries that are stored at these keys and wait to be published, and how many could not be read.
async fn waiting(service: &Service<impl Provider>, keys: BTreeSet<Key>) -> (Vec<Item>, usize) {
    let (mut items, mut unread) = (Vec::new(), 0);
    for (key, read) in stored::items(service.provider().records(), keys).await {
        match read {
            Ok(Some(item)) if is_publishable(&item) => items.push(item),
            Ok(Some(_)) => {}
            Ok(None) => tracing::error!(%key, "an entry was told of that is not stored"),
            Err(error) => {
                let cause = error.source().map(ToString::to_string);
                tracing::warn!(%key, %error, cause, "an entry could not be read");
                unread += 1;
            }
        }
    }
    (items, unread)
}

/// One that cannot be read as an entry is left to the sweep, so that it does not hold the feed up.
fn is_publishable(item: &Item) -> bool {
    if item.index.iter().all(Option::is_none) {
        return false;
    }
    Record::<JournalEntry>::decode(item)
        .inspect_err(
            |error| tracing::error!(key = %item.key, %error, "an entry is left to the sweep"),
        )
        .is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_entries_that_wait_are_looked_up() {
        let scope = "ACCOUNT#acc_01jd0000000000000000000000";
        let sort = "JOURNAL#srf_01jd0000000000000000000000_00001#00000000000000000001";
        let change = |pk: &str, sk: &str, gsi: Option<&str>| {
            unpublished(json!({ "id": "x", "pk": pk, "sk": sk, "gsi1pk": gsi, "_ts": 1 }))
        };
        let key = change(scope, sort, Some("WORK#1")).unwrap();
        assert_eq!(key.scope.to_string(), scope);
        assert_eq!(key.sort.as_str(), sort);
        assert_eq!(change(scope, sort, None), None);
        assert_eq!(change(scope, "#0HEAD", Some("WORK#1")), None);
        assert_eq!(change("ACCOUNT#x", sort, Some("WORK#1")), None);
        for foreign in [json!(7), json!({}), json!({ "pk": 1, "sk": 2 }), json!([])] {
            assert_eq!(unpublished(foreign), None);
        }
    }
}
