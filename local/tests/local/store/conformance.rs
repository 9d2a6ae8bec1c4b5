//! The SQLite store behaves like the reference database of the core, on random commands.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use proptest::{collection::vec, option, prelude::*};
use tokio::runtime::Runtime;
use wm_core::{
    operation::Batch,
    storage::{
        Condition, Index, IndexKey, Item, Key, List, Operation, Range, Sort, memory::Memory,
    },
    value::Timestamp,
};
use wm_local::records::SqliteRecords;
use wm_service::ports::{CommitError, Records};
use wm_test_results::Recording;

use super::support::{batch, creating, etag, item, scope};

const SCOPES: u8 = 3;

#[derive(Debug, Clone)]
enum Command {
    /// Concurrent batches.
    Commit(Vec<Wanted>),
    Get(u8, String),
    Scan(Range),
    List(List),
}

/// A batch before the stored ETags are known.
#[derive(Debug, Clone)]
struct Wanted {
    scope: u8,
    operations: BTreeMap<String, (Change, Guess)>,
}

#[derive(Debug, Clone)]
enum Change {
    Put(Box<Item>),
    Delete,
}

#[derive(Debug, Clone, Copy)]
enum Guess {
    /// The condition that holds.
    Right,
    Absent,
    Matches(u64),
}

fn sort() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "#?[AB]{1,2}(#[0-2])?",
        1 => "[Aé\u{d7ff}\u{10ffff}\u{0}]{1,2}",
    ]
}

fn prefix() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "#",
        "[AB]{1,2}",
        "[é\u{d7ff}\u{10ffff}]"
    ]
}

fn index_key() -> impl Strategy<Value = IndexKey> {
    ("[PQ]", sort()).prop_map(|(partition, sort)| IndexKey { partition, sort })
}

fn change() -> impl Strategy<Value = Change> {
    let index = [index_key(), index_key(), index_key(), index_key()].map(option::of);
    let expires_at = option::of((0..9_i64).prop_map(Timestamp::from_millis));
    let put =
        (any::<u64>(), ".{0,40}", index, expires_at).prop_map(|(mark, body, index, expires_at)| {
            let item = Item {
                index,
                expires_at,
                ..item(scope(0), "", mark % 8, body)
            };
            Change::Put(Box::new(item))
        });
    prop_oneof![4 => put, 1 => Just(Change::Delete)]
}

fn guess() -> impl Strategy<Value = Guess> {
    prop_oneof![
        8 => Just(Guess::Right),
        1 => Just(Guess::Absent),
        1 => (0..8_u64).prop_map(Guess::Matches),
    ]
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let operations = proptest::collection::btree_map(sort(), (change(), guess()), 1..6);
    (0..SCOPES, operations).prop_map(|(scope, operations)| Wanted { scope, operations })
}

fn command() -> impl Strategy<Value = Command> {
    let scan = (
        0..SCOPES,
        prefix(),
        option::of(sort()),
        option::of(0..5_u32),
    )
        .prop_map(|(number, prefix, after, limit)| {
            Command::Scan(Range {
                scope: scope(number),
                prefix,
                after,
                limit,
            })
        });
    let index = (0..Index::ALL.len()).prop_map(|position| Index::ALL[position]);
    let between = (option::of(sort()), option::of(sort()));
    let list = (index, "[PQ]", prefix(), between, 0..6_u32).prop_map(
        |(index, partition, prefix, (after, until), limit)| {
            Command::List(List {
                index,
                partition,
                prefix,
                after,
                until,
                limit,
            })
        },
    );
    prop_oneof![
        4 => vec(wanted(), 1..4).prop_map(Command::Commit),
        1 => (0..SCOPES, sort()).prop_map(|(scope, sort)| Command::Get(scope, sort)),
        2 => scan,
        2 => list,
    ]
}

fn key(number: u8, sort: &str) -> Key {
    scope(number).key(Sort::from_stored(sort.into()))
}

/// The batch, with its right guesses replaced by the stored ETags.
fn resolve(wanted: Wanted, memory: &Memory) -> Batch {
    let operations = wanted
        .operations
        .into_iter()
        .map(|(sort, (change, guess))| {
            let key = key(wanted.scope, &sort);
            let condition = match guess {
                Guess::Absent => Condition::Absent,
                Guess::Matches(mark) => Condition::Matches(etag(mark)),
                Guess::Right => memory.get(&key).map_or(Condition::Absent, |item| {
                    Condition::Matches(item.etag.clone())
                }),
            };
            match change {
                Change::Put(item) => Operation::Put(Item { key, ..*item }, condition),
                Change::Delete => Operation::Delete(key.sort, condition),
            }
        });
    batch(scope(wanted.scope), operations.collect())
}

async fn carry_out(store: &SqliteRecords, memory: &mut Memory, command: Command) {
    match command {
        Command::Commit(wanted) => {
            let batches: Vec<Batch> = wanted
                .into_iter()
                .map(|wanted| resolve(wanted, memory))
                .collect();
            let results = join_all(batches.iter().map(|batch| store.commit(batch))).await;
            for (batch, result) in batches.iter().zip(results) {
                let carried_out = match result {
                    Ok(()) => true,
                    Err(CommitError::Conflict) => false,
                    Err(CommitError::Failed(error)) => panic!("{error:?}"),
                };
                assert_eq!(
                    carried_out,
                    memory.commit(batch.scope(), batch.operations()).is_ok(),
                    "{batch:?}"
                );
            }
        }
        Command::Get(number, sort) => {
            let key = key(number, &sort);
            assert_eq!(store.get(&key).await.unwrap().as_ref(), memory.get(&key));
        }
        Command::Scan(range) => {
            assert_eq!(
                store.scan(&range).await.unwrap(),
                memory.scan(&range),
                "{range:?}"
            );
        }
        Command::List(list) => {
            assert_eq!(
                store.list(&list).await.unwrap(),
                memory.list(&list),
                "{list:?}"
            );
        }
    }
}

async fn assert_same(store: &SqliteRecords, memory: &Memory) {
    for number in 0..SCOPES {
        let all = Range::all(scope(number), "");
        assert_eq!(store.scan(&all).await.unwrap(), memory.scan(&all));
    }
}

#[test]
fn store_behaves_like_the_reference_database() {
    let _recording = Recording::start();
    let config = ProptestConfig {
        cases: 64,
        ..ProptestConfig::with_source_file(file!())
    };
    proptest!(config, |(commands in vec(command(), 1..60))| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("workspace.sqlite");
        Runtime::new().unwrap().block_on(async {
            let store = SqliteRecords::open(&path).unwrap();
            let mut memory = Memory::default();
            for command in commands {
                carry_out(&store, &mut memory, command).await;
            }
            assert_same(&store, &memory).await;
            drop(store);
            assert_same(&SqliteRecords::open(&path).unwrap(), &memory).await;
        });
    });
}

#[tokio::test]
async fn every_scope_with_a_head_is_on_one_page() {
    let _recording = Recording::start();
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteRecords::open(&directory.path().join("workspace.sqlite")).unwrap();
    let mut memory = Memory::default();
    for number in 0..230 {
        // A scope without a journal has no head.
        let sorts = if number % 10 == 3 {
            ["A", "B"]
        } else {
            ["#0HEAD", "A"]
        };
        let items = sorts.map(|sort| item(scope(number), sort, 1, ""));
        let batch = creating(scope(number), items);
        store.commit(&batch).await.unwrap();
        memory.commit(batch.scope(), batch.operations()).unwrap();
    }
    let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = store.scopes(after).await.unwrap();
        found.extend(page.scopes);
        pages += 1;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, memory.scopes(None, u32::MAX).scopes);
    assert_eq!((found.len(), pages), (207, 3));
}
