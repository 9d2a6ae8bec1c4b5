//! `POST /v1/projects/{project}/artifacts/{artifact}/metadata`

use alloc::{format, string::String};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::MetadataView;
use crate::{
    operation::{
        ARCHIVED, Budget, Example, Method, Problem, Requires, Route, Success, content::ArtifactRef,
        schema,
    },
    operations::content::append::{Append, Appended},
    record::{EventType, Metadata},
    value::{Capability, Timestamp, canonical},
};

/// A metadata record to append.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewMetadata")]
pub(crate) struct Input {
    /// At least one member, at most 65,536 bytes of JSON, nested at most 16 deep.
    #[schemars(extend("minProperties" = 1))]
    values: Map<String, Value>,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/artifacts/{artifact}/metadata",
    "append_metadata",
    "Append a metadata record to a document",
    Append::<Metadata>::parse,
)
.describes(
    "Metadata records are never changed or deleted; a later record adds to the earlier ones. \
     At most 65,536 bytes of JSON, nested at most 16 deep.",
)
.requires(Requires::Project(Capability::MetadataAppend))
.budget(Budget::WRITE)
.takes(schema::<Input>, r#"{ "values": { "pages": 3 } }"#)
.answers(&[Success::created(
    schema::<MetadataView>,
    Example::Text(super::EXAMPLE),
)])
.refuses(&[ARCHIVED]);

/// The nesting depth of objects and arrays. The JSON parser limits the depth of every body, so the
/// recursion is bounded.
fn depth(value: &Value) -> usize {
    match value {
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

impl Appended for Metadata {
    type Input = Input;
    type View = MetadataView;
    const CAPABILITY: Capability = Capability::MetadataAppend;
    const EVENT: EventType = EventType::MetadataAppended;
    const NAME: &'static str = "metadata";

    fn check(input: &Input) -> Result<(), Problem> {
        let refuse = |message| Err(Problem::field("values", message));
        let whole = Value::Object(input.values.clone());
        if input.values.is_empty() {
            refuse("must have at least one member".into())
        } else if depth(&whole) > Metadata::DEPTH {
            refuse(format!("must be nested at most {} deep", Metadata::DEPTH))
        } else if canonical::canonical(&whole).len() > Metadata::BYTES {
            refuse(format!(
                "must be at most {} bytes of JSON; upload larger ones as a derived output",
                Metadata::BYTES
            ))
        } else {
            Ok(())
        }
    }

    fn new(target: ArtifactRef, at: Timestamp, input: &Input) -> Self {
        Self {
            project_id: target.project,
            artifact_id: target.artifact,
            at,
            values: input.values.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::{Value, json};

    use super::*;
    use crate::testing::document_fixture::DocumentFixture;

    #[test]
    fn metadata_append_stores_statement_of_the_caller() {
        let mut fixture = DocumentFixture::new();
        let path = format!("{}/metadata", fixture.uploaded());
        let (ben, values) = (
            fixture.ben.clone(),
            json!({ "pages": 3, "tags": ["a", null] }),
        );
        let body = json!({ "values": values });
        let answer = fixture.base.post(&ben, &path, body).expect(201);
        assert_eq!(fixture.base.rounds, 1);
        assert_eq!(answer.body["values"], values);
        assert_eq!(answer.body["created_by"], ben.id());
        assert_eq!(fixture.events().last().unwrap(), "metadata.appended");
    }

    fn nested(depth: usize) -> Value {
        (1..depth).fold(json!({}), |inner, _| json!({ "a": inner }))
    }

    #[test]
    fn metadata_append_enforces_its_limits_exactly() {
        let mut fixture = DocumentFixture::new();
        let path = format!("{}/metadata", fixture.uploaded());
        let ben = fixture.ben.clone();
        // `{"a":""}` takes eight bytes.
        let long = |bytes: usize| json!({ "a": "x".repeat(bytes - 8) });
        let before = fixture.base.dump();
        for values in [
            json!({}),
            json!([]),
            json!("x"),
            nested(Metadata::DEPTH + 1),
            long(Metadata::BYTES + 1),
        ] {
            let body = json!({ "values": values });
            assert_eq!(fixture.base.post(&ben, &path, body).field(), "values");
        }
        assert_eq!(fixture.base.dump(), before);
        for values in [nested(Metadata::DEPTH), long(Metadata::BYTES)] {
            let body = json!({ "values": values });
            fixture.base.post(&ben, &path, body).expect(201);
        }
    }

    #[test]
    fn case_26_author_and_time_come_from_the_server() {
        let mut fixture = DocumentFixture::new();
        let path = format!("{}/metadata", fixture.uploaded());
        let ben = fixture.ben.clone();
        for field in ["created_by", "at", "artifact_id"] {
            let mut body = json!({ "values": { "a": 1 } });
            body[field] = json!("x");
            assert_eq!(fixture.base.post(&ben, &path, body).field(), field);
        }
    }

    #[test]
    fn metadata_record_cannot_be_changed_or_removed() {
        let mut fixture = DocumentFixture::new();
        let path = format!("{}/metadata", fixture.uploaded());
        let ana = fixture.ana.clone();
        fixture
            .base
            .patch(&ana, &path, json!({}))
            .expect_problem("method-not-allowed");
        fixture
            .base
            .delete(&ana, &path)
            .expect_problem("method-not-allowed");
    }

    #[test]
    fn metadata_append_repeated_appends_once() {
        let mut fixture = DocumentFixture::new();
        let path = format!("{}/metadata", fixture.uploaded());
        let (ben, key) = (fixture.ben.clone(), [("idempotency-key", "m")]);
        let body = Some(json!({ "values": { "a": 1 } }));
        let first = fixture
            .base
            .send(&ben, "POST", &path, &key, body.clone())
            .expect(201);
        let second = fixture
            .base
            .send(&ben, "POST", &path, &key, body)
            .expect(201);
        assert_eq!(first.body, second.body);
        assert_eq!(fixture.shown(&path)["items"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn refused_metadata_append_changes_nothing() {
        let mut fixture = DocumentFixture::new();
        let path = format!("{}/metadata", fixture.uploaded());
        let (ana, cleo, otto) = (
            fixture.ana.clone(),
            fixture.cleo.clone(),
            fixture.otto.clone(),
        );
        let body = json!({ "values": { "a": 1 } });
        let before = fixture.base.dump();
        fixture
            .base
            .post(&otto, &path, body.clone())
            .expect_problem("not-found");
        let refused = fixture
            .base
            .post(&cleo, &path, body.clone())
            .expect_problem("forbidden");
        assert_eq!(refused.body["missing"], json!(["metadata.append"]));
        assert_eq!(fixture.base.dump(), before);
        fixture.archive();
        fixture
            .base
            .post(&ana, &path, body)
            .expect_problem("conflict");
    }
}
