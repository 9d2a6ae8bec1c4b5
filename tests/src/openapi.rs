//! Checks of all answers in the tests against the OpenAPI document.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, Mutex, PoisonError},
};

use jsonschema::Validator;
use serde_json::{Value, json};
use wm_core::http::openapi;

use crate::harness::Answer;

static DOCUMENT: LazyLock<Value> = LazyLock::new(openapi::document);
static VALIDATORS: LazyLock<Mutex<BTreeMap<String, &'static Validator>>> =
    LazyLock::new(Mutex::default);

/// Asserts that the document describes this answer: the route has this status, and the body matches
/// its schema. Answers to paths and methods outside the document must be problems.
pub fn check(method: &str, path: &str, answer: &Answer) {
    let operation = operation(method, path);
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    let Some((template, operation)) = operation else {
        assert!(
            matches!(answer.status, 404 | 405),
            "{method} {path} answered {}",
            answer.status
        );
        return;
    };
    let status = answer.status.to_string();
    let described = operation["responses"].get(&status).unwrap_or_else(|| {
        panic!("{method} {template} answered {status}, which the OpenAPI document does not describe: {body}")
    });
    let described = resolve(described);
    let Some(content) = described["content"].as_object() else {
        assert!(
            answer.body.is_empty(),
            "{method} {template} answered {status} with a body"
        );
        return;
    };
    let essence = answer.header("content-type").unwrap_or_default();
    let schema = content.get(essence).unwrap_or_else(|| {
        panic!("{method} {template} answered {status} as `{essence}`, which is not described")
    });
    fits_schema(
        &format!("{method} {template} {status}"),
        &schema["schema"],
        &body,
    );
}

/// Asserts that a request body matches the schema of its route.
pub fn check_request(method: &str, path: &str, body: &Value) {
    let (template, operation) = operation(method, path).expect("a path of the document");
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    fits_schema(&format!("{method} {template}"), schema, body);
}

fn fits_schema(name: &str, schema: &Value, body: &Value) {
    let errors: Vec<String> = validator(name, schema)
        .iter_errors(body)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{name}: {errors:?} in {body}");
}

/// The path template of the route that serves this request.
pub fn template(method: &str, path: &str) -> Option<&'static str> {
    operation(method, path).map(|(template, _)| template)
}

fn operation(method: &str, path: &str) -> Option<(&'static str, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object()?;
    paths.iter().find_map(|(template, item)| {
        let operation = item.get(method.to_lowercase())?;
        fits(template, path).then_some((template.as_str(), operation))
    })
}

fn fits(template: &str, path: &str) -> bool {
    let (expected, actual): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    expected.len() == actual.len()
        && expected
            .iter()
            .zip(actual)
            .all(|(expected, actual)| expected.starts_with('{') || *expected == actual)
}

fn resolve(value: &'static Value) -> &'static Value {
    match value["$ref"]
        .as_str()
        .and_then(|reference| reference.strip_prefix('#'))
    {
        Some(pointer) => DOCUMENT
            .pointer(pointer)
            .expect("a reference that resolves"),
        None => value,
    }
}

fn validator(name: &str, schema: &Value) -> &'static Validator {
    let mut validators = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    validators.entry(name.to_owned()).or_insert_with(|| {
        let mut whole = schema.clone();
        if let Value::Object(members) = &mut whole {
            members.insert("components".into(), DOCUMENT["components"].clone());
            members.insert(
                "$schema".into(),
                json!("https://json-schema.org/draft/2020-12/schema"),
            );
        }
        let validator = jsonschema::validator_for(&whole).expect("a valid schema");
        Box::leak(Box::new(validator))
    })
}
