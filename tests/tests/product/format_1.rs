//! A node goes on with the data directory of a release that wrote data format 1.

use std::{fs, os::unix::fs::MetadataExt, path::Path, time::UNIX_EPOCH};

use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;
use wm_core::value::SurfaceId;
use wm_local::{data_directory::Layout, secrets::SurfaceFile};
use wm_test_results::Recording;
use wm_tests::{
    format_1::Stored,
    surfaces::{local::LocalSurface, recording_local::RecordingLocal},
};

/// A copy of the directory that the release wrote. It opens as the same surface, like a directory after
/// an upgrade. A node takes any other copy for a restored backup.
fn directory(stored: &Stored) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_all(&stored.path("data"), copy.path());
    let text = fs::read_to_string(stored.path("surface.json")).unwrap();
    let mut surface: Value = serde_json::from_str(&text).unwrap();
    surface["secret"] = surface.as_object_mut().unwrap().remove("digits").unwrap();
    fs::write(copy.path().join("surface.json"), surface.to_string()).unwrap();
    let path = copy.path().join("workspace.sqlite");
    let metadata = fs::metadata(&path).unwrap();
    let born = metadata.created().unwrap();
    let born = born.duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let file = format!("inode {} born {born}", metadata.ino());
    let database = Connection::open(&path).unwrap();
    let changed = database.execute("UPDATE surface SET file = ?1", [file]);
    assert_eq!(changed, Ok(1));
    copy
}

fn surface(directory: &Path) -> SurfaceId {
    let file = Layout::new(directory).surface();
    SurfaceFile::read(&file).unwrap().unwrap().surface
}

fn copy_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let (entry, name) = (entry.as_ref().unwrap().path(), entry.unwrap().file_name());
        let to = to.join(name);
        if entry.is_dir() {
            fs::create_dir_all(&to).unwrap();
            copy_all(&entry, &to);
        } else {
            fs::copy(&entry, &to).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_134_node_serves_a_directory_of_format_1() {
    let _recording = Recording::start();
    let stored = Stored::read("local");
    // Without the background work of a node, which would finish what the release left open.
    let node = RecordingLocal::over(directory(&stored));
    stored.assert_served(&node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_134_node_goes_on_in_a_directory_of_format_1() {
    let _recording = Recording::start();
    let stored = Stored::read("local");
    let directory = directory(&stored);
    let before = surface(directory.path());
    let node = LocalSurface::over(directory).await;
    stored.assert_goes_on(&node).await;
    assert_eq!(surface(node.data()), before);
}
