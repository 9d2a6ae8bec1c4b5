//! The parameters and headers of requests.

use alloc::{vec, vec::Vec};

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::{needs_token, schemas::Schemas};
use crate::{
    operation::SchemaFn,
    operation::{Method, Precondition, Route, schema},
    value::{
        AccountId, ArtifactId, DerivedId, GrantId, InvitationId, ProjectId, TeamId, UserId,
        VersionId,
    },
};

/// The path, query and header parameters of a route.
pub(super) fn of(route: &Route, schemas: &mut Schemas) -> Vec<Value> {
    let mut parameters = Vec::new();
    for name in path_names(route.path) {
        let known = path_schema(name).unwrap_or(schema::<alloc::string::String>);
        parameters.push(json!({
            "name": name, "in": "path", "required": true, "schema": schemas.answer(known),
        }));
    }
    for parameter in route.query {
        parameters.push(json!({
            "name": parameter.name, "in": "query", "description": parameter.description,
            "schema": schemas.answer(parameter.schema),
        }));
    }
    parameters.extend(
        header_names(route)
            .into_iter()
            .map(|name| json!({ "$ref": alloc::format!("#/components/parameters/{name}") })),
    );
    parameters
}

/// The names between braces in a path.
pub(super) fn path_names(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

/// The schema of a path parameter.
pub(super) fn path_schema(name: &str) -> Option<SchemaFn> {
    Some(match name {
        "account" => schema::<AccountId>,
        "user" => schema::<UserId>,
        "team" => schema::<TeamId>,
        "invitation" => schema::<InvitationId>,
        "project" => schema::<ProjectId>,
        "grant" => schema::<GrantId>,
        "artifact" => schema::<ArtifactId>,
        "derived" => schema::<DerivedId>,
        "number" => version_reference,
        "version" => version_number,
        _ => return None,
    })
}

/// A version in a path: its number or its id.
fn version_reference(generator: &mut SchemaGenerator) -> Schema {
    let id = generator.subschema_for::<VersionId>();
    json_schema!({ "anyOf": [version_number(generator), id] })
}

fn version_number(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "minimum": 1, "maximum": u32::MAX })
}

fn header_names(route: &Route) -> Vec<&'static str> {
    let mut names = vec!["traceparent"];
    if route.method == Method::Post && needs_token(route) {
        names.push("IdempotencyKey");
    }
    match route.precondition {
        Precondition::Ignored => {}
        Precondition::Optional => names.push("IfMatch"),
        Precondition::Required => names.push("IfMatchRequired"),
    }
    names
}

/// The headers that many routes take, as components.
pub(super) fn shared() -> Value {
    let header = |name: &str, required: bool, description: &str, schema: Value| {
        json!({
            "name": name, "in": "header", "required": required,
            "description": description, "schema": schema,
        })
    };
    json!({
        "traceparent": header(
            "traceparent", false, "The trace that this request is part of (W3C Trace Context).",
            json!({ "type": "string", "pattern": "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}" }),
        ),
        "IdempotencyKey": header(
            "Idempotency-Key", false,
            "A request with the same key, path and body as an earlier one gets the same answer. Keys are kept for one day.",
            json!({ "type": "string", "minLength": 1 }),
        ),
        "IfMatch": header(
            "If-Match", false, "The `ETag` that was read last, or `*`. The request is refused with 412 if the record has changed since.",
            json!({ "type": "string" }),
        ),
        "IfMatchRequired": header(
            "If-Match", true, "The `ETag` that was read last, or `*`. The request is refused with 412 if the record has changed since.",
            json!({ "type": "string" }),
        ),
    })
}
