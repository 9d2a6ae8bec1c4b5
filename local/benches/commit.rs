//! The cost of a commit compared with the same rows written by bare rusqlite in the same run.
//!
//! The duration of a sync depends on the state of the disk, so only the ratio is meaningful. Both
//! sides alternate, commit by commit, and their medians are compared.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark may stop where it fails"
)]

#[path = "../tests/local/store/support.rs"]
#[expect(dead_code, reason = "the tests use the rest of it")]
mod support;

use std::{
    fmt::Write,
    path::Path,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use rusqlite::{Connection, params};
use tokio::runtime::Runtime;
use wm_core::{
    operation::Batch,
    storage::{Condition, IndexKey, Item, Operation, Scope},
};
use wm_local::records::SqliteRecords;
use wm_service::ports::Records;

use support::{creating_under, etag, item, scope};

/// The size in bytes of each body of a typical commit: the record, its listing row, the idempotency
/// record of the request, the journal entry and the head of the scope.
const BODY: usize = 600;

/// The commit with this number in a scope: four new items and the overwritten head.
fn typical(scope: Scope, number: u64) -> Batch {
    let body = "x".repeat(BODY);
    let new = |place: &str, indexed: bool| {
        let mut item = item(scope, &format!("{place}{number:020}"), number, body.clone());
        if indexed {
            item.index[0] = Some(IndexKey {
                partition: scope.to_string(),
                sort: format!("{place}{number:020}"),
            });
        }
        item
    };
    let head = match number {
        0 => Condition::Absent,
        _ => Condition::Matches(etag(number - 1)),
    };
    let items = [
        new("TEAM#", true),
        new("MEMBER#", true),
        new("IDEM#", false),
        new("JOURNAL#", false),
    ];
    let item = item(scope, "#0HEAD", number, body);
    creating_under(scope, items, item, head)
}

/// The same rows in a file with the same format, written by hand.
fn raw(directory: &Path) -> Connection {
    let path = directory.join("raw.sqlite");
    // The store creates the file, so that tables, indexes and page size are the same.
    drop(SqliteRecords::open(&path).unwrap());
    let connection = Connection::open(path).unwrap();
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .unwrap();
    connection
        .pragma_update(None, "synchronous", "FULL")
        .unwrap();
    connection
}

fn write_raw(connection: &mut Connection, batch: &Batch) {
    let transaction = connection.transaction().unwrap();
    let partition = batch.scope().to_string();
    for operation in batch.operations() {
        let Operation::Put(
            Item {
                key,
                index,
                etag,
                body,
                ..
            },
            condition,
        ) = operation
        else {
            unreachable!("typical batches only put")
        };
        let (sort, etag) = (key.sort.as_str(), etag.as_str());
        let index = index[0].as_ref();
        let (gsi1pk, gsi1sk) = (index.map(|key| &key.partition), index.map(|key| &key.sort));
        let changed = match condition {
            Condition::Absent => transaction
                .prepare_cached(
                    "INSERT INTO items (pk, sk, etag, body, gsi1pk, gsi1sk) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )
                .unwrap()
                .execute(params![partition, sort, etag, body, gsi1pk, gsi1sk]),
            Condition::Matches(before) => transaction
                .prepare_cached("UPDATE items SET etag = ?3, body = ?4 WHERE pk = ?1 AND sk = ?2 AND etag = ?5")
                .unwrap()
                .execute(params![partition, sort, etag, body, before.as_str()]),
        };
        assert_eq!(changed.unwrap(), 1);
    }
    transaction.commit().unwrap();
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Commits one after another, alternating between the store and bare rusqlite.
fn compare(runtime: &Runtime, rounds: u64) -> String {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteRecords::open(&directory.path().join("store.sqlite")).unwrap();
    let mut connection = raw(directory.path());
    let (mut store_times, mut raw_times) = (Vec::new(), Vec::new());
    for number in 0..rounds {
        let batch = typical(scope(1), number);
        let start = Instant::now();
        runtime.block_on(store.commit(&batch)).unwrap();
        store_times.push(start.elapsed());
        let start = Instant::now();
        write_raw(&mut connection, &batch);
        raw_times.push(start.elapsed());
    }
    let (store_times, raw_times) = (median(store_times), median(raw_times));
    let ratio = store_times.as_secs_f64() / raw_times.as_secs_f64();
    format!(
        "one writer: store {store_times:?}, bare rusqlite {raw_times:?}, ratio {ratio:.2} (at most 1.5)\n"
    )
}

/// Commits per second with this many scopes and one writer per scope.
fn throughput(runtime: &Runtime, scopes: u8, commits: u64) -> f64 {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteRecords::open(&directory.path().join("store.sqlite")).unwrap();
    let store = &store;
    let start = Instant::now();
    runtime.block_on(join_all((0..scopes).map(|number| async move {
        for commit in 0..commits {
            store.commit(&typical(scope(number), commit)).await.unwrap();
        }
    })));
    f64::from(scopes) * commits as f64 / start.elapsed().as_secs_f64()
}

#[expect(clippy::print_stdout, reason = "a benchmark reports")]
fn main() {
    let runtime = Runtime::new().unwrap();
    let mut report = compare(&runtime, 3_000);
    for scopes in [1, 4, 16, 64] {
        let rate = throughput(&runtime, scopes, 6_400 / (4 + u64::from(scopes)));
        writeln!(
            report,
            "{scopes} scopes at once: {rate:.0} commits a second"
        )
        .unwrap();
    }
    println!("{report}");
}
