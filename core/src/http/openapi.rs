//! The OpenAPI 3.1 document, generated from the route table.

mod parameters;
mod responses;
mod schemas;

use alloc::{format, string::String};

use serde_json::{Map, Value, json};

use self::{responses::Responses, schemas::Schemas};
use super::Request;
use crate::{
    operation::{Example, Handler, RequestBody, Route},
    operations::GROUPS,
};

/// Builds the document.
#[must_use]
pub fn document() -> Value {
    let mut schemas = Schemas::default();
    let mut responses = Responses::default();
    let mut paths = Map::new();
    for (group, routes) in GROUPS {
        for route in *routes {
            let operation = operation(group, route, &mut schemas, &mut responses);
            let path = paths.entry(route.path).or_insert_with(|| json!({}));
            if let Value::Object(methods) = path {
                methods.insert(route.method.as_str().to_ascii_lowercase(), operation);
            }
        }
    }
    let components = json!({
        "headers": responses::headers(),
        "parameters": parameters::shared(),
        "responses": responses.into_components(&mut schemas),
        "securitySchemes": { "bearer": {
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "An access token of an issuer that the surface trusts.",
        } },
    });
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Workspace Management",
            "version": "1",
            "description": ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "The surface that serves this document." }],
        "security": [{ "bearer": [] }],
        "tags": GROUPS.iter().map(|(group, _)| json!({ "name": group })).collect::<Value>(),
        "paths": paths,
        "components": components,
    });
    schemas.finish(&mut document);
    document
}

/// Builds the document as text, with sorted members, an indent of two spaces and a final line feed.
#[must_use]
pub fn text() -> String {
    let mut text = serde_json::to_string_pretty(&sorted(document())).unwrap_or_default();
    text.push('\n');
    text
}

const ABOUT: &str = "Workspaces: accounts, their people and teams, projects, grants, and the \
    documents in the projects with their versions, metadata and history. The same on every surface.\n\n\
    A path with a method it does not take answers 405. What a caller cannot see answers 404; what a \
    caller sees but may not do answers 403 naming the missing capability. Errors are \
    `application/problem+json` (RFC 9457).";

fn operation(
    group: &str,
    route: &Route,
    schemas: &mut Schemas,
    responses: &mut Responses,
) -> Value {
    let mut operation = json!({
        "tags": [group],
        "operationId": route.operation,
        "summary": route.summary,
        "description": description(route),
        "parameters": parameters::of(route, schemas),
        "responses": responses.of(route, schemas),
    });
    if let Value::Object(members) = &mut operation {
        if let Some(body) = route.body {
            members.insert("requestBody".into(), request_body(&body, schemas));
        }
        if let Some(capability) = route.requires.capability() {
            members.insert("x-required-capability".into(), json!(capability));
        }
        if !needs_token(route) {
            members.insert("security".into(), json!([]));
        }
    }
    operation
}

/// The description of an operation: its effect, its requirement and its refusals.
fn description(route: &Route) -> String {
    let mut description = String::from(route.description);
    if !description.is_empty() {
        description.push_str("\n\n");
    }
    description.push_str(&route.requirement());
    if !route.refusals.is_empty() {
        description.push_str("\n\nRefused with:\n");
    }
    for (kind, condition) in route.refusals {
        let name = kind.name();
        description.push_str(&format!("\n* `{name}` ({}) if {condition}.", kind.status()));
    }
    description
}

fn needs_token(route: &Route) -> bool {
    matches!(route.handler, Handler::UseCase(_))
}

fn request_body(body: &RequestBody, schemas: &mut Schemas) -> Value {
    let schema = schemas.body(body.schema);
    let example = Example::Text(body.example).value();
    json!({
        "required": true,
        "description": format!("At most {} bytes. Unknown members are refused.", Request::BODY_LIMIT),
        "content": { "application/json": { "schema": schema, "example": example } },
    })
}

/// Sorts members by name, because the order of a JSON map depends on the library's features.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: alloc::collections::BTreeMap<_, _> = members.into_iter().collect();
            let sorted_members = members
                .into_iter()
                .map(|(name, member)| (name, sorted(member)));
            Value::Object(sorted_members.collect())
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        scalar => scalar,
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use alloc::{borrow::ToOwned, collections::BTreeSet, vec::Vec};

    use super::*;
    use crate::{
        operation::{ARCHIVED, Method, Precondition, ProblemKind, Requires},
        operations::routes,
        permission::access::READ_ONLY,
    };

    /// The committed document must equal the generated one. After a change of the contract, run the
    /// tests with `UPDATE_GOLDENS=1` and commit the changed files.
    #[test]
    fn committed_document_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        if std::env::var_os("UPDATE_GOLDENS").is_some() {
            std::fs::write(path, text()).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap();
        assert!(
            committed == text(),
            "the contract changed: run `UPDATE_GOLDENS=1 cargo test -p wm-core openapi` and commit `core/openapi.json`"
        );
    }

    #[test]
    fn served_document_is_the_committed_one() {
        let served: Value = serde_json::from_str(crate::http::OPENAPI).unwrap();
        assert_eq!(served, document());
    }

    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    match member {
                        Value::String(target) if name == "$ref" => {
                            found.insert(target.clone());
                        }
                        _ => references(member, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_resolves() {
        let document = document();
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        assert!(found.contains("#/components/schemas/Problem"));
        for target in found {
            let pointer = target.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{target}");
        }
    }

    #[test]
    fn operation_names_are_unique_and_path_parameters_described() {
        let mut names = BTreeSet::new();
        for route in routes() {
            assert!(
                names.insert(route.operation),
                "{} is there twice",
                route.operation
            );
            for name in parameters::path_names(route.path) {
                let known = parameters::path_schema(name).is_some();
                assert!(
                    known,
                    "give `{name}` of {} a schema in `path_schema`",
                    route.path
                );
            }
        }
    }

    #[test]
    fn every_operation_says_what_it_does() {
        for route in routes() {
            let (name, description) = (route.operation, route.description);
            assert!(!description.is_empty(), "{name} has no description");
            assert_ne!(description, route.summary, "{name}");
        }
    }

    #[test]
    fn writes_to_a_project_name_the_refusal_in_an_archive() {
        for route in routes() {
            let Requires::Project(capability) = route.requires else {
                continue;
            };
            let mut refusals = route.refusals.iter();
            let named = refusals.any(|(kind, condition)| {
                *kind == ProblemKind::Conflict && condition.starts_with(ARCHIVED.1)
            });
            let refused = !READ_ONLY.has(capability);
            assert_eq!(named, refused, "{}", route.operation);
        }
    }

    #[test]
    fn every_route_describes_its_input_and_answers() {
        let document = document();
        for route in routes() {
            let method = route.method.as_str().to_ascii_lowercase();
            let operation = &document["paths"][route.path][&method];
            let parameters: Vec<_> = operation["parameters"]
                .as_array()
                .unwrap()
                .iter()
                .map(|parameter| {
                    let reference = parameter["$ref"].as_str().unwrap_or_default().to_owned();
                    reference.rsplit('/').next().unwrap_or_default().to_owned()
                })
                .collect();
            let sends = |name: &str| parameters.iter().any(|parameter| parameter == name);
            assert!(
                !route.answers.is_empty(),
                "{} answers nothing",
                route.operation
            );
            for success in route.answers {
                assert!(operation["responses"][format!("{}", success.status)].is_object());
            }
            assert_eq!(
                sends("IfMatchRequired"),
                route.precondition == Precondition::Required
            );
            assert_eq!(
                sends("IfMatch"),
                route.precondition == Precondition::Optional
            );
            if needs_token(route) {
                assert_eq!(sends("IdempotencyKey"), route.method == Method::Post);
                assert!(operation["responses"]["401"].is_object());
                assert!(operation.get("security").is_none());
            }
        }
    }

    /// A flattened envelope must yield one flat object in which all fields count.
    #[test]
    fn record_schema_contains_its_envelope() {
        let document = document();
        let team = &document["components"]["schemas"]["Team"];
        for field in [
            "id",
            "version",
            "created_at",
            "updated_by",
            "account_id",
            "name",
        ] {
            assert!(team["properties"][field].is_object(), "{field} in {team}");
            assert!(team["required"].as_array().unwrap().contains(&json!(field)));
        }
        assert_ne!(team["additionalProperties"], json!(false));
    }
}
