//! `relay`: publishes committed journal entries from the change feed of the container.

use std::{collections::BTreeSet, error::Error};

use serde::Deserialize;
use serde_json::Value;
use wm_core::{
    record::{JournalEntry, Record},
    storage::{Item, Key, Scope, Sort},
};
use wm_service::{Service, ports::Provider};

use super::{RetryLater, stored};

/// The used part of a changed document.
#[derive(Debug, Deserialize)]
struct Change {
    pk: String,
    sk: String,
    /// The partition of unfinished work. An entry without it was published, and the feed delivers
    /// it again because of that change.
    gsi1pk: Option<String>,
}

/// Publishes the entries of a batch. It fails if an entry stays unpublished, and the host then
/// delivers the whole batch again. Published entries are not published twice, because each entry is
/// read again.
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
    let remaining = service.publish(items, &|_| async { true }).await.len();
    tracing::info!(total, entries, left = remaining, unread, "relayed");
    if remaining + unread > 0 {
        return Err(RetryLater);
    }
    Ok(())
}

/// The key of a journal entry that waits to be published. `None` for other changes.
fn unpublished(document: Value) -> Option<Key> {
    let Ok(change) = serde_json::from_value::<Change>(document) else {
        tracing::error!("received an item of another program from the change feed");
        return None;
    };
    if !change.sk.starts_with(Sort::JOURNAL) || change.gsi1pk.is_none() {
        return None;
    }
    match change.pk.parse::<Scope>() {
        Ok(scope) => Some(scope.key(Sort::from_stored(change.sk))),
        Err(error) => {
            tracing::error!(%error, "received an entry without a scope from the change feed");
            None
        }
    }
}

/// The stored entries at these keys that wait to be published, and the number of failed reads.
async fn waiting(service: &Service<impl Provider>, keys: BTreeSet<Key>) -> (Vec<Item>, usize) {
    let (mut items, mut unread) = (Vec::new(), 0);
    for (key, read) in stored::items(service.provider().records(), keys).await {
        match read {
            Ok(Some(item)) if is_publishable(&item) => items.push(item),
            Ok(Some(_)) => {}
            Ok(None) => tracing::error!(%key, "the change feed names an entry that is not stored"),
            Err(error) => {
                let cause = error.source().map(ToString::to_string);
                tracing::warn!(%key, %error, cause, "could not read an entry");
                unread += 1;
            }
        }
    }
    (items, unread)
}

/// An entry that cannot be decoded is left to the sweep, so that it does not block the feed.
fn is_publishable(item: &Item) -> bool {
    if item.index.iter().all(Option::is_none) {
        return false;
    }
    Record::<JournalEntry>::decode(item)
        .inspect_err(|error| tracing::error!(key = %item.key, %error, "left an entry to the sweep"))
        .is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_waiting_entries_are_read() {
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
