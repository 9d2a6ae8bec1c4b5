//! Data of an older layout is brought up to date while the surface is in use.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    sync::Arc,
    time::Duration,
};

use serde_json::json;
use ulid::Ulid;
use wm_core::{
    operation::Batch,
    record::{Author, Clock, Head, Layout, Record, Usage},
    storage::{
        Condition, ETag, IndexKey, IndexRows, Item, Operation, Scope, Sort, Work, WorkPartitions,
    },
    value::{CommitId, ProjectId, Sha256, SurfaceId, id::Id},
};
use wm_service::{
    ports::{Provider, Records},
    sweeper::Sweeper,
};
use wm_tests::{
    client::{Person, declaration},
    faults::{self, Fault, Moment},
    harness::Harness,
    surfaces::memory::MemorySurface,
};

/// More calls than a walk over the data of these tests makes.
const CALLS: usize = 400;

fn dump(surface: &MemorySurface) -> Vec<Item> {
    surface.memory().records.dump()
}

fn head(item: &Item) -> Option<Record<Head>> {
    (item.key.sort == Sort::head()).then(|| Record::decode(item).unwrap())
}

fn layout(surface: &MemorySurface) -> Option<Layout> {
    let items = dump(surface);
    let layout = items.iter().find(|item| item.key == Layout::only_key());
    layout.map(|item| Record::decode(item).unwrap().body)
}

async fn put(surface: &MemorySurface, item: Item, condition: Condition) {
    let scope = item.key.scope;
    let commit_id = CommitId::from_ulid(Ulid::nil());
    let batch = Batch::unchecked(scope, commit_id, vec![Operation::Put(item, condition)]);
    surface.memory().records.commit(&batch).await.unwrap();
}

/// Ana and Ben each own an account. Ana has two projects with two open uploads each, and has invited
/// Cleo. Nothing is published.
async fn prepare(surface: &MemorySurface) -> [String; 2] {
    let [ana, ben] = ["ana", "ben"].map(|name| Person::new(surface, name));
    let account = ana.account().await;
    ben.account().await;
    let projects = [ana.project(&account).await, ana.project(&account).await];
    for project in &projects {
        let artifacts = format!("/v1/projects/{project}/artifacts");
        for name in ["a.txt", "b.txt"] {
            ana.post(&artifacts, declaration(name, b"text"))
                .await
                .expect(201);
        }
    }
    let invitations = format!("/v1/accounts/{account}/invitations");
    let invitation = json!({ "email": "cleo@example.com", "role": "member" });
    ana.post(&invitations, invitation).await.expect(201);
    projects
}

/// Gives the data the layout of format 1: heads without counters, and unfinished work of all kinds in
/// the same partitions.
async fn age(surface: &MemorySurface) {
    age_rows(surface).await;
    for item in dump(surface) {
        let condition = Condition::Matches(item.etag.clone());
        if let Some(head) = head(&item) {
            let body = Head {
                usage: None,
                ..head.body.clone()
            };
            let (clock, at, by) = (head.clock.clone(), head.updated_at, head.updated_by);
            put(
                surface,
                head.next(body, false, clock, at, by).encode(),
                condition,
            )
            .await;
        }
    }
}

async fn age_rows(surface: &MemorySurface) {
    for (number, item) in dump(surface).into_iter().enumerate() {
        let condition = Condition::Matches(item.etag.clone());
        if let Some(row) = item.work() {
            let rows = IndexRows::unfinished_work_of_format_1();
            let partition = rows[number % rows.len()].clone().list(1).partition;
            let row = IndexKey {
                partition,
                ..row.clone()
            };
            put(surface, item.with_work(row), condition).await;
        }
    }
}

fn sweeper(surface: &MemorySurface) -> Sweeper<impl Provider> {
    Sweeper::new(Arc::clone(&surface.service), Duration::ZERO)
}

async fn walk(surface: &MemorySurface) {
    let sweeper = sweeper(surface);
    while sweeper.walk(|| true).await {}
}

/// What the data says, apart from the counters that only a walk keeps.
fn state(surface: &MemorySurface) -> BTreeMap<String, (String, Option<Usage>, Item)> {
    let items = dump(surface).into_iter();
    let records = items.filter(|item| item.key != Layout::only_key());
    records
        .map(|item| match head(&item) {
            Some(head) => {
                let Head {
                    seq,
                    hash,
                    usage,
                    counting,
                    ..
                } = head.body;
                assert_eq!(counting, None);
                // The body and the ETag of a head cover its counters.
                let (body, etag) = (String::new(), ETag::new(Sha256::of(b"")));
                let item = Item { body, etag, ..item };
                (item.key.to_string(), (format!("{seq} {hash}"), usage, item))
            }
            None => (item.key.to_string(), (String::new(), None, item)),
        })
        .collect()
}

#[tokio::test]
async fn case_134_reindex_goes_on_after_a_crash_at_any_call() {
    let control = MemorySurface::new();
    prepare(&control).await;
    let expected = state(&control);
    for moment in [Moment::Before, Moment::After] {
        for call in 1..CALLS {
            let surface = MemorySurface::new();
            prepare(&surface).await;
            age(&surface).await;
            let records = &surface.service.provider().records;
            let ended = records.until_crash(call, moment, walk(&surface)).await;
            walk(&surface).await;
            let layout = layout(&surface).unwrap();
            assert_eq!((layout.number, layout.reindex), (Layout::CURRENT, None));
            assert!(state(&surface) == expected, "{moment:?} {call}");
            if ended.is_some() {
                assert!(call > 40, "there are steps to interrupt");
                break;
            }
            assert!(call + 1 < CALLS, "the walk does not end");
        }
    }
}

#[tokio::test]
async fn reindex_goes_on_after_database_faults() {
    let control = MemorySurface::new();
    prepare(&control).await;
    let expected = state(&control);
    for operation in [faults::Operation::Read, faults::Operation::Commit] {
        for fault in [
            Fault::FailBefore,
            Fault::LoseAnswer,
            Fault::Throttle,
            Fault::Conflict,
        ] {
            if operation == faults::Operation::Read && fault == Fault::Conflict {
                continue;
            }
            for passed in [0, 1, 2, 5, 9] {
                let surface = MemorySurface::new();
                prepare(&surface).await;
                age(&surface).await;
                let records = &surface.service.provider().records;
                records.inject_many(operation, Fault::Pass, passed);
                records.inject_many(operation, fault, 2);
                for _ in 0..4 {
                    walk(&surface).await;
                }
                assert_eq!(layout(&surface).unwrap().reindex, None);
                assert!(
                    state(&surface) == expected,
                    "{operation:?} {fault:?} {passed}"
                );
            }
        }
    }
}

#[tokio::test]
async fn work_is_found_in_both_layouts_until_all_of_it_is_moved() {
    let surface = MemorySurface::new();
    let projects = prepare(&surface).await;
    age(&surface).await;
    let ana = Person::new(&surface, "ana");
    let rename = json!({ "name": "Later" });
    ana.patch(&format!("/v1/projects/{}", projects[0]), rename)
        .await
        .expect(200);
    let entries = dump(&surface);
    let entries = entries
        .iter()
        .filter(|item| item.key.sort.is_journal())
        .count();
    surface.drain().await;
    assert_eq!(surface.events().await.len(), entries);
    surface
        .pass(Duration::from_secs(31 * 24 * 60 * 60))
        .unwrap();
    assert_eq!(sweeper(&surface).finish_jobs().await.unwrap().finished, 4);
}

/// A function of the old release may write after the walk of the new one, while it is replaced.
#[tokio::test]
async fn work_of_an_old_program_is_found_by_the_next_walk() {
    let surface = MemorySurface::new();
    prepare(&surface).await;
    walk(&surface).await;
    let expected = state(&surface);
    age_rows(&surface).await;
    walk(&surface).await;
    assert!(state(&surface) != expected);
    surface.pass(Duration::from_secs(6 * 60 * 60)).unwrap();
    walk(&surface).await;
    assert!(state(&surface) == expected);
}

#[tokio::test]
async fn ready_shows_the_progress_of_a_reindex() {
    let surface = MemorySurface::new();
    prepare(&surface).await;
    age(&surface).await;
    let shown = async || {
        let ready = Person::new(&surface, "ana").get("/health/ready").await;
        ready.expect(200).body["layout"].clone()
    };
    assert_eq!(shown().await, json!({ "status": "waiting", "number": 1 }));
    let sweeper = sweeper(&surface);
    assert!(sweeper.walk(|| true).await);
    let begun = json!({ "status": "updating", "number": 2, "rows": 0, "scopes": 0 });
    assert_eq!(shown().await, begun);
    assert!(sweeper.walk(|| true).await);
    assert!(shown().await["rows"].as_u64().unwrap() > 10);
    // No time for a scope: the progress of its count is kept.
    assert!(sweeper.walk(|| false).await);
    assert_eq!(shown().await["scopes"], 0);
    assert!(sweeper.walk(|| false).await);
    while sweeper.walk(|| true).await {}
    assert_eq!(shown().await, json!({ "status": "current", "number": 2 }));
}

#[tokio::test]
async fn account_knows_what_its_projects_hold() {
    let surface = MemorySurface::new();
    let projects = prepare(&surface).await;
    walk(&surface).await;
    let items = dump(&surface);
    let usage = |scope: Scope| {
        let found = items
            .iter()
            .find(|item| item.key == scope.key(Sort::head()));
        found.and_then(head).unwrap().body
    };
    let of_projects = projects
        .each_ref()
        .map(|project| usage(Scope::Project(project.parse().unwrap())));
    let [first, second] = of_projects.map(|head| head.usage.unwrap());
    let account = projects[0].parse::<ProjectId>().unwrap().account();
    let sum = usage(Scope::Account(account)).projects;
    assert_eq!(sum, Some(first.plus(second)));
    assert_eq!(sum.unwrap().pending_uploads, 4);
}

#[tokio::test]
async fn partitions_of_unfinished_work_grow_in_use() {
    let surface = MemorySurface::new();
    prepare(&surface).await;
    surface.drain().await;
    let grown = sweeper(&surface).with_work_partitions(WorkPartitions::MAX);
    while grown.walk(|| true).await {}
    drop(grown);
    // This process still writes to the partitions that it knows. The next one knows all of them.
    let partitions = |surface: &MemorySurface| -> BTreeSet<String> {
        let items = dump(surface);
        let entries = items.iter().filter(|item| item.key.sort.is_journal());
        entries
            .filter_map(Item::work)
            .map(|row| row.partition.clone())
            .collect()
    };
    let write = async |surface: &MemorySurface| {
        let ana = Person::new(surface, "ana");
        for _ in 0..40 {
            ana.account().await;
        }
    };
    write(&surface).await;
    assert_eq!(partitions(&surface).len(), 4);
    let surface = surface.restarted();
    write(&surface).await;
    assert!(partitions(&surface).len() > 20);
    let all: Vec<String> = WorkPartitions::MAX
        .rows(Work::Outbox)
        .map(|rows| rows.list(1).partition)
        .collect();
    assert!(
        partitions(&surface)
            .iter()
            .all(|partition| all.contains(partition))
    );
    surface.drain().await;
    assert!(partitions(&surface).is_empty());
}

#[tokio::test]
async fn case_68_data_of_a_newer_layout_is_refused() {
    let surface = MemorySurface::new();
    prepare(&surface).await;
    let newer = Layout {
        number: Layout::CURRENT + 1,
        ..Layout::default()
    };
    let id = SurfaceId::first(Ulid::nil());
    let clock = Clock::default().advanced(id);
    let record = Record::new(id, newer, clock, surface.memory().now(), Author::System);
    put(&surface, record.encode(), Condition::Absent).await;
    let surface = surface.restarted();
    let before = dump(&surface);
    let dan = Person::new(&surface, "dan");
    let refused = dan.get("/v1/session").await;
    refused.expect(503).expect_problem("unavailable");
    let ready = dan.get("/health/ready").await.expect(503).body;
    assert_eq!(ready["layout"], json!({ "status": "refused" }));
    let relayed = surface.service.relay(async |_| true).await.unwrap_err();
    let cause = Error::source(&relayed).unwrap().to_string();
    assert!(cause.contains("Run the newer release"), "{cause}");
    walk(&surface).await;
    assert!(sweeper(&surface).finish_jobs().await.is_err());
    assert_eq!(dump(&surface), before);
}
