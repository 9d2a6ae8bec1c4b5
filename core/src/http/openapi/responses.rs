//! The responses of a route.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    vec::Vec,
};

use serde_json::{Map, Value, json};

use super::{needs_token, parameters, schemas::Schemas};
use crate::{
    http::ProblemView,
    operation::{
        Handler, Method, Precondition, ProblemKind, PublicHandler, Route, Success, schema,
    },
};

/// Collects the refusals of all routes, to describe each once in the components.
#[derive(Debug, Default)]
pub(super) struct Responses {
    refusals: BTreeMap<String, Vec<ProblemKind>>,
}

impl Responses {
    pub(super) fn of(&mut self, route: &Route, schemas: &mut Schemas) -> Value {
        let mut responses = Map::new();
        for (status, kinds) in refusals(route) {
            let name = component_name(&kinds);
            let reference = json!({ "$ref": format!("#/components/responses/{name}") });
            responses.insert(format!("{status}"), reference);
            self.refusals.insert(name, kinds);
        }
        for success in route.answers {
            responses.insert(format!("{}", success.status), answer(success, schemas));
        }
        Value::Object(responses)
    }

    /// The components that every refusal refers to.
    pub(super) fn into_components(self, schemas: &mut Schemas) -> Value {
        let problem = schemas.answer(schema::<ProblemView<'_>>);
        self.refusals
            .into_iter()
            .map(|(name, kinds)| (name, refusal(&kinds, &problem)))
            .collect()
    }
}

/// The response headers, as components.
pub(super) fn headers() -> Value {
    let header = |description: &str, required: bool| {
        json!({
            "description": description, "required": required, "schema": { "type": "string" },
        })
    };
    json!({
        "RequestId": header("The id of the request, for support.", true),
        "ETag": header("An opaque validator of the record, for `If-Match`.", true),
        "Location": header("The path of the record that was created.", false),
        "RetryAfter": header("Seconds until a retry makes sense.", false),
        "WwwAuthenticate": header("How to authenticate.", true),
    })
}

fn header_references(names: &[(&str, &str)]) -> Value {
    let references = names.iter().map(|(name, component)| {
        let target = format!("#/components/headers/{component}");
        ((*name).into(), json!({ "$ref": target }))
    });
    Value::Object(references.collect())
}

fn answer(success: &Success, schemas: &mut Schemas) -> Value {
    let schema = success.schema.map(|schema| schemas.answer(schema));
    let mut headers = alloc::vec![("x-request-id", "RequestId")];
    // An answer that shows a record's envelope carries the record's ETag.
    let is_record = |schema: &Value| schemas.has_property(schema, "updated_at");
    if schema.as_ref().is_some_and(is_record) {
        headers.push(("etag", "ETag"));
    }
    if success.status == 201 {
        headers.push(("location", "Location"));
    }
    let mut answer = json!({
        "description": description(success.status), "headers": header_references(&headers),
    });
    if let (Value::Object(members), Some(schema)) = (&mut answer, schema) {
        let media = json!({ "schema": schema, "example": success.example.value() });
        members.insert("content".into(), json!({ "application/json": media }));
    }
    answer
}

fn description(status: u16) -> &'static str {
    match status {
        201 => "Created.",
        202 => "Accepted; the work is not finished yet.",
        204 => "Done. The answer has no body.",
        503 => "A dependency is down.",
        _ => "The answer.",
    }
}

/// The refusals of a route by status: the ones that the conventions imply and the ones that the
/// route declares.
fn refusals(route: &Route) -> BTreeMap<u16, Vec<ProblemKind>> {
    use ProblemKind as Kind;
    let mut kinds: BTreeSet<Kind> = route.refusals.iter().map(|(kind, _)| *kind).collect();
    kinds.insert(Kind::InvalidRequest);
    if matches!(route.handler, Handler::Public(PublicHandler::Ready)) {
        kinds.insert(Kind::Unavailable);
    }
    if needs_token(route) {
        let always = [
            Kind::Unauthenticated,
            Kind::RateLimited,
            Kind::Internal,
            Kind::Unavailable,
        ];
        kinds.extend(always);
        if parameters::path_names(route.path).next().is_some() {
            kinds.extend([Kind::NotFound, Kind::Forbidden]);
        }
        if route.method != Method::Get {
            kinds.extend([
                Kind::Conflict,
                Kind::PayloadTooLarge,
                Kind::UnsupportedMediaType,
            ]);
        }
        if route.method == Method::Post {
            kinds.insert(Kind::IdempotencyMismatch);
        }
    }
    if route.precondition != Precondition::Ignored {
        kinds.insert(Kind::PreconditionFailed);
    }
    if route.precondition == Precondition::Required {
        kinds.insert(Kind::PreconditionRequired);
    }
    let mut by_status = BTreeMap::<u16, Vec<Kind>>::new();
    for kind in kinds {
        by_status.entry(kind.status()).or_default().push(kind);
    }
    by_status
}

fn component_name(kinds: &[ProblemKind]) -> String {
    let names: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
    names.join("_or_")
}

fn refusal(kinds: &[ProblemKind], problem: &Value) -> Value {
    let titles: Vec<_> = kinds.iter().map(|kind| kind.title()).collect();
    let urns: Vec<_> = kinds.iter().map(|kind| kind.urn()).collect();
    let status = kinds.first().map_or(500, |kind| kind.status());
    let mut headers = alloc::vec![("x-request-id", "RequestId")];
    match status {
        401 => headers.push(("www-authenticate", "WwwAuthenticate")),
        429 | 503 => headers.push(("retry-after", "RetryAfter")),
        _ => {}
    }
    let type_and_status =
        json!({ "properties": { "type": { "enum": urns }, "status": { "const": status } } });
    json!({
        "description": titles.join("; or: "),
        "headers": header_references(&headers),
        "content": { "application/problem+json": { "schema": { "allOf": [problem, type_and_status] } } },
    })
}
