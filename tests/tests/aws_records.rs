//! The database adapter does what core's reference database does, on two stand-ins for DynamoDB:
//! dynalite, which is strict about every expression, and ministack, which has transactions.

use aws_credential_types::{Credentials as Key, provider::SharedCredentialsProvider};
use proptest::{collection::vec, option, prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json};
use ulid::Ulid;
use wm_aws::{
    config::{Config, Function},
    records::DynamoRecords,
    sdk::sdk_config,
};
use wm_core::{
    storage::{
        Batch, Condition, ETag, Index, IndexKey, Item, List, Operation, Range, Scope, Sort,
        memory::Memory,
    },
    value::{AccountId, CommitId, Sha256, Timestamp, id::Id},
};
use wm_service::{
    ports::{CommitError, Records},
    variables::Variables,
};
use wm_tests::{
    emulators::{
        dynalite::Dynalite,
        ministack::{Credentials, Ministack},
    },
    surfaces::aws::resources::table,
};

/// How many random commands are compared.
const COMMANDS: usize = 400;

/// The adapter over a new table at this address.
async fn records(url: &str, name: &str) -> DynamoRecords {
    let call = async |operation: &str, body: &Value| {
        let target = format!("DynamoDB_20120810.{operation}");
        let headers = [
            ("content-type", "application/x-amz-json-1.0"),
            ("x-amz-target", target.as_str()),
        ];
        let body = body.to_string().into_bytes();
        let answered = Ministack::shared()
            .send_to(
                url,
                &Credentials::root(),
                "dynamodb",
                "POST",
                "/",
                &headers,
                body,
            )
            .await;
        assert_eq!(answered.status, 200, "{}", answered.text);
        answered.json()
    };
    call("CreateTable", &table(name)).await;
    while call("DescribeTable", &json!({ "TableName": name })).await["Table"]["TableStatus"]
        != "ACTIVE"
    {}
    let variables: Variables = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_DYNAMODB_TABLE", name),
        ("AWS_S3_BUCKET", "none"),
        ("AWS_ENDPOINT_URL", url),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into_iter()
    .collect();
    let config = Config::read(Function::Ingest, variables).unwrap();
    let key = Key::new("test", "test", None, None, "tests");
    let shared = sdk_config(&config).into_builder();
    let shared = shared
        .credentials_provider(SharedCredentialsProvider::new(key))
        .build();
    DynamoRecords::new(&shared, &config)
}

fn scope(number: u8) -> Scope {
    Scope::Account(AccountId::from_ulid(Ulid::from_parts(1, number.into())))
}

fn etag(number: u8) -> ETag {
    ETag::new(Sha256::of(&[number]))
}

#[derive(Debug, Clone)]
enum Command {
    /// Keys with what is to happen to each, and whether its condition is the one that holds.
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

/// The batch, its right guesses filled in from what is stored. A key stands in it once.
fn resolve(number: u8, changes: Vec<(String, Option<Box<Item>>, Guess)>, memory: &Memory) -> Batch {
    let mut operations: Vec<Operation> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
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

/// The item under this key. Its places in indexes are its own, as those of all our items are: the order
/// of equal ones is nobody's promise.
fn placed(number: u8, mut item: Item, key: wm_core::storage::Key) -> Item {
    for place in item.index.iter_mut().flatten() {
        place.sort = format!("{}{number}{}", place.sort, key.sort.as_str());
    }
    Item { key, ..item }
}

fn batch(scope: Scope, operations: Vec<Operation>) -> Batch {
    // A commit's id is its own, as the executor makes them: the request token depends on it.
    let commit_id = CommitId::from_ulid(Ulid::from_parts(2, rand_u128() >> 48));
    Batch {
        scope,
        commit_id,
        operations,
    }
}

fn rand_u128() -> u128 {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    u128::from_be_bytes(bytes)
}

async fn carry_out(records: &DynamoRecords, memory: &mut Memory, command: Command) {
    match command {
        Command::Commit(number, changes) => {
            let batch = resolve(number, changes, memory);
            let carried_out = match records.commit(&batch).await {
                Ok(()) => true,
                Err(CommitError::Conflict) => false,
                Err(CommitError::Failed(error)) => panic!("{batch:?}: {error:?}"),
            };
            assert_eq!(carried_out, memory.commit(&batch).is_ok(), "{batch:?}");
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

async fn assert_agree(records: &DynamoRecords, operations: usize) {
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

#[tokio::test]
async fn single_items_are_as_the_reference_has_them_on_dynalite() {
    let dynalite = Dynalite::start();
    assert_agree(&records(&dynalite.url, "wm-records").await, 1).await;
}

#[tokio::test]
async fn batches_are_as_the_reference_has_them_on_ministack() {
    let url = &Ministack::shared().url;
    assert_agree(&records(url, "wm-records-batches").await, 6).await;
}

/// Items of the most core allows, so many that no page of 1 MB holds them.
async fn assert_pages_hold_all(records: &DynamoRecords) {
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
        memory.commit(&create).unwrap();
    }
    for limit in [None, Some(1), Some(4), Some(10), Some(11), Some(12)] {
        let range = Range {
            limit,
            ..Range::all(scope(0), "LARGE#")
        };
        assert!(
            records.scan(&range).await.unwrap() == memory.scan(&range),
            "limit {limit:?}"
        );
        let list = List {
            index: Index::Gsi1,
            partition: "P".into(),
            prefix: String::new(),
            after: None,
            until: None,
            limit: limit.unwrap_or(100),
        };
        assert!(
            records.list(&list).await.unwrap() == memory.list(&list),
            "limit {limit:?}"
        );
    }
}

#[tokio::test]
async fn case_60_pages_of_a_megabyte_hold_every_item_once_on_dynalite() {
    let dynalite = Dynalite::start();
    assert_pages_hold_all(&records(&dynalite.url, "wm-pages").await).await;
}

#[tokio::test]
async fn case_60_pages_of_a_megabyte_hold_every_item_once_on_ministack() {
    let url = &Ministack::shared().url;
    assert_pages_hold_all(&records(url, "wm-records-pages").await).await;
}

/// The largest batch core makes goes through as one transaction, or not at all.
#[tokio::test]
async fn case_54_and_59_the_largest_batch_is_all_or_nothing() {
    let records = records(&Ministack::shared().url, "wm-records-largest").await;
    let small = |number: usize| Item {
        key: scope(0).key(Sort::from_stored(format!("ROW#{number:02}"))),
        index: Default::default(),
        etag: etag(1),
        body: "x".repeat(Batch::BYTES / Batch::OPERATIONS - 1024),
        expires_at: None,
    };
    let put = |condition: fn(usize) -> Condition| {
        let operations =
            (0..Batch::OPERATIONS).map(|number| Operation::Put(small(number), condition(number)));
        batch(scope(0), operations.collect())
    };
    let failing = put(|number| match number {
        50 => Condition::Matches(etag(7)),
        _ => Condition::Absent,
    });
    assert!(matches!(
        records.commit(&failing).await,
        Err(CommitError::Conflict)
    ));
    assert!(
        records
            .scan(&Range::all(scope(0), ""))
            .await
            .unwrap()
            .items
            .is_empty()
    );
    let largest = put(|_| Condition::Absent);
    largest.check().unwrap();
    records.commit(&largest).await.unwrap();
    // Sent again, as after a lost answer: the token says that it is done.
    records.commit(&largest).await.unwrap();
    let stored = records.scan(&Range::all(scope(0), "")).await.unwrap();
    assert_eq!(stored.items.len(), Batch::OPERATIONS);
}
