//! A full disk and a read-only disk.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tokio::runtime::Runtime;
use wm_local::data_directory::DataDirectory;
use wm_service::ports::{CommitError, PortErrorKind, Records};

use super::{
    stored,
    support::{creating, item, scope},
};

/// A file system in memory. Only root can mount it.
struct Disk {
    path: PathBuf,
    _directory: tempfile::TempDir,
}

impl Disk {
    fn of(kilobytes: u32) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("disk");
        fs::create_dir(&path).unwrap();
        let size = format!("size={kilobytes}k");
        mount(&["-t", "tmpfs", "-o", &size, "tmpfs"], &path).then_some(Self {
            path,
            _directory: directory,
        })
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

fn mount(arguments: &[&str], path: &Path) -> bool {
    let mounted = Command::new("mount").args(arguments).arg(path).output();
    mounted.is_ok_and(|output| output.status.success())
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn skip(name: &str) {
    eprintln!("skipped: {name} needs to mount a file system, which only root may");
}

fn error_text(error: &dyn std::error::Error) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

#[test]
fn case_66_full_disk_is_a_clear_error_and_recovers() {
    let Some(disk) = Disk::of(4_096) else {
        return skip("case_66_full_disk_is_a_clear_error_and_recovers");
    };
    let data = DataDirectory::open(disk.path.join("data")).unwrap();
    let runtime = Runtime::new().unwrap();
    let filler = disk.path.join("filler");
    fs::write(&filler, vec![0; 2_560 * 1024]).unwrap();
    let entry = |number: u64| {
        let entry = item(
            scope(1),
            &format!("{number:06}"),
            number,
            "x".repeat(20_000),
        );
        creating(scope(1), [entry])
    };
    let count = |data: &DataDirectory| runtime.block_on(stored(&data.records, 1, "")).len() as u64;
    let mut number = 0;
    let failure = loop {
        match runtime.block_on(data.records.commit(&entry(number))) {
            Ok(()) => number += 1,
            Err(CommitError::Failed(failure)) => break failure,
            Err(CommitError::Conflict) => panic!("the number is new"),
        }
    };
    assert_eq!(failure.kind, PortErrorKind::Full, "{failure:?}");
    assert!(error_text(&failure).contains("free some space, then try again"));
    assert_eq!(count(&data), number);
    fs::remove_file(&filler).unwrap();
    runtime
        .block_on(data.records.commit(&entry(number)))
        .unwrap();
    assert_eq!(count(&data), number + 1);
    drop(data);
    let data = DataDirectory::open(disk.path.join("data")).unwrap();
    assert_eq!(count(&data), number + 1);
}

#[test]
fn case_66_read_only_disk_is_a_clear_error() {
    let Some(disk) = Disk::of(4_096) else {
        return skip("case_66_read_only_disk_is_a_clear_error");
    };
    let path = disk.path.join("data");
    let data = DataDirectory::open(&path).unwrap();
    let runtime = Runtime::new().unwrap();
    let batch = creating(scope(1), [item(scope(1), "A", 1, "kept")]);
    runtime.block_on(data.records.commit(&batch)).unwrap();
    drop(data);
    assert!(mount(&["-o", "remount,ro"], &disk.path));
    let error = DataDirectory::open(&path).err().unwrap();
    assert!(
        error.to_string().contains("give this user write access"),
        "{error}"
    );
    assert!(mount(&["-o", "remount,rw"], &disk.path));
    let data = DataDirectory::open(&path).unwrap();
    let items = runtime.block_on(stored(&data.records, 1, ""));
    assert_eq!(items.len(), 1);
}
