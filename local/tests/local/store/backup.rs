//! Backups.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use tokio::runtime::Runtime;
use wm_core::storage::Condition;
use wm_local::{
    backup::{BackupError, backup, restore},
    data_directory::{DataDirectory, Layout},
};
use wm_service::ports::Records;

use super::{
    stored,
    support::{creating_under, etag, item, scope},
};

/// Commits an entry together with the head, so that a copy of two moments would be visible.
async fn commit(data: &DataDirectory, number: u64) {
    let entry = item(
        scope(1),
        &format!("JOURNAL#{number:020}"),
        number,
        "x".repeat(500),
    );
    let head = item(scope(1), "#0HEAD", number, number.to_string());
    let condition = match number {
        1 => Condition::Absent,
        _ => Condition::Matches(etag(number - 1)),
    };
    let batch = creating_under(scope(1), [entry], head, condition);
    data.records.commit(&batch).await.unwrap();
}

fn files(layout: &Layout) -> (String, String) {
    let object = layout.objects().join("accounts/a/file.txt");
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    (read(&object), read(&layout.issuer_key()))
}

#[test]
fn case_69_online_backup_is_consistent_and_restores_as_new() {
    let parent = tempfile::tempdir().unwrap();
    let [path, copy, one, two] =
        ["data", "copy", "one", "two"].map(|name| parent.path().join(name));
    let data = DataDirectory::open(&path).unwrap();
    fs::create_dir_all(data.layout.objects().join("accounts/a")).unwrap();
    fs::write(data.layout.objects().join("accounts/a/file.txt"), "bytes").unwrap();
    fs::write(data.layout.issuer_key(), "key").unwrap();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(commit(&data, 1));
    let enough = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let mut number = 2;
            while !enough.load(Ordering::Relaxed) {
                runtime.block_on(commit(&data, number));
                number += 1;
            }
        });
        backup(&path, &copy).unwrap();
        enough.store(true, Ordering::Relaxed);
    });
    let surfaces = [&one, &two].map(|target| restore(&copy, target).unwrap());
    assert!(surfaces[0] > data.surface && surfaces[1] > data.surface);
    assert_ne!(surfaces[0], surfaces[1]);
    let restored = DataDirectory::open(&one).unwrap();
    assert_eq!(
        (restored.surface, restored.secret),
        (surfaces[0], data.secret)
    );
    assert_eq!(files(&restored.layout), ("bytes".into(), "key".into()));
    runtime.block_on(async {
        let head = item(scope(1), "#0HEAD", 1, "").key;
        let head = restored.records.get(&head).await.unwrap().unwrap();
        let entries = stored(&restored.records, 1, "JOURNAL#").await;
        assert_eq!(head.body, entries.len().to_string());
    });
}

#[test]
fn backup_needs_an_empty_target_and_a_finished_source() {
    let parent = tempfile::tempdir().unwrap();
    let [path, copy, other] = ["data", "copy", "other"].map(|name| parent.path().join(name));
    let error = backup(&path, &copy).unwrap_err();
    assert!(matches!(error, BackupError::Nothing(_)), "{error:?}");
    drop(DataDirectory::open(&path).unwrap());
    fs::create_dir(&copy).unwrap();
    fs::write(copy.join("notes.txt"), "mine").unwrap();
    let error = backup(&path, &copy).unwrap_err();
    assert!(matches!(error, BackupError::NotEmpty(_)), "{error:?}");
    fs::remove_file(copy.join("notes.txt")).unwrap();
    backup(&path, &copy).unwrap();
    let error = restore(&copy, &path).unwrap_err();
    assert!(matches!(error, BackupError::NotEmpty(_)), "{error:?}");
    fs::remove_file(Layout::new(&copy).surface()).unwrap();
    let error = restore(&copy, &other).unwrap_err();
    assert!(matches!(error, BackupError::Nothing(_)), "{error:?}");
    assert!(!other.exists());
}
