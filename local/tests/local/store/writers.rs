//! Concurrent writers.

use std::sync::Arc;

use futures_util::future::join_all;
use wm_core::{
    storage::{Condition, Operation},
    value::Timestamp,
};
use wm_local::records::SqliteRecords;
use wm_service::ports::{CommitError, Records};

use super::{
    stored,
    support::{batch, creating, creating_under, etag, item, scope},
};

fn store() -> (tempfile::TempDir, SqliteRecords) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteRecords::open(&directory.path().join("workspace.sqlite")).unwrap();
    (directory, store)
}

/// Reads the counter and commits the next number with an entry, as an operation does with the head
/// and the journal of its scope.
async fn count_up(store: &SqliteRecords) {
    let scope = scope(1);
    let _scope_lock = store.lock_scope(scope).await;
    let head = item(scope, "#0HEAD", 0, "");
    let (before, condition) = match store.get(&head.key).await.unwrap() {
        None => (0, Condition::Absent),
        Some(head) => (head.body.parse().unwrap(), Condition::Matches(head.etag)),
    };
    let count: u64 = before + 1;
    let head = item(scope, "#0HEAD", count, count.to_string());
    let entry = item(scope, &format!("JOURNAL#{count:020}"), count, "");
    let batch = creating_under(scope, [entry], head, condition);
    store.commit(&batch).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_of_one_scope_all_succeed_without_gaps() {
    let (_directory, store) = store();
    let store = Arc::new(store);
    let writers = (0..64).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            for _ in 0..4 {
                count_up(&store).await;
            }
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    let entries = stored(&store, 1, "JOURNAL#").await;
    let wanted: Vec<String> = (1..=256).map(|at| format!("JOURNAL#{at:020}")).collect();
    let found: Vec<&str> = entries.iter().map(|item| item.key.sort.as_str()).collect();
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn case_51_one_of_the_writers_with_the_same_read_succeeds() {
    let (_directory, store) = store();
    store
        .commit(&creating(scope(1), [item(scope(1), "A", 1, "before")]))
        .await
        .unwrap();
    let rivals: Vec<_> = (2..40)
        .map(|mark| {
            let change = item(scope(1), "A", mark, format!("by {mark}"));
            let mark_own = item(scope(1), &format!("B{mark}"), mark, "");
            let create = Operation::Put(mark_own, Condition::Absent);
            let change = Operation::Put(change, Condition::Matches(etag(1)));
            batch(scope(1), vec![create, change])
        })
        .collect();
    let neighbours: Vec<_> = (2..40)
        .map(|number| creating(scope(number), [item(scope(number), "A", 1, "")]))
        .collect();
    let mixed = rivals
        .iter()
        .zip(&neighbours)
        .flat_map(|(rival, other)| [rival, other]);
    let results = join_all(mixed.map(|batch| store.commit(batch))).await;
    let (rivals, neighbours): (Vec<_>, Vec<_>) = results
        .chunks(2)
        .map(|pair| (pair[0].is_ok(), pair[1].is_ok()))
        .unzip();
    assert_eq!(rivals.iter().filter(|won| **won).count(), 1);
    assert!(neighbours.iter().all(|done| *done));
    // The writes of a loser before its failed condition are rolled back.
    let traces = stored(&store, 1, "B").await;
    assert_eq!(traces.len(), 1);
}

#[tokio::test]
async fn batch_with_a_key_of_another_scope_is_refused() {
    let (_directory, store) = store();
    let stray = creating(scope(1), [item(scope(2), "A", 1, "")]);
    let refused = store.commit(&stray).await;
    assert!(matches!(refused, Err(CommitError::Conflict)), "{refused:?}");
    assert_eq!(stored(&store, 2, "").await, []);
}

#[tokio::test]
async fn case_62_expired_items_are_returned_until_they_are_collected() {
    let (_directory, store) = store();
    let now = Timestamp::from_millis(1_000);
    let expiring = |number: u32, at: i64| {
        let mut item = item(scope(1), &format!("IDEM#{number:04}"), 1, "");
        item.expires_at = Some(Timestamp::from_millis(at));
        item
    };
    for part in 0..15 {
        let items = (0..80).map(|number| expiring(part * 80 + number, 1_000));
        store.commit(&creating(scope(1), items)).await.unwrap();
    }
    let stays = [expiring(9_999, 1_001), item(scope(1), "TEAM", 1, "")];
    store
        .commit(&creating(scope(1), stays.clone()))
        .await
        .unwrap();
    assert_eq!(stored(&store, 1, "").await.len(), 1_202);
    assert_eq!(store.collect_garbage(now).await.unwrap(), 1_200);
    assert_eq!(stored(&store, 1, "").await, stays);
    assert_eq!(store.collect_garbage(now).await.unwrap(), 0);
}
