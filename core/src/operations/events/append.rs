//! `POST /v1/projects/{project}/artifacts/{artifact}/events`

use schemars::JsonSchema;
use serde::Deserialize;

use super::EventView;
use crate::{
    operation::{
        ARCHIVED, Budget, Example, Method, Requires, Route, Success, content::ArtifactRef, schema,
    },
    operations::content::append::{Append, Appended},
    record::{EventType, WriteEvent},
    value::{Capability, Kind, Text, Timestamp},
};

/// A write event to append.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewWriteEvent")]
pub(crate) struct Input {
    /// What kind of event it is, such as `comment`.
    kind: Kind,
    /// What the caller writes.
    text: Text,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/artifacts/{artifact}/events",
    "append_event",
    "Append a write event to a document",
    Append::<WriteEvent>::parse,
)
.describes(
    "A write event is something the caller wrote about the document: a comment, a decision, a \
     note. Write events are never changed or deleted.",
)
.requires(Requires::Project(Capability::EventAppend))
.budget(Budget::WRITE)
.takes(schema::<Input>, r#"{ "kind": "note", "text": "Seen." }"#)
.answers(&[Success::created(
    schema::<EventView>,
    Example::Text(super::EXAMPLE),
)])
.refuses(&[ARCHIVED]);

impl Appended for WriteEvent {
    type Input = Input;
    type View = EventView;
    const CAPABILITY: Capability = Capability::EventAppend;
    const EVENT: EventType = EventType::EventAppended;
    const NAME: &'static str = "event";

    fn new(target: ArtifactRef, at: Timestamp, input: &Input) -> Self {
        Self {
            project_id: target.project,
            artifact_id: target.artifact,
            at,
            kind: input.kind.clone(),
            text: input.text.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use crate::testing::document_fixture::DocumentFixture;

    #[test]
    fn commenter_writes_event_as_author() {
        let mut fixture = DocumentFixture::new();
        let path = format!("{}/events", fixture.uploaded());
        let cleo = fixture.cleo.clone();
        let body = json!({ "kind": "comment", "text": "see page 3\nand 4" });
        let answer = fixture.base.post(&cleo, &path, body).expect(201);
        assert_eq!(fixture.base.rounds, 1);
        assert_eq!(answer.body["text"], "see page 3\nand 4");
        assert_eq!(answer.body["created_by"], cleo.id());
        assert_eq!(fixture.events().last().unwrap(), "event.appended");
    }

    #[test]
    fn event_append_names_wrong_fields_and_changes_nothing() {
        let mut fixture = DocumentFixture::new();
        let path = format!("{}/events", fixture.uploaded());
        let (ben, before) = (fixture.ben.clone(), fixture.base.dump());
        for (field, value) in [
            ("text", json!("")),
            ("text", json!("x".repeat(10_001))),
            ("kind", json!("A b")),
            ("created_by", json!("usr_x")),
        ] {
            let mut body = json!({ "kind": "note", "text": "x" });
            body[field] = value;
            assert_eq!(fixture.base.post(&ben, &path, body).field(), field);
        }
        assert_eq!(fixture.base.dump(), before);
    }

    #[test]
    fn event_cannot_be_changed_or_removed() {
        let mut fixture = DocumentFixture::new();
        let path = format!("{}/events", fixture.uploaded());
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
    fn event_append_repeated_appends_once() {
        let mut fixture = DocumentFixture::new();
        let path = format!("{}/events", fixture.uploaded());
        let (ben, key) = (fixture.ben.clone(), [("idempotency-key", "e")]);
        let body = Some(json!({ "kind": "note", "text": "x" }));
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
    fn refused_event_append_changes_nothing() {
        let mut fixture = DocumentFixture::new();
        let path = format!("{}/events", fixture.uploaded());
        let (ana, vera, otto) = (
            fixture.ana.clone(),
            fixture.vera.clone(),
            fixture.otto.clone(),
        );
        let body = json!({ "kind": "note", "text": "x" });
        let before = fixture.base.dump();
        fixture
            .base
            .post(&otto, &path, body.clone())
            .expect_problem("not-found");
        let refused = fixture
            .base
            .post(&vera, &path, body.clone())
            .expect_problem("forbidden");
        assert_eq!(refused.body["missing"], json!(["event.append"]));
        assert_eq!(fixture.base.dump(), before);
        fixture.archive();
        fixture
            .base
            .post(&ana, &path, body)
            .expect_problem("conflict");
    }
}
