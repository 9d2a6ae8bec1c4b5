//! The OpenAPI document explains every operation, and its examples are valid.

use serde_json::Value;
use wm_core::{
    http::openapi::document,
    operation::{Handler, Requires},
    operations,
};
use wm_tests::{harness::Answer, openapi};

#[test]
fn answer_examples_fit_their_schemas() {
    for route in operations::routes() {
        for success in route.answers {
            let body = match success.schema {
                Some(_) => success.example.value().to_string().into_bytes(),
                None => Vec::new(),
            };
            let headers = vec![("content-type".into(), "application/json".into())];
            let answer = Answer {
                status: success.status,
                headers,
                body,
            };
            openapi::check(route.method.as_str(), route.path, &answer);
        }
    }
}

#[test]
fn request_examples_fit_their_schemas() {
    for route in operations::routes() {
        if let Some(body) = &route.body {
            let body: Value = serde_json::from_str(body.example).unwrap();
            openapi::check_request(route.method.as_str(), route.path, &body);
        }
    }
}

#[test]
fn operations_document_effect_requirement_and_refusals() {
    let document = document();
    for route in operations::routes() {
        let method = route.method.as_str().to_lowercase();
        let operation = &document["paths"][route.path][&method];
        let description = operation["description"].as_str().unwrap();
        let name = route.operation;
        assert!(!route.summary.ends_with('.'), "{name}");
        for sentence in [route.description, &route.requirement()] {
            let whole = sentence.ends_with('.');
            assert!(
                whole && description.contains(sentence),
                "{name}: {sentence}"
            );
        }
        for (kind, condition) in route.refusals {
            assert!(description.contains(condition), "{name}: {condition}");
            let status = kind.status().to_string();
            assert!(operation["responses"][status].is_object(), "{name}");
        }
        let capability = route
            .requires
            .capability()
            .map(|capability| capability.as_str());
        assert_eq!(
            operation["x-required-capability"].as_str(),
            capability,
            "{name}"
        );
        let public = matches!(route.handler, Handler::Public(_));
        assert_eq!(route.requires == Requires::Nothing, public, "{name}");
    }
}
