//! The surfaces on both clouds go on with the items and objects of a release that wrote data
//! format 1.

use wm_test_results::Recording;
use wm_tests::{
    format_1::Stored,
    surfaces::{
        aws::{self, AwsSurface},
        azure::AzureSurface,
    },
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_134_functions_serve_and_go_on_with_items_of_format_1() {
    let _recording = Recording::start();
    let stored = Stored::read("aws");
    let options = aws::Options {
        surface: Some(stored.surface()),
        ..aws::Options::default()
    };
    let surface = AwsSurface::with(options).await;
    for item in stored.items() {
        surface.resources.put_item(&item).await;
    }
    for (key, text) in stored.objects() {
        surface.resources.put_object(&key, text.as_bytes()).await;
    }
    surface.skip_changes().await;
    stored.assert_served(&surface).await;
    stored.assert_goes_on(&surface).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_134_handler_serves_and_goes_on_with_items_of_format_1() {
    let _recording = Recording::start();
    let stored = Stored::read("azure");
    let surface = AzureSurface::start().await;
    for document in stored.items() {
        surface.resources.put_document(&document).await;
    }
    for (path, text) in stored.objects() {
        surface.resources.put_blob(&path, text.as_bytes()).await;
    }
    surface.skip_changes().await;
    stored.assert_served(&surface).await;
    stored.assert_goes_on(&surface).await;
}
