//! The cost of a read on the calling thread compared with a read on a blocking thread. The result
//! is the reason for reading on the threads of the runtime.

#![expect(clippy::unwrap_used, reason = "a benchmark may stop where it fails")]

#[path = "../tests/local/store/support.rs"]
#[expect(dead_code, reason = "the tests use the rest of it")]
mod support;

use std::sync::Arc;

use divan::Bencher;
use tokio::runtime::Runtime;
use wm_core::storage::{Key, Range, Sort};
use wm_local::records::SqliteRecords;
use wm_service::ports::Records;

use support::{creating, item, scope};

struct Fixture {
    runtime: Runtime,
    store: Arc<SqliteRecords>,
    _directory: tempfile::TempDir,
}

fn sort(number: u32) -> String {
    format!("JOURNAL#{number:020}")
}

/// A store with 50 scopes of 200 items of 600 bytes.
fn fixture() -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteRecords::open(&directory.path().join("workspace.sqlite")).unwrap();
    let runtime = Runtime::new().unwrap();
    for number in 0..50 {
        for from in [0, 50, 100, 150] {
            let items =
                (from..from + 50).map(|at| item(scope(number), &sort(at), 1, "x".repeat(600)));
            runtime
                .block_on(store.commit(&creating(scope(number), items)))
                .unwrap();
        }
    }
    Fixture {
        runtime,
        store: Arc::new(store),
        _directory: directory,
    }
}

fn key() -> Key {
    scope(25).key(Sort::from_stored(sort(77)))
}

#[divan::bench]
fn get_where_it_is_asked(bencher: Bencher<'_, '_>) {
    let fixture = fixture();
    let key = key();
    bencher.bench_local(|| fixture.runtime.block_on(fixture.store.get(&key)).unwrap());
}

#[divan::bench]
fn get_on_a_blocking_thread(bencher: Bencher<'_, '_>) {
    let fixture = fixture();
    let key = key();
    bencher.bench_local(|| {
        let (store, key) = (fixture.store.clone(), key.clone());
        let runtime = fixture.runtime.handle().clone();
        let read = move || runtime.block_on(store.get(&key));
        let read = async { tokio::task::spawn_blocking(read).await };
        fixture.runtime.block_on(read).unwrap().unwrap()
    });
}

#[divan::bench]
fn scan_of_100(bencher: Bencher<'_, '_>) {
    let fixture = fixture();
    let range = Range {
        limit: Some(100),
        ..Range::all(scope(25), "JOURNAL#")
    };
    bencher.bench_local(|| {
        fixture
            .runtime
            .block_on(fixture.store.scan(&range))
            .unwrap()
    });
}

fn main() {
    divan::main();
}
