//! The data directory and the identity of its surface.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use tokio::runtime::Runtime;
use wm_local::data_directory::{DataDirectory, Layout, OpenError};
use wm_service::ports::Records;

use super::support::{creating, item, scope};

fn open(path: &Path) -> DataDirectory {
    DataDirectory::open(path).unwrap()
}

fn commit_something(data: &DataDirectory) {
    let batch = creating(scope(1), [item(scope(1), "A", 1, "kept")]);
    let runtime = Runtime::new().unwrap();
    runtime.block_on(data.records.commit(&batch)).unwrap();
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn surface_and_secret_stay_after_setup() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("a/.wm-data");
    let first = open(&path);
    let (surface, secret) = (first.surface, first.secret);
    drop(first);
    for _ in 0..3 {
        let again = open(&path);
        assert_eq!((again.surface, again.secret), (surface, secret));
    }
    let layout = Layout::new(&path);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    assert_eq!(mode(&layout.surface()), 0o600);
    assert_eq!(mode(&layout.database()), 0o600);
    assert!(!format!("{secret:?}").contains(|letter: char| letter.is_ascii_digit()));
}

#[test]
fn moved_directory_keeps_its_surface() {
    let parent = tempfile::tempdir().unwrap();
    let (before, after) = (parent.path().join("before"), parent.path().join("after"));
    let surface = open(&before).surface;
    fs::rename(&before, &after).unwrap();
    assert_eq!(open(&after).surface, surface);
}

#[test]
fn case_69_copied_directory_becomes_another_surface() {
    let parent = tempfile::tempdir().unwrap();
    let original = parent.path().join("original");
    let data = open(&original);
    commit_something(&data);
    let (surface, secret) = (data.surface, data.secret);
    drop(data);
    let mut surfaces = vec![surface];
    for name in ["one", "two"] {
        let copy = parent.path().join(name);
        copy_tree(&original, &copy);
        let renewed = open(&copy);
        assert!(renewed.surface > surface);
        assert_eq!(renewed.secret, secret);
        surfaces.push(renewed.surface);
        drop(renewed);
        assert_eq!(
            open(&copy).surface,
            surfaces[surfaces.len() - 1],
            "renewed once"
        );
    }
    surfaces.dedup();
    assert_eq!(surfaces.len(), 3, "no two copies share a surface");
    assert_eq!(open(&original).surface, surface);
}

#[test]
fn case_69_database_copied_over_the_file_is_another_surface() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::new(directory.path());
    let surface = open(directory.path()).surface;
    let earlier = fs::read(layout.database()).unwrap();
    let data = open(directory.path());
    commit_something(&data);
    drop(data);
    // Written in place, so that it stays the same file.
    fs::write(layout.database(), earlier).unwrap();
    assert_ne!(open(directory.path()).surface, surface);
}

#[test]
fn case_64_missing_or_empty_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::new(directory.path());
    drop(open(directory.path()));
    for empty in [false, true] {
        if empty {
            fs::write(layout.database(), "").unwrap();
        } else {
            fs::remove_file(layout.database()).unwrap();
        }
        let error = DataDirectory::open(directory.path()).err();
        assert!(
            matches!(error, Some(OpenError::DatabaseMissing(_))),
            "{error:?}"
        );
    }
}

#[test]
fn missing_secret_is_an_error_once_records_exist() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::new(directory.path());
    let surface = open(directory.path()).surface;
    fs::remove_file(layout.surface()).unwrap();
    let data = open(directory.path());
    assert_eq!(data.surface, surface, "set-up stopped half-way is finished");
    commit_something(&data);
    drop(data);
    fs::remove_file(layout.surface()).unwrap();
    let error = DataDirectory::open(directory.path()).err();
    assert!(
        matches!(error, Some(OpenError::SecretMissing(_))),
        "{error:?}"
    );
    fs::write(layout.surface(), "{").unwrap();
    let error = DataDirectory::open(directory.path()).err().unwrap();
    assert!(
        error.to_string().contains("restore it from a backup"),
        "{error}"
    );
}

#[test]
fn case_67_directory_can_be_opened_once() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path());
    let error = DataDirectory::open(directory.path()).err();
    assert!(matches!(error, Some(OpenError::InUse(_))), "{error:?}");
    drop(first);
    open(directory.path());
}
