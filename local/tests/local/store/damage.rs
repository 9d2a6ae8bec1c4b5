//! Damaged files.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use rusqlite::Connection;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use wm_core::{
    record::{Author, Clock, Corrupt, Record, Team},
    storage::{Condition, Operation},
    value::{AccountId, TeamId, Timestamp, id::Id},
};
use wm_local::records::{SqliteRecords, StoreError};
use wm_service::ports::Records;

use super::{
    stored,
    support::{batch, creating, item, scope},
};

/// Commits items of several kilobytes, so that the files have several pages.
fn commit(runtime: &Runtime, store: &SqliteRecords, number: u64) {
    let items = (0..4).map(|part| {
        let body = format!("{number} {part} {}", "x".repeat(2_000));
        item(scope(1), &format!("{number:06}#{part}"), number, body)
    });
    runtime
        .block_on(store.commit(&creating(scope(1), items)))
        .unwrap();
}

/// The number of complete commits.
fn commits(runtime: &Runtime, store: &SqliteRecords) -> usize {
    let items = runtime.block_on(stored(store, 1, ""));
    assert_eq!(items.len() % 4, 0);
    items.len() / 4
}

fn file(directory: &TempDir) -> PathBuf {
    directory.path().join("workspace.sqlite")
}

fn log(path: &Path) -> PathBuf {
    path.with_extension("sqlite-wal")
}

/// A closed database with 50 commits and without a log.
fn closed() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let store = SqliteRecords::open(&file(&directory)).unwrap();
    for number in 0..50 {
        commit(&runtime, &store, number);
    }
    directory
}

fn refusal(path: &Path) -> StoreError {
    SqliteRecords::open(path).err().expect("it is refused")
}

#[test]
fn case_64_torn_log_loses_only_unacknowledged_commits() {
    let directory = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let path = file(&directory);
    let store = SqliteRecords::open(&path).unwrap();
    for number in 0..10 {
        commit(&runtime, &store, number);
    }
    let (main, acknowledged) = (fs::read(&path).unwrap(), fs::read(log(&path)).unwrap());
    commit(&runtime, &store, 10);
    let whole = fs::read(log(&path)).unwrap();
    drop(store);
    for cut in (acknowledged.len()..whole.len()).step_by(977) {
        for garbage in [0, 4_096] {
            let copy = tempfile::tempdir().unwrap();
            let path = file(&copy);
            fs::write(&path, &main).unwrap();
            let mut torn = whole[..cut].to_vec();
            torn.extend(vec![0xa5; garbage]);
            fs::write(log(&path), torn).unwrap();
            let store = SqliteRecords::open(&path).unwrap();
            assert_eq!(commits(&runtime, &store), 10, "cut at {cut}");
            commit(&runtime, &store, 11);
            assert_eq!(commits(&runtime, &store), 11);
        }
    }
}

#[test]
fn case_64_truncated_database_is_refused_unchanged() {
    let directory = closed();
    let whole = fs::read(file(&directory)).unwrap();
    for keep in [
        1,
        15,
        16,
        31,
        4_096,
        8_192,
        whole.len() / 2,
        whole.len() - 1,
    ] {
        fs::write(file(&directory), &whole[..keep]).unwrap();
        let error = refusal(&file(&directory));
        let expected = match keep {
            ..32 => matches!(error, StoreError::Foreign(_)),
            _ => matches!(error, StoreError::Truncated(_)),
        };
        assert!(expected, "{keep}: {error:?}");
        assert_eq!(fs::read(file(&directory)).unwrap(), &whole[..keep]);
    }
    fs::write(file(&directory), whole).unwrap();
    let runtime = Runtime::new().unwrap();
    assert_eq!(
        commits(&runtime, &SqliteRecords::open(&file(&directory)).unwrap()),
        50
    );
}

#[test]
fn case_64_truncated_database_is_refused_even_with_a_log() {
    let directory = closed();
    let runtime = Runtime::new().unwrap();
    let path = file(&directory);
    let store = SqliteRecords::open(&path).unwrap();
    commit(&runtime, &store, 50);
    let (main, wal) = (fs::read(&path).unwrap(), fs::read(log(&path)).unwrap());
    drop(store);
    let copy = tempfile::tempdir().unwrap();
    fs::write(file(&copy), &main[..main.len() / 2]).unwrap();
    fs::write(log(&file(&copy)), &wal).unwrap();
    let error = refusal(&file(&copy));
    assert!(matches!(error, StoreError::Truncated(_)), "{error:?}");
    assert_eq!(
        fs::read(log(&file(&copy))).unwrap(),
        wal,
        "the evidence is kept"
    );
    assert_eq!(fs::read(file(&copy)).unwrap(), &main[..main.len() / 2]);
}

#[test]
fn case_64_partly_written_back_log_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let path = file(&directory);
    let store = SqliteRecords::open(&path).unwrap();
    for number in 0..10 {
        commit(&runtime, &store, number);
    }
    let wal = fs::read(log(&path)).unwrap();
    drop(store);
    // The state after a crash while the log is written back: the first pages are in the file.
    let main = fs::read(&path).unwrap();
    let copy = tempfile::tempdir().unwrap();
    fs::write(file(&copy), &main[..3 * 4_096]).unwrap();
    fs::write(log(&file(&copy)), wal).unwrap();
    let store = SqliteRecords::open(&file(&copy)).unwrap();
    assert_eq!(commits(&runtime, &store), 10);
}

#[test]
fn case_64_torn_header_or_page_error_names_the_file() {
    let directory = closed();
    let path = file(&directory);
    let main = OpenOptions::new().write(true).open(&path).unwrap();
    main.write_all_at(&[0xa5; 64], 100).unwrap();
    let error = refusal(&path);
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    assert!(
        error.to_string().contains(&*path.to_string_lossy()),
        "{error}"
    );
    main.write_all_at(&[0xa5; 16], 0).unwrap();
    let error = refusal(&path);
    assert!(matches!(error, StoreError::Foreign(_)), "{error:?}");
}

#[test]
fn case_64_foreign_database_is_refused_unchanged() {
    let directory = tempfile::tempdir().unwrap();
    let path = file(&directory);
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("CREATE TABLE notes (text TEXT)")
        .unwrap();
    drop(other);
    let before = fs::read(&path).unwrap();
    let error = refusal(&path);
    assert!(matches!(error, StoreError::Foreign(_)), "{error:?}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn case_68_newer_format_is_refused_unchanged() {
    let directory = closed();
    let path = file(&directory);
    let newer = Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 3).unwrap();
    drop(newer);
    let before = fs::read(&path).unwrap();
    let error = refusal(&path);
    assert!(
        matches!(error, StoreError::Newer { found: 3, .. }),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("run the newer program"),
        "{error}"
    );
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn case_68_older_format_is_raised_when_opened_for_writing() {
    let directory = closed();
    let path = file(&directory);
    let format = || {
        let database = Connection::open(&path).unwrap();
        database.pragma_query_value(None, "user_version", |row| row.get::<_, i32>(0))
    };
    let older = Connection::open(&path).unwrap();
    older.pragma_update(None, "user_version", 1).unwrap();
    drop(older);
    drop(SqliteRecords::open(&path).unwrap());
    assert_eq!(format(), Ok(2));
}

#[test]
fn case_65_flipped_bit_in_a_body_is_detected() {
    let directory = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let path = file(&directory);
    let now = Timestamp::from_millis(1_800_000_000_000);
    let team = Team {
        account_id: AccountId::from_ulid(ulid::Ulid::from_parts(1, 1)),
        name: "Reviewers".parse().unwrap(),
        may_own: false,
        retiring: false,
    };
    let id = TeamId::from_ulid(ulid::Ulid::from_parts(1, 2));
    let team = Record::new(id, team, Clock::default(), now, Author::System);
    let store = SqliteRecords::open(&path).unwrap();
    let create = Operation::Put(team.encode(), Condition::Absent);
    let batch = batch(team.key().scope, vec![create]);
    runtime.block_on(store.commit(&batch)).unwrap();
    drop(store);
    let whole = fs::read(&path).unwrap();
    let at = whole
        .windows(9)
        .position(|bytes| bytes == b"Reviewers")
        .unwrap();
    // Flipping bit 7 breaks the UTF-8 encoding, flipping bit 0 gives another letter.
    for bit in [0, 7] {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << bit;
        fs::write(&path, flipped).unwrap();
        let store = SqliteRecords::open(&path).unwrap();
        let item = runtime.block_on(store.get(&team.key())).unwrap().unwrap();
        let decoded = Record::<Team>::decode(&item);
        assert!(matches!(decoded, Err(Corrupt::Damaged(..))), "{decoded:?}");
    }
}
