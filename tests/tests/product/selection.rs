//! Backend selections: names for any prefix, a reader for any input, and the selection that each
//! surface shows.

use proptest::prelude::*;
use wm_core::{catalog::Provider, selection::BackendSelection};
use wm_test_results::Recording;
use wm_tests::{
    client::Person,
    golden,
    harness::Harness,
    surfaces::{aws::AwsSurface, azure::AzureSurface, local::LocalSurface},
};

fn provider() -> impl Strategy<Value = Provider> {
    prop::sample::select(Provider::ALL)
}

#[test]
fn every_prefix_with_a_letter_gives_a_readable_selection() {
    let _recording = Recording::start();
    let config = ProptestConfig::with_source_file(file!());
    proptest!(config, |(
        provider in provider(),
        prefix in ".{0,40}[a-zA-Z0-9].{0,300}",
        environment in "[a-z][a-z0-9]{0,11}",
    )| {
        let selection = BackendSelection::new(provider, &prefix, &environment, None).unwrap();
        prop_assert_eq!(BackendSelection::read(&selection.module()), Ok(selection));
    });
}

#[test]
fn key_in_a_selection_is_reported_without_its_value() {
    let _recording = Recording::start();
    let config = ProptestConfig::with_source_file(file!());
    proptest!(config, |(key in "AKIA[A-Z0-9]{16}", provider in provider())| {
        let module = BackendSelection::defaults(provider).module();
        let text = module.replace("\"dev\"", &format!("\"{key}\""));
        let errors = BackendSelection::read(&text).unwrap_err();
        prop_assert!(errors.iter().any(|error| error.message.contains("an access key")));
        prop_assert!(errors.iter().all(|error| !error.message.contains(&key)));
    });
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_with_reasons(text in any::<String>()) {
        if let Err(errors) = BackendSelection::read(&text) {
            prop_assert!(!errors.is_empty());
        }
    }

    #[test]
    fn changed_character_is_read_or_refused_with_reasons(
        provider in provider(),
        at in any::<prop::sample::Index>(),
        character in any::<char>(),
        replaces in any::<bool>(),
    ) {
        let mut text: Vec<char> = BackendSelection::defaults(provider).module().chars().collect();
        let at = at.index(text.len());
        if replaces {
            text[at] = character;
        } else {
            text.insert(at, character);
        }
        let text: String = text.into_iter().collect();
        match BackendSelection::read(&text) {
            Ok(selection) => prop_assert_eq!(BackendSelection::read(&selection.module()), Ok(selection)),
            Err(errors) => prop_assert!(errors.iter().all(|error| !error.field.is_empty())),
        }
    }
}

#[test]
fn defaults_match_their_golden() {
    for provider in Provider::ALL {
        let module = BackendSelection::defaults(*provider).module();
        golden::check(&format!("selections/{provider}.js"), &module);
    }
}

/// The selection that a surface shows has exactly the fields of a selection, and no value that
/// looks like a credential.
async fn shows_names_only<H: Harness>(surface: &H, provider: Provider) {
    let ana = Person::new(surface, "ana");
    let shown = ana.get("/v1/backend").await.expect(200).body;
    let module = format!("export const backendSelection = {shown};\n");
    let read = BackendSelection::read(&module).unwrap();
    assert_eq!(read.provider, provider);
    assert_eq!(serde_json::to_value(&read).unwrap(), shown);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn local_shows_its_selection_by_name_only() {
    let _recording = Recording::start();
    shows_names_only(&LocalSurface::start().await, Provider::Local).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn aws_shows_its_selection_by_name_only() {
    let _recording = Recording::start();
    shows_names_only(&AwsSurface::start().await, Provider::Aws).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn azure_shows_its_selection_by_name_only() {
    let _recording = Recording::start();
    shows_names_only(&AzureSurface::start().await, Provider::Azure).await;
}
