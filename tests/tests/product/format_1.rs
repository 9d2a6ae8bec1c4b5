//! A node goes on with the data directory of a release that wrote data format 1.

use std::{fs, path::Path};

use serde_json::Value;
use tempfile::TempDir;
use wm_test_results::Recording;
use wm_tests::{
    format_1::Stored,
    surfaces::{local::LocalSurface, recording_local::RecordingLocal},
};

/// A copy of the directory that the release wrote.
fn directory(stored: &Stored) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_all(&stored.path("data"), copy.path());
    let text = fs::read_to_string(stored.path("surface.json")).unwrap();
    let mut surface: Value = serde_json::from_str(&text).unwrap();
    surface["secret"] = surface.as_object_mut().unwrap().remove("digits").unwrap();
    fs::write(copy.path().join("surface.json"), surface.to_string()).unwrap();
    copy
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
    let node = LocalSurface::over(directory(&stored)).await;
    stored.assert_goes_on(&node).await;
}
