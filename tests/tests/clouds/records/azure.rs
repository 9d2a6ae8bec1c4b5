//! The emulator in the Cosmos DB SDK. Besides the common scenarios: sort keys as item names, ETags
//! of the service, the status of each failure, lost answers, and charges of calls.

use std::time::Instant;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use wm_azure::{
    config::{Config, Role},
    metrics::metered,
    records::{CosmosRecords, Document, from_document},
    sdk::Sdk,
};
use wm_core::{
    operation::Batch,
    storage::{
        Condition, Index, IndexKey, Item, Key, List, Operation, Range, Scope, Sort, memory::Memory,
    },
    value::{Sha256, Timestamp},
};
use wm_service::{
    ports::{CommitError, PortErrorKind, Records},
    variables::Variables,
};
use wm_test_results::Recording;
use wm_tests::{
    emulators::cosmos::{AUDIENCE, Cosmos, DATABASE, OneToken, identity, token},
    issuer::TestIssuer,
    reference::{assert_agree, assert_pages_hold_all, batch, etag},
};

use super::{Store, batches_match_the_reference, every_scope_with_a_head_is_on_one_page};
use crate::harness::scenarios;

scenarios! { OnePartition:
    single_items_match_the_reference,
    case_54_and_59_largest_batch_is_all_or_nothing,
}

mod partitions {
    use super::*;

    scenarios! { ThreePartitions:
        batches_match_the_reference,
        every_scope_with_a_head_is_on_one_page,
    }
}

/// A container on one physical partition.
struct OnePartition;

impl Store for OnePartition {
    type Records = CosmosRecords;

    async fn records(name: &str) -> CosmosRecords {
        records(Cosmos::shared(), name, 1).await
    }

    /// The items exist already. Their bodies identify them as the executor's own.
    async fn assert_repeats(records: &CosmosRecords, committed: &Batch) {
        let repeated = records.commit(committed).await;
        assert!(matches!(repeated, Err(CommitError::Conflict)));
    }
}

/// A container on many physical partitions.
struct ThreePartitions;

impl Store for ThreePartitions {
    type Records = CosmosRecords;

    async fn records(name: &str) -> CosmosRecords {
        records(Cosmos::shared(), name, 3).await
    }
}

fn config(url: &str, container: &str) -> Config {
    let variables: Variables = [
        ("AZURE_COSMOS_ACCOUNT", "tests"),
        ("AZURE_COSMOS_ENDPOINT", url),
        ("AZURE_COSMOS_DATABASE", DATABASE),
        ("AZURE_COSMOS_CONTAINER", container),
        ("AZURE_STORAGE_ACCOUNT", "none"),
        ("AZURE_STORAGE_CONTAINER", "none"),
        ("AZURE_ENTRA_ISSUER", "https://issuer"),
        ("AZURE_ENTRA_TENANT", "none"),
        ("AZURE_ENTRA_CLIENTS", "none"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into_iter()
    .collect();
    Config::read(Role::Api, variables).unwrap()
}

fn adapter_of(cosmos: &Cosmos, container: &str, token: std::sync::Arc<OneToken>) -> CosmosRecords {
    let sdk = Sdk::acting_as(token.clone(), token, reqwest::Client::new());
    CosmosRecords::new(&sdk, &config(&cosmos.url, container)).unwrap()
}

/// Another process over the same container, with an empty ETag cache.
fn adapter(cosmos: &Cosmos, container: &str) -> CosmosRecords {
    adapter_of(cosmos, container, OneToken::good())
}

/// The adapter over a new container with this number of physical partitions.
async fn records(cosmos: &Cosmos, container: &str, partitions: u32) -> CosmosRecords {
    cosmos.container(container, partitions).await;
    adapter(cosmos, container)
}

fn scope() -> Scope {
    Scope::Email(Sha256::of(b"scope"))
}

fn key(sort: &str) -> Key {
    scope().key(Sort::from_stored(sort.to_owned()))
}

fn item(sort: &str, mark: u8) -> Item {
    Item {
        key: key(sort),
        index: Default::default(),
        etag: etag(mark),
        body: format!("state {mark}"),
        expires_at: None,
    }
}

fn create(item: Item) -> Operation {
    Operation::Put(item, Condition::Absent)
}

fn replace(item: Item, mark: u8) -> Operation {
    Operation::Put(item, Condition::Matches(etag(mark)))
}

/// The outcome of a commit as one word.
async fn commit(records: &CosmosRecords, operations: Vec<Operation>) -> &'static str {
    match records.commit(&batch(scope(), operations)).await {
        Ok(()) => "done",
        Err(CommitError::Conflict) => "conflict",
        Err(CommitError::Failed(error)) => named(error.kind),
    }
}

async fn get(records: &CosmosRecords, sort: &str) -> Result<Option<Item>, &'static str> {
    let answer = records.get(&key(sort)).await;
    answer.map_err(|error| named(error.kind))
}

fn named(kind: PortErrorKind) -> &'static str {
    match kind {
        PortErrorKind::Throttled => "throttled",
        PortErrorKind::Unavailable => "unavailable",
        PortErrorKind::Refused => "refused",
        PortErrorKind::Full => "full",
    }
}

/// The number of requests of this kind to the container.
async fn count(cosmos: &Cosmos, container: &str, operation: &str) -> usize {
    let requests = cosmos.requests(&format!("/colls/{container}/docs")).await;
    let of_kind = requests
        .iter()
        .filter(|request| request["operation"] == operation);
    of_kind.count()
}

/// The service may end a page at any item, here after two.
#[tokio::test]
async fn case_60_every_item_is_read_once_at_any_page_size() {
    let cosmos = Cosmos::start("Strong");
    let records = records(&cosmos, "pages", 3).await;
    cosmos
        .control(Method::POST, "pages", &json!({ "items": 2 }))
        .await;
    assert_agree(&records, 6).await;
    let paged = count(&cosmos, "pages", "query").await;
    cosmos
        .control(Method::DELETE, "requests", &Value::Null)
        .await;
    cosmos.container("large-pages", 3).await;
    assert_pages_hold_all(&adapter(&cosmos, "large-pages")).await;
    assert!(
        paged > 100 && count(&cosmos, "large-pages", "query").await > 20,
        "{paged}"
    );
}

/// Bodies of the maximum size in which every character is escaped on the wire.
#[tokio::test]
async fn case_59_largest_items_are_stored_unchanged() {
    let records = records(Cosmos::shared(), "items", 1).await;
    for (number, text) in ["\"", "\\", "\u{1}", "é", "😀"].into_iter().enumerate() {
        let sort = format!("LARGE#{number}");
        let body = text.repeat((Batch::ITEM_BYTES - 4096) / text.len());
        let large = Item {
            body,
            ..item(&sort, 1)
        };
        assert_eq!(commit(&records, vec![create(large.clone())]).await, "done");
        assert!(get(&records, &sort).await.unwrap() == Some(large));
    }
    let larger = Item {
        body: "x".repeat(3 << 20),
        ..item("LARGER", 1)
    };
    assert_eq!(commit(&records, vec![create(larger)]).await, "refused");
}

#[tokio::test]
async fn sort_keys_that_differ_in_one_character_are_distinct() {
    let records = records(Cosmos::shared(), "characters", 2).await;
    let mut memory = Memory::default();
    let characters = (' '..='~').chain(['\u{7f}', 'é', '😀']);
    let sorts: Vec<String> = characters
        .flat_map(|character| {
            [
                format!("K{character}"),
                format!("{character}K"),
                character.to_string(),
            ]
        })
        .chain(["..".into(), "##".into(), "K%2FK".into(), "K~2FK".into()])
        .collect();
    let sorts: std::collections::BTreeSet<String> = sorts.into_iter().collect();
    let items: Vec<Item> = sorts.iter().map(|sort| item(sort, 1)).collect();
    for chunk in items.chunks(Batch::OPERATIONS) {
        let create = batch(scope(), chunk.iter().cloned().map(create).collect());
        records.commit(&create).await.unwrap();
        memory.commit(create.scope(), create.operations()).unwrap();
    }
    for sort in &sorts {
        assert_eq!(
            get(&records, sort).await.unwrap(),
            Some(item(sort, 1)),
            "{sort:?}"
        );
        // In a single operation, the name is in the URL and not in a body.
        let changed = item(sort, 2);
        assert_eq!(
            commit(&records, vec![replace(changed, 1)]).await,
            "done",
            "{sort:?}"
        );
        let change = batch(scope(), vec![replace(item(sort, 2), 1)]);
        memory.commit(change.scope(), change.operations()).unwrap();
    }
    let all = Range::all(scope(), "");
    assert_eq!(records.scan(&all).await.unwrap(), memory.scan(&all));
}

#[tokio::test]
async fn case_62_expired_item_is_still_returned() {
    let records = records(Cosmos::shared(), "expired", 1).await;
    let expired = Item {
        expires_at: Some(Timestamp::from_millis(1)),
        ..item("IDEM#1", 1)
    };
    assert_eq!(
        commit(&records, vec![create(expired.clone())]).await,
        "done"
    );
    assert_eq!(get(&records, "IDEM#1").await.unwrap(), Some(expired));
}

#[tokio::test]
async fn change_feed_contains_the_items() {
    let cosmos = Cosmos::shared();
    let records = records(cosmos, "feed", 2).await;
    let entries: Vec<Item> = (0..5)
        .map(|number| item(&format!("JOURNAL#{number}"), 1))
        .collect();
    let operations = entries.iter().cloned().map(create).collect();
    assert_eq!(commit(&records, operations).await, "done");
    let shown = |documents: Vec<Value>| -> Vec<Item> {
        let documents = documents.into_iter();
        let documents =
            documents.map(|document| serde_json::from_value::<Document>(document).unwrap());
        documents
            .map(|document| from_document(&document).unwrap())
            .collect()
    };
    let (documents, mark) = cosmos.changes("feed", &Value::Null).await;
    assert_eq!(shown(documents), entries);
    assert_eq!(
        commit(&records, vec![replace(item("JOURNAL#2", 2), 1)]).await,
        "done"
    );
    let (documents, mark) = cosmos.changes("feed", &mark).await;
    assert_eq!(shown(documents), [item("JOURNAL#2", 2)]);
    assert!(cosmos.changes("feed", &mark).await.0.is_empty());
}

/// A cached ETag is only a condition. A stale one costs one read.
#[tokio::test]
async fn stale_service_etag_loses_nothing() {
    let cosmos = Cosmos::shared();
    let ours = records(cosmos, "stale", 1).await;
    let theirs = adapter(cosmos, "stale");
    for pair in [vec![item("A", 1)], vec![item("B", 1), item("C", 1)]] {
        let operations = |mark: u8, before: u8| -> Vec<Operation> {
            let changed = |item: &Item| Item {
                body: format!("state {mark}"),
                etag: etag(mark),
                ..item.clone()
            };
            pair.iter()
                .map(|item| replace(changed(item), before))
                .collect()
        };
        let first = &pair[0].key.sort.to_string();
        assert_eq!(
            commit(&ours, pair.iter().cloned().map(create).collect()).await,
            "done"
        );
        // Another process overwrote it with the same state: the condition holds.
        assert_eq!(commit(&theirs, operations(1, 1)).await, "done");
        assert_eq!(commit(&ours, operations(2, 1)).await, "done");
        // Another process wrote another state.
        assert_eq!(commit(&theirs, operations(3, 2)).await, "done");
        assert_eq!(commit(&ours, operations(4, 2)).await, "conflict");
        assert_eq!(get(&ours, first).await.unwrap().unwrap().body, "state 3");
        assert_eq!(commit(&ours, operations(4, 3)).await, "done");
        // Another process removed it.
        let removed = pair
            .iter()
            .map(|item| Operation::Delete(item.key.sort.clone(), Condition::Matches(etag(4))));
        assert_eq!(commit(&theirs, removed.collect()).await, "done");
        assert_eq!(commit(&ours, operations(5, 4)).await, "conflict");
        assert_eq!(get(&ours, first).await.unwrap(), None);
    }
}

#[tokio::test]
async fn unread_item_is_read_before_it_is_replaced() {
    let cosmos = Cosmos::shared();
    let writer = records(cosmos, "unread", 1).await;
    assert_eq!(commit(&writer, vec![create(item("A", 1))]).await, "done");
    let wrote = count(cosmos, "unread", "write").await;
    let newcomer = adapter(cosmos, "unread");
    assert_eq!(
        commit(&newcomer, vec![replace(item("A", 3), 2)]).await,
        "conflict"
    );
    assert_eq!(
        count(cosmos, "unread", "write").await,
        wrote,
        "nothing was sent to be refused"
    );
    assert_eq!(
        commit(&newcomer, vec![replace(item("A", 2), 1)]).await,
        "done"
    );
    let read = count(cosmos, "unread", "read").await;
    assert_eq!(
        commit(&newcomer, vec![replace(item("A", 3), 2)]).await,
        "done"
    );
    assert_eq!(
        count(cosmos, "unread", "read").await,
        read,
        "what it wrote it knows"
    );
}

#[tokio::test]
async fn case_51_one_of_many_concurrent_writers_succeeds() {
    let _recording = Recording::start();
    let cosmos = Cosmos::shared();
    let first = records(cosmos, "race", 1).await;
    assert_eq!(commit(&first, vec![create(item("A", 0))]).await, "done");
    let writers: Vec<CosmosRecords> = (0..8).map(|_| adapter(cosmos, "race")).collect();
    for records in &writers {
        get(records, "A").await.unwrap();
    }
    for round in 0..4 {
        let raced = writers.iter().zip(1_u8..).map(async |(records, number)| {
            let held = get(records, "A").await.unwrap().unwrap();
            let wanted = item("A", 8 * (round + 1) + number);
            let condition = Condition::Matches(held.etag);
            commit(records, vec![Operation::Put(wanted, condition)]).await
        });
        let outcomes = join_all(raced).await;
        let won = outcomes
            .iter()
            .filter(|outcome| **outcome == "done")
            .count();
        // A writer that read late enough to see the winner may win after it.
        assert!(
            won >= 1
                && outcomes
                    .iter()
                    .all(|outcome| ["done", "conflict"].contains(outcome))
        );
    }
    let created = writers.iter().zip(1_u8..).map(async |(records, number)| {
        commit(
            records,
            vec![create(item("B", number)), create(item("C", number))],
        )
        .await
    });
    let created = join_all(created).await;
    assert_eq!(
        created.iter().filter(|outcome| **outcome == "done").count(),
        1,
        "{created:?}"
    );
}

/// Every status of a single operation, for each kind of call.
#[tokio::test]
async fn case_58_each_status_has_one_meaning_on_every_call() {
    let cosmos = Cosmos::start("Strong");
    let records = records(&cosmos, "statuses", 1).await;
    assert_eq!(
        commit(&records, vec![create(item("A", 1)), create(item("B", 1))]).await,
        "done"
    );
    for (status, substatus, expected) in [
        (429, 3200, "throttled"),
        (503, 0, "unavailable"),
        (500, 0, "unavailable"),
        (408, 0, "unavailable"),
        (403, 0, "refused"),
        (401, 0, "refused"),
        (400, 0, "refused"),
        (413, 0, "refused"),
    ] {
        let fault = json!({
            "kind": "status", "status": status, "substatus": substatus, "times": 9, "milliseconds": 1,
        });
        cosmos.fail(&fault).await;
        let said = format!("{status}/{substatus}");
        assert_eq!(get(&records, "A").await, Err(expected), "{said}");
        let scanned = records.scan(&Range::all(scope(), "")).await;
        assert_eq!(named(scanned.unwrap_err().kind), expected, "{said}");
        assert_eq!(
            commit(&records, vec![create(item("N", 1))]).await,
            expected,
            "{said}"
        );
        let two = vec![create(item("N", 1)), create(item("O", 1))];
        assert_eq!(commit(&records, two).await, expected, "{said}");
        cosmos.clear_faults().await;
    }
    // A brief failure is not reported.
    for fault in [
        json!({ "kind": "status", "status": 429, "milliseconds": 5 }),
        json!({ "kind": "status", "status": 449 }),
        json!({ "kind": "status", "status": 503, "operation": "read" }),
    ] {
        cosmos.fail(&fault).await;
        assert_eq!(get(&records, "A").await, Ok(Some(item("A", 1))), "{fault}");
        assert_eq!(cosmos.clear_faults().await, 0, "{fault}");
    }
}

/// Every answer to a batch.
#[tokio::test]
async fn case_57_failed_batch_is_judged_by_its_operations() {
    let cosmos = Cosmos::start("Strong");
    let records = records(&cosmos, "judged", 1).await;
    for (operations, expected) in [
        (json!([424, 409]), "conflict"),
        (json!([412, 424]), "conflict"),
        (json!([404, 424]), "conflict"),
        (json!([424, 429]), "throttled"),
        (json!([449, 424]), "throttled"),
        (json!([413, 424]), "refused"),
        (json!([400, 424]), "refused"),
        (json!([424, 408]), "unavailable"),
        (json!([503, 424]), "unavailable"),
        (json!([424, 424]), "unavailable"),
        (json!([]), "unavailable"),
    ] {
        let fault = json!({ "kind": "status", "status": 207, "operation": "batch", "operations": operations });
        cosmos.fail(&fault).await;
        let two = vec![create(item("A", 1)), create(item("B", 1))];
        assert_eq!(commit(&records, two).await, expected, "{operations}");
        assert_eq!(cosmos.clear_faults().await, 0);
    }
    assert!(
        records
            .scan(&Range::all(scope(), ""))
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

/// After a lost answer the outcome is unknown, or the SDK has sent the write again over another
/// connection and conflicted with itself, which the executor resolves. No write happens twice or in
/// part.
#[tokio::test]
async fn case_52_lost_answer_is_an_unknown_outcome() {
    let cosmos = Cosmos::start("Strong");
    let records = records(&cosmos, "lost", 1).await;
    // Connects.
    assert_eq!(get(&records, "A").await, Ok(None));
    for (sort, operation, kind) in [
        ("A", "write", "drop-after"),
        ("B", "batch", "drop-after"),
        ("C", "write", "status-after"),
        ("D", "batch", "status-after"),
    ] {
        cosmos
            .fail(&json!({ "kind": kind, "operation": operation }))
            .await;
        let mut operations = vec![create(item(sort, 1))];
        if operation == "batch" {
            operations.push(create(item(&format!("{sort}#2"), 1)));
        }
        let before = count(&cosmos, "lost", operation).await;
        let outcome = commit(&records, operations.clone()).await;
        let sent = count(&cosmos, "lost", operation).await - before;
        match kind {
            "drop-after" => assert!(
                (sent == 1 && outcome == "unavailable") || (sent == 2 && outcome == "conflict"),
                "{sort}: {outcome} after {sent}"
            ),
            _ => assert_eq!((sent, outcome), (1, "unavailable"), "{sort}"),
        }
        assert_eq!(get(&records, sort).await, Ok(Some(item(sort, 1))), "{sort}");
        assert_eq!(commit(&records, operations).await, "conflict", "{sort}");
    }
    let fault = json!({ "kind": "drop", "operation": "write", "times": 9 });
    cosmos.fail(&fault).await;
    assert_eq!(
        commit(&records, vec![create(item("E", 1))]).await,
        "unavailable"
    );
    assert_eq!(get(&records, "E").await, Ok(None));
    // A read is retried at once.
    cosmos
        .fail(&json!({ "kind": "drop", "operation": "read" }))
        .await;
    assert_eq!(get(&records, "A").await, Ok(Some(item("A", 1))));
}

#[tokio::test]
async fn calls_never_exceed_their_timeout() {
    let cosmos = Cosmos::start("Strong");
    let records = records(&cosmos, "slow", 1).await;
    assert_eq!(commit(&records, vec![create(item("A", 1))]).await, "done");
    cosmos
        .fail(&json!({ "kind": "delay", "times": 99, "milliseconds": 20_000 }))
        .await;
    let everything = Range::all(scope(), "");
    let begun = Instant::now();
    let answers = futures_util::join!(
        get(&records, "A"),
        commit(&records, vec![create(item("B", 1))]),
        commit(&records, vec![create(item("C", 1)), create(item("D", 1))]),
        records.scan(&everything),
    );
    assert!(begun.elapsed().as_secs() < 6, "{:?}", begun.elapsed());
    assert_eq!(answers.0, Err("unavailable"));
    assert_eq!((answers.1, answers.2), ("unavailable", "unavailable"));
    assert_eq!(named(answers.3.unwrap_err().kind), "unavailable");
    cosmos.clear_faults().await;
    // A call does not wait if the service asks for a much later retry.
    let busy = json!({ "kind": "status", "status": 429, "times": 99, "milliseconds": 60_000 });
    cosmos.fail(&busy).await;
    let begun = Instant::now();
    assert!(["throttled", "unavailable"].contains(&get(&records, "A").await.unwrap_err()));
    assert!(begun.elapsed().as_secs() < 6, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn tokens_of_other_identities_are_refused() {
    let cosmos = Cosmos::shared();
    let records = records(cosmos, "tokens", 1).await;
    assert_eq!(commit(&records, vec![create(item("A", 1))]).await, "done");
    let forger = TestIssuer::rsa(&identity().name, "cosmos");
    for bad in [
        token(&forger, AUDIENCE, 3600),
        token(identity(), "https://storage.azure.com", 3600),
        token(identity(), AUDIENCE, -1),
        "nothing".to_owned(),
    ] {
        let stranger = adapter_of(cosmos, "tokens", OneToken::of(bad));
        assert_eq!(get(&stranger, "A").await, Err("refused"));
    }
}

/// An account with weaker consistency could return an old state.
#[tokio::test]
async fn account_without_strong_consistency_is_refused() {
    let cosmos = Cosmos::start("Session");
    let records = records(&cosmos, "session", 1).await;
    assert_eq!(get(&records, "A").await, Err("refused"));
    let scanned = records.scan(&Range::all(scope(), "")).await;
    assert_eq!(named(scanned.unwrap_err().kind), "refused");
}

#[tokio::test]
async fn container_created_later_is_found() {
    let cosmos = Cosmos::shared();
    cosmos.container("another", 1).await;
    let records = adapter(cosmos, "late");
    assert!(get(&records, "A").await.is_err());
    cosmos.container("late", 1).await;
    assert_eq!(get(&records, "A").await, Ok(None));
}

#[tokio::test]
async fn calls_and_charges_are_counted() {
    let records = records(Cosmos::shared(), "meter", 1).await;
    let (missed, took) = metered(get(&records, "A")).await;
    assert_eq!(missed, Ok(None));
    assert_eq!(took.calls, 1, "a miss is a call like any other");
    let placed = Item {
        index: [
            Some(IndexKey {
                partition: "P".into(),
                sort: "1".into(),
            }),
            None,
            None,
            None,
        ],
        ..item("A", 1)
    };
    let two = vec![replace(placed.clone(), 1), create(item("B", 1))];
    for operations in [vec![create(placed)], two] {
        let (committed, took) = metered(commit(&records, operations)).await;
        assert_eq!(committed, "done");
        assert!(
            took.calls == 1 && took.write_units > 0.0 && took.read_units == 0.0,
            "{took:?}"
        );
    }
    let list = List {
        index: Index::Gsi1,
        partition: "P".into(),
        prefix: String::new(),
        after: None,
        until: None,
        limit: 10,
    };
    let all = Range::all(scope(), "");
    let reads = async { (records.list(&list).await, records.scan(&all).await) };
    let ((listed, scanned), took) = metered(reads).await;
    assert_eq!(listed.unwrap().items.len(), 1);
    assert_eq!(scanned.unwrap().items.len(), 2);
    assert!(
        took.calls == 2 && took.read_units > 0.0 && took.write_units == 0.0,
        "{took:?}"
    );
}
