//! When two surfaces say the same.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wm_core::{cloud_event::CloudEvent, storage::Item};

use crate::harness::Answer;

/// Members whose values are the provider's own: addresses and the headers that go with them, the name it gave
/// to an upload, and its own name. They are there on both surfaces or on neither, and whether they work is
/// seen by using them.
const SHAPED: [&str; 4] = ["headers", "storage_provider", "upload_id", "url"];

/// The provider's name for a version of an object, which a store without versions has none of: a node's objects
/// never change.
const VERSION: &str = "object_version";

/// Members that are digests, and cover what is listed above, an issuer's name for a person, or a token of theirs. One surface's digest
/// stands for one of another's, and for no second one.
const OPAQUE: [&str; 8] = [
    "checksum",
    "etag",
    "fingerprint",
    "first_invalid",
    "hash",
    "head",
    "identities",
    "previous",
];

/// The headers of an answer that are the application's.
pub(super) const HEADERS: [&str; 10] = [
    "allow",
    "cache-control",
    "content-type",
    "etag",
    "location",
    "retry-after",
    "traceparent",
    "www-authenticate",
    "x-content-type-options",
    "x-request-id",
];

/// Which digest of one surface stands for which of another's.
#[derive(Debug, Clone, Default)]
pub struct Digests {
    forward: BTreeMap<String, String>,
    back: BTreeMap<String, String>,
}

impl Digests {
    /// What stands on the other surface for this digest of the reference's.
    #[must_use]
    pub fn other(&self, reference: &str) -> Option<&str> {
        self.forward.get(reference).map(String::as_str)
    }

    /// Whether these two may stand for each other, which they do from then on.
    fn agree(&mut self, reference: &str, other: &str) -> bool {
        let forward = self.forward.entry(reference.to_owned());
        let back = self.back.entry(other.to_owned());
        let there = forward.or_insert_with(|| other.to_owned());
        let here = back.or_insert_with(|| reference.to_owned());
        there == other && here == reference
    }
}

/// A comparison of one surface with the reference.
pub struct Comparison<'a> {
    /// Which digests stand for which.
    pub digests: &'a mut Digests,
    /// Whether digests may differ here at all: nothing of an account's is the provider's.
    pub opaque: bool,
}

impl Comparison<'_> {
    /// Where two answers differ.
    ///
    /// # Errors
    /// The place, with what each says there.
    pub fn answers(&mut self, reference: &Answer, other: &Answer) -> Result<(), String> {
        self.values("status", &json!(reference.status), &json!(other.status))?;
        for name in HEADERS {
            let value = |answer: &Answer| json!(answer.header(name));
            self.values(name, &value(reference), &value(other))?;
        }
        match (parsed(reference), parsed(other)) {
            (Some(reference), Some(other)) => self.values("body", &reference, &other),
            _ => {
                let text = |answer: &Answer| json!(String::from_utf8_lossy(&answer.body));
                self.values("body", &text(reference), &text(other))
            }
        }
    }

    /// Where two lists of events differ. Neither their order on a bus is promised, nor that each comes only once.
    ///
    /// # Errors
    /// As above.
    pub fn events(&mut self, reference: &[CloudEvent], other: &[CloudEvent]) -> Result<(), String> {
        let sorted = |events: &[CloudEvent]| {
            let mut events = events.to_vec();
            events.sort_by_key(|event| (event.subject.clone(), event.data.seq));
            events.dedup();
            events
        };
        let (reference, other) = (sorted(reference), sorted(other));
        let ids = |events: &[CloudEvent]| {
            let ids = events.iter().map(|event| event.id.clone());
            json!(ids.collect::<Vec<_>>())
        };
        self.exactly("events", &ids(&reference), &ids(&other))?;
        for (reference, other) in reference.iter().zip(&other) {
            self.opaque = !reference.subject.starts_with("ACCOUNT#");
            let value = |event| serde_json::to_value(event).unwrap();
            self.values(&reference.id, &value(reference), &value(other))?;
        }
        Ok(())
    }

    /// Where two lists of stored items differ.
    ///
    /// # Errors
    /// As above.
    pub fn items(&mut self, reference: &[Item], other: &[Item]) -> Result<(), String> {
        let keys = |items: &[Item]| {
            let keys = items.iter().map(|item| item.key.sort.to_string());
            json!(keys.collect::<Vec<_>>())
        };
        let scope = reference
            .first()
            .map(|item| item.key.scope.to_string())
            .unwrap_or_default();
        self.exactly(&scope, &keys(reference), &keys(other))?;
        self.opaque = !scope.starts_with("ACCOUNT#") && !scope.starts_with("EMAIL#");
        for (reference, other) in reference.iter().zip(other) {
            let place = reference.key.to_string();
            self.values(&place, &document(reference), &document(other))?;
        }
        Ok(())
    }

    /// Where two values differ.
    ///
    /// # Errors
    /// As above.
    pub fn values(&mut self, place: &str, reference: &Value, other: &Value) -> Result<(), String> {
        let name = place.rsplit('.').find(|part| !part.starts_with('['));
        let name = name.unwrap_or_default();
        if name == VERSION {
            return Ok(());
        }
        if SHAPED.contains(&name) {
            return match reference.is_null() == other.is_null() {
                true => Ok(()),
                false => differ(place, reference, other),
            };
        }
        match (reference, other) {
            (Value::Object(left), Value::Object(right)) if left.len() == right.len() => {
                for (name, value) in left {
                    let there = right.get(name).unwrap_or(&Value::Null);
                    self.values(&format!("{place}.{name}"), value, there)?;
                }
                Ok(())
            }
            (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
                for (number, (left, right)) in left.iter().zip(right).enumerate() {
                    self.values(&format!("{place}.[{number}]"), left, right)?;
                }
                Ok(())
            }
            (Value::String(left), Value::String(right))
                if OPAQUE.contains(&name) && self.opaque =>
            {
                match self.digests.agree(left, right) {
                    true => Ok(()),
                    false => differ(place, reference, other),
                }
            }
            _ => self.exactly(place, reference, other),
        }
    }

    fn exactly(&self, place: &str, reference: &Value, other: &Value) -> Result<(), String> {
        if reference == other {
            Ok(())
        } else {
            differ(place, reference, other)
        }
    }
}

fn differ(place: &str, reference: &Value, other: &Value) -> Result<(), String> {
    Err(format!(
        "`{place}` is\n      {reference} by the reference, but here\n      {other}"
    ))
}

fn parsed(answer: &Answer) -> Option<Value> {
    serde_json::from_slice(&answer.body).ok()
}

/// An item as one value. Of the mark of a mail only that it went is compared: the rest says when, and by which
/// attempt.
fn document(item: &Item) -> Value {
    let mut body: Value = serde_json::from_str(&item.body).unwrap();
    if body["family"] == "delivery" {
        return json!({ "sent": body["body"]["sent"] });
    }
    let index = item.index.iter().map(|key| {
        let key = key.as_ref();
        key.map(|key| json!([key.partition, key.sort]))
    });
    if body["family"] == "identity_link" {
        // The digest of an issuer's name for a person.
        body["id"].take();
    }
    json!({
        "etag": item.etag.as_str(),
        "expires_at": item.expires_at.map(|time| time.millis()),
        "index": index.collect::<Vec<_>>(),
        "body": body,
    })
}
