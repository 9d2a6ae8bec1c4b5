//! Comparison of a database adapter with the core's reference database.

use std::collections::BTreeSet;

use proptest::{collection::vec, option, prelude::*, strategy::ValueTree, test_runner::TestRunner};
use ulid::Ulid;
use wm_core::{
    operation::Batch,
    storage::{
        Condition, ETag, Index, IndexKey, Item, Key, List, Operation, Page, Range, Scope, Sort,
        memory::Memory,
    },
    value::{AccountId, CommitId, Sha256, Timestamp, id::Id},
};
use wm_service::ports::{CommitError, Records};

/// The number of random commands.
const COMMANDS: usize = 400;

/// One of a few scopes.
pub fn scope(number: u8) -> Scope {
    Scope::Account(AccountId::from_ulid(Ulid::from_parts(1, number.into())))
}

/// One of a few ETags.
pub fn etag(number: u8) -> ETag {
    ETag::new(Sha256::of(&[number]))
}

#[derive(Debug, Clone)]
enum Command {
    /// The keys with their new items, and whether each condition is the one that holds.
    Commit(u8, Vec<(String, Option<Box<Item>>, Guess)>),
    Get(u8, String),
    Scan(Range),
    List(List),
}

#[derive(Debug, Clone, Copy)]
enum Guess {
    Right,
    Absent,
    Matches(u8),
}

fn sort() -> impl Strategy<Value = String> {
    "#?[AB]{1,2}(#[0-2~])?"
}

fn prefix() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("#".to_owned()),
        "[AB]{1,2}",
        "[AB]#"
    ]
}

fn item() -> impl Strategy<Value = Item> {
    let place = || ("[PQ]", sort()).prop_map(|(partition, sort)| IndexKey { partition, sort });
    let index = [place(), place(), place(), place()].map(option::of);
    let expires_at = option::of((0..9_i64).prop_map(Timestamp::from_millis));
    (0..8_u8, ".{0,40}", index, expires_at).prop_map(|(mark, body, index, expires_at)| Item {
        key: scope(0).key(Sort::head()),
        index,
        etag: etag(mark),
        body,
        expires_at,
    })
}

fn guess() -> impl Strategy<Value = Guess> {
    prop_oneof![
        6 => Just(Guess::Right),
        1 => Just(Guess::Absent),
        1 => (0..8_u8).prop_map(Guess::Matches),
    ]
}

fn command(operations: usize) -> impl Strategy<Value = Command> {
    let change = (
        sort(),
        option::weighted(0.8, item().prop_map(Box::new)),
        guess(),
    );
    let commit = (0..3_u8, vec(change, 1..=operations));
    let scan = (0..3_u8, prefix(), option::of(sort()), option::of(0..5_u32));
    let scan = scan.prop_map(|(number, prefix, after, limit)| {
        let scope = scope(number);
        Command::Scan(Range {
            scope,
            prefix,
            after,
            limit,
        })
    });
    let ends = (option::of(sort()), option::of(sort()));
    let list = (0..Index::ALL.len(), "[PQ]", prefix(), ends, 0..6_u32);
    let list = list.prop_map(|(index, partition, prefix, (after, until), limit)| {
        let index = Index::ALL[index];
        Command::List(List {
            index,
            partition,
            prefix,
            after,
            until,
            limit,
        })
    });
    prop_oneof![
        4 => commit.prop_map(|(scope, changes)| Command::Commit(scope, changes)),
        1 => (0..3_u8, sort()).prop_map(|(scope, sort)| Command::Get(scope, sort)),
        2 => scan,
        2 => list,
    ]
}

/// The batch, with right guesses replaced by the stored ETags. Each key occurs once.
fn resolve(number: u8, changes: Vec<(String, Option<Box<Item>>, Guess)>, memory: &Memory) -> Batch {
    let mut operations: Vec<Operation> = Vec::new();
    let mut seen = BTreeSet::new();
    for (sort, item, guess) in changes {
        if !seen.insert(sort.clone()) {
            continue;
        }
        let key = scope(number).key(Sort::from_stored(sort));
        let condition = match guess {
            Guess::Absent => Condition::Absent,
            Guess::Matches(mark) => Condition::Matches(etag(mark)),
            Guess::Right => memory.get(&key).map_or(Condition::Absent, |item| {
                Condition::Matches(item.etag.clone())
            }),
        };
        operations.push(match item {
            Some(item) => Operation::Put(placed(number, *item, key), condition),
            None => Operation::Delete(key.sort, condition),
        });
    }
    batch(scope(number), operations)
}

/// The item under this key. Its index keys are unique, like those of all our items: the order of
/// equal ones is undefined.
fn placed(number: u8, mut item: Item, key: Key) -> Item {
    for place in item.index.iter_mut().flatten() {
        place.sort = format!("{}{number}{}", place.sort, key.sort.as_str());
    }
    Item { key, ..item }
}

/// A commit of these operations.
#[must_use]
pub fn batch(scope: Scope, operations: Vec<Operation>) -> Batch {
    // Each commit has its own id, like those of the executor: the request token depends on it.
    let commit_id = CommitId::from_ulid(Ulid::from_parts(2, random() >> 48));
    Batch::unchecked(scope, commit_id, operations)
}

fn random() -> u128 {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    u128::from_be_bytes(bytes)
}

async fn carry_out(records: &impl Records, memory: &mut Memory, command: Command) {
    match command {
        Command::Commit(number, changes) => {
            let batch = resolve(number, changes, memory);
            let carried_out = match records.commit(&batch).await {
                Ok(()) => true,
                Err(CommitError::Conflict) => false,
                Err(CommitError::Failed(error)) => panic!("{batch:?}: {error:?}"),
            };
            assert_eq!(
                carried_out,
                memory.commit(batch.scope(), batch.operations()).is_ok(),
                "{batch:?}"
            );
        }
        Command::Get(number, sort) => {
            let key = scope(number).key(Sort::from_stored(sort));
            assert_eq!(records.get(&key).await.unwrap().as_ref(), memory.get(&key));
        }
        Command::Scan(range) => {
            let found = records.scan(&range).await.unwrap();
            assert_eq!(found, memory.scan(&range), "{range:?}");
        }
        Command::List(list) => {
            let found = records.list(&list).await.unwrap();
            assert_eq!(found, memory.list(&list), "{list:?}");
        }
    }
}

/// Runs random commands on both, with at most this number of operations per commit, and compares
/// every answer.
pub async fn assert_agree(records: &impl Records, operations: usize) {
    let mut runner = TestRunner::deterministic();
    let commands = vec(command(operations), COMMANDS);
    let commands = commands.new_tree(&mut runner).unwrap().current();
    let mut memory = Memory::default();
    for command in commands {
        carry_out(records, &mut memory, command).await;
    }
    for number in 0..3 {
        let all = Range::all(scope(number), "");
        let kept = memory.scan(&all);
        assert!(!kept.items.is_empty(), "something is stored in the end");
        assert_eq!(records.scan(&all).await.unwrap(), kept);
    }
}

/// Checks that reads return every item once, with so many items of the maximum size that no page of
/// 1 MB holds them.
pub async fn assert_pages_hold_all(records: &impl Records) {
    let large = |number: u32| Item {
        key: scope(0).key(Sort::from_stored(format!("LARGE#{number:02}"))),
        index: [
            Some(IndexKey {
                partition: "P".into(),
                sort: format!("{number:02}"),
            }),
            None,
            None,
            None,
        ],
        etag: etag(1),
        body: "x".repeat(Batch::ITEM_BYTES - 4096),
        expires_at: None,
    };
    let mut memory = Memory::default();
    for number in 0..11 {
        let create = batch(
            scope(0),
            vec![Operation::Put(large(number), Condition::Absent)],
        );
        records.commit(&create).await.unwrap();
        memory.commit(create.scope(), create.operations()).unwrap();
    }
    for limit in [None, Some(1), Some(4), Some(10), Some(11), Some(12)] {
        let range = Range {
            limit,
            ..Range::all(scope(0), "LARGE#")
        };
        assert_same(&records.scan(&range).await.unwrap(), &memory.scan(&range));
        let list = List {
            index: Index::Gsi1,
            partition: "P".into(),
            prefix: String::new(),
            after: None,
            until: None,
            limit: limit.unwrap_or(100),
        };
        assert_same(&records.list(&list).await.unwrap(), &memory.list(&list));
    }
}

/// Compares large items without printing them.
fn assert_same(found: &Page, wanted: &Page) {
    let sorts = |page: &Page| -> Vec<Sort> {
        let sorts = page.items.iter().map(|item| item.key.sort.clone());
        sorts.collect()
    };
    assert_eq!((sorts(found), found.more), (sorts(wanted), wanted.more));
    assert!(
        found == wanted,
        "the same keys, with something else under them"
    );
}

/// The largest batch of the core, with these conditions.
#[must_use]
pub fn largest(condition: fn(usize) -> Condition) -> Batch {
    let small = |number: usize| Item {
        key: scope(0).key(Sort::from_stored(format!("ROW#{number:02}"))),
        index: Default::default(),
        etag: etag(1),
        body: "x".repeat(Batch::BYTES / Batch::OPERATIONS - 1024),
        expires_at: None,
    };
    let operations =
        (0..Batch::OPERATIONS).map(|number| Operation::Put(small(number), condition(number)));
    batch(scope(0), operations.collect())
}

/// Checks that the largest batch is stored as a whole or not at all. Returns the stored batch.
pub async fn assert_largest_is_all_or_nothing(records: &impl Records) -> Batch {
    let failing = largest(|number| match number {
        50 => Condition::Matches(etag(7)),
        _ => Condition::Absent,
    });
    let all = Range::all(scope(0), "");
    assert!(matches!(
        records.commit(&failing).await,
        Err(CommitError::Conflict)
    ));
    assert!(records.scan(&all).await.unwrap().items.is_empty());
    let largest = largest(|_| Condition::Absent);
    largest.check().unwrap();
    records.commit(&largest).await.unwrap();
    let stored = records.scan(&all).await.unwrap();
    assert_eq!(stored.items.len(), Batch::OPERATIONS);
    largest
}

/// Checks that pages hold every scope with a head once, and that a walk may begin again after any scope
/// that ended a page. Some scopes have many items, and one has no head.
pub async fn assert_scopes_are_walked(records: &impl Records) {
    const SCOPES: u8 = 230;
    let item = |number: u8, sort: Sort| Item {
        key: scope(number).key(sort),
        index: Default::default(),
        etag: etag(1),
        body: String::new(),
        expires_at: None,
    };
    let row = |number: usize| Sort::from_stored(format!("ROW#{number:03}"));
    let put = |item| Operation::Put(item, Condition::Absent);
    for number in 0..SCOPES {
        let large = number % 100 == 7;
        let mut operations = vec![put(item(number, Sort::head()))];
        operations.extend((0..80 * usize::from(large)).map(|at| put(item(number, row(at)))));
        let created = records.commit(&batch(scope(number), operations)).await;
        created.unwrap();
    }
    let headless = batch(scope(SCOPES), vec![put(item(SCOPES, row(1)))]);
    records.commit(&headless).await.unwrap();
    let (mut after, mut all, mut ends) = (None, Vec::new(), Vec::new());
    loop {
        let page = records.scopes(after).await.unwrap();
        all.extend(page.scopes);
        after = page.next;
        match after {
            Some(end) => ends.push((end, all.len())),
            None => break,
        }
    }
    assert!(ends.len() > 1, "one page holds all scopes");
    for (end, before) in [ends[0], ends[ends.len() - 1]] {
        let page = records.scopes(Some(end)).await.unwrap();
        assert!(all[before..].starts_with(&page.scopes));
    }
    let wanted: BTreeSet<Scope> = (0..SCOPES).map(scope).collect();
    assert_eq!(all.len(), wanted.len());
    assert_eq!(BTreeSet::from_iter(all), wanted);
}
