//! Compares the answers, events and items of two surfaces.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wm_core::{
    record::{Artifact, Body, CloudEvent, Derived, JournalEntry, Record, User, Version},
    storage::Item,
};

use super::model::Model;
use crate::harness::Answer;

/// Members whose values belong to the provider: URLs and their headers, the provider's name of an
/// upload, its own name, and the issuer of a person's identity. They exist on both surfaces or on neither. A URL leads to the same
/// object, and only its use shows whether it works.
const SHAPED: [&str; 5] = ["headers", "issuer", "storage_provider", "upload_id", "url"];

/// The provider's name of an object version. A node's objects have none because they never change,
/// and azurite keeps none.
const VERSION: &str = "object_version";

/// Members that are digests. Digests over a provider's values, a person's issuer name or a token
/// differ between surfaces. Each digest of one surface corresponds to exactly one of the other.
const DIGESTS: [&str; 9] = [
    "checksum",
    "digest",
    "etag",
    "fingerprint",
    "first_invalid",
    "hash",
    "head",
    "previous",
    "profile_identity",
];

/// The families whose digests cover such values.
const OPAQUE: [&str; 8] = [
    "artifact",
    "derived",
    "head",
    "idempotency",
    "identity_link",
    "journal_entry",
    "user",
    "version",
];

/// The headers of an answer that the application sets.
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

/// The mapping of the reference's digests to another surface's.
#[derive(Debug, Clone, Default)]
pub struct Digests {
    forward: BTreeMap<String, String>,
    back: BTreeMap<String, String>,
}

impl Digests {
    /// The other surface's digest for a digest of the reference.
    #[must_use]
    pub fn other(&self, reference: &str) -> Option<&str> {
        self.forward.get(reference).map(String::as_str)
    }

    /// Checks that two digests may correspond, and records the pair.
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
    /// The name of the surface.
    pub target: &'static str,
    /// The mapping of digests.
    pub digests: &'a mut Digests,
    /// Whether digests may differ here.
    pub opaque: bool,
}

impl Comparison<'_> {
    /// Compares two answers.
    ///
    /// # Errors
    ///
    /// The place and both values.
    pub fn answers(&mut self, reference: &Answer, other: &Answer) -> Result<(), String> {
        self.values("status", &json!(reference.status), &json!(other.status))?;
        for name in HEADERS {
            let values = |answer: &Answer| {
                let of_name = answer.headers.iter().filter(|(known, _)| known == name);
                json!(of_name.map(|(_, value)| value).collect::<Vec<_>>())
            };
            self.values(name, &values(reference), &values(other))?;
        }
        if reference.body == other.body {
            return Ok(());
        }
        // Not byte by byte: the members must be the same, in the same order, and each only once.
        match (document(&reference.body), document(&other.body)) {
            (Some(reference), Some(other)) => self.values("body", &reference, &other),
            _ => {
                let text = |answer: &Answer| json!(String::from_utf8_lossy(&answer.body));
                differ("body", &text(reference), &text(other))
            }
        }
    }

    /// Compares two lists of events. A bus guarantees neither their order nor a single delivery.
    ///
    /// # Errors
    ///
    /// The place and both values.
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
        exactly("events", &ids(&reference), &ids(&other))?;
        for (reference, other) in reference.iter().zip(&other) {
            let value = |event| serde_json::to_value(event).unwrap();
            self.values(&reference.id, &value(reference), &value(other))?;
        }
        Ok(())
    }

    /// Compares two lists of stored items.
    ///
    /// # Errors
    ///
    /// The place and both values.
    pub fn items(&mut self, reference: &[Item], other: &[Item]) -> Result<(), String> {
        let keys = |items: &[Item]| {
            let keys = items.iter().map(|item| item.key.sort.to_string());
            json!(keys.collect::<Vec<_>>())
        };
        let scope = reference.first().map(|item| item.key.scope);
        let scope = scope.map(|scope| scope.to_string()).unwrap_or_default();
        exactly(&scope, &keys(reference), &keys(other))?;
        for (reference, other) in reference.iter().zip(other) {
            let place = reference.key.to_string();
            if !is_sound(other) {
                return Err(format!("the digests at `{place}` do not match the content"));
            }
            let (reference, other) = (stored(reference), stored(other));
            // The records of an account hold no values of the provider.
            if scope.starts_with("ACCOUNT#") {
                exactly(&place, &reference, &other)?;
            } else {
                self.values(&place, &reference, &other)?;
            }
        }
        Ok(())
    }

    /// Compares two values.
    fn values(&mut self, place: &str, reference: &Value, other: &Value) -> Result<(), String> {
        let name = place.rsplit('.').find(|part| !part.starts_with('['));
        let name = name.unwrap_or_default();
        match (reference, other) {
            _ if name == VERSION || SHAPED.contains(&name) => {
                self.providers(name, place, reference, other)
            }
            (Value::Object(left), Value::Object(right)) => {
                // A record, or a change of one, names its family.
                let family = reference["family"].as_str();
                let outer = self.opaque;
                self.opaque = family.map_or(outer, |family| OPAQUE.contains(&family));
                let names = |members: &serde_json::Map<String, Value>| {
                    json!(members.keys().collect::<Vec<_>>())
                };
                exactly(place, &names(left), &names(right))?;
                for (name, value) in left {
                    self.values(&format!("{place}.{name}"), value, &right[name])?;
                }
                self.opaque = outer;
                Ok(())
            }
            (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
                for (number, (left, right)) in left.iter().zip(right).enumerate() {
                    self.values(&format!("{place}.[{number}]"), left, right)?;
                }
                Ok(())
            }
            (Value::String(left), Value::String(right))
                if DIGESTS.contains(&name) && self.opaque =>
            {
                match self.digests.agree(left, right) {
                    true => Ok(()),
                    false => differ(place, reference, other),
                }
            }
            _ => exactly(place, reference, other),
        }
    }

    /// Compares values of the provider.
    fn providers(
        &self,
        name: &str,
        place: &str,
        reference: &Value,
        other: &Value,
    ) -> Result<(), String> {
        let same = match name {
            VERSION if self.target == "aws" => reference.is_null() == other.is_null(),
            VERSION if self.target != "memory" => other.is_null(),
            "storage_provider" => *other == self.target,
            "url" => Model::object(reference) == Model::object(other),
            _ => reference.is_null() == other.is_null(),
        };
        if same {
            Ok(())
        } else {
            differ(place, reference, other)
        }
    }
}

fn exactly(place: &str, reference: &Value, other: &Value) -> Result<(), String> {
    if reference == other {
        Ok(())
    } else {
        differ(place, reference, other)
    }
}

fn differ(place: &str, reference: &Value, other: &Value) -> Result<(), String> {
    Err(format!(
        "`{place}` is\n      {reference} by the reference, but here\n      {other}"
    ))
}

/// Parses a JSON body without duplicate members and without spaces.
fn document(body: &[u8]) -> Option<Value> {
    let value: Value = serde_json::from_slice(body).ok()?;
    (value.to_string().as_bytes() == body).then_some(value)
}

/// Checks an item's digests against its body, for items whose digests may differ from the
/// reference's.
fn is_sound(item: &Item) -> bool {
    fn decodes<B: Body>(item: &Item) -> bool {
        Record::<B>::decode(item).is_ok()
    }
    let body: Value = serde_json::from_str(&item.body).unwrap_or_default();
    match body["family"].as_str() {
        Some("artifact") => decodes::<Artifact>(item),
        Some("derived") => decodes::<Derived>(item),
        Some("journal_entry") => decodes::<JournalEntry>(item),
        Some("user") => decodes::<User>(item),
        Some("version") => decodes::<Version>(item),
        _ => true,
    }
}

/// Checks whether an item is a delivery claim of a mail.
pub(super) fn is_mail_claim(item: &Item) -> bool {
    item.key.sort.as_str().starts_with("IDEM#MAIL#")
}

/// Puts the local members of a record into its body, so that they are compared like the others.
fn join_local(record: &mut Value) {
    let local = record.as_object_mut().unwrap().remove("local");
    if let Some(content) = record["body"]["content"].as_object_mut() {
        for name in [VERSION, "upload_id"] {
            content.insert(name.into(), Value::Null);
        }
    }
    let members = local.iter().filter_map(Value::as_object).flatten();
    for (path, value) in members {
        let pointer = format!("/{}", path.replace('.', "/"));
        match record["body"].pointer_mut(&pointer) {
            Some(place) => *place = value.clone(),
            None => record["body"][path] = value.clone(),
        }
    }
}

/// Removes what only the sweep writes in a head. Each surface sweeps at a time of its own, and checksum
/// and ETag of a head cover these members.
fn leave_out_counts(body: &mut Value) {
    for name in ["counting", "counted_at", "projects"] {
        if let Some(head) = body["body"].as_object_mut() {
            head.remove(name);
        }
    }
    body["checksum"].take();
}

/// An item as one value. For a delivery claim, only the fact that the mail was sent is compared.
/// Its times and its attempt differ.
fn stored(item: &Item) -> Value {
    let mut body: Value = serde_json::from_str(&item.body).unwrap();
    join_local(&mut body);
    if let Some(identities) = body["body"]["identities"].as_array_mut() {
        // They are sorted by their digests, which differ between surfaces.
        identities.sort_by_key(|identity| identity["linked_at"].to_string());
    }
    if is_mail_claim(item) {
        return json!({ "sent": body["body"]["sent"] });
    }
    let index = item.index.iter().map(|key| {
        let key = key.as_ref();
        key.map(|key| json!([key.partition, key.sort]))
    });
    let index: Vec<Option<Value>> = index.collect();
    if body["family"] == "identity_link" {
        // The digest of a person's issuer name.
        body["id"].take();
    }
    let is_head = body["family"] == "head";
    if is_head {
        leave_out_counts(&mut body);
    }
    json!({
        "family": body["family"],
        "etag": (!is_head).then_some(item.etag.as_str()),
        "expires_at": item.expires_at.map(|time| time.millis()),
        "index": index,
        "body": body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(reference: &Value, other: &Value) -> Result<(), String> {
        let mut digests = Digests::default();
        let mut comparison = Comparison {
            target: "aws",
            digests: &mut digests,
            opaque: false,
        };
        comparison.values("body", reference, other)
    }

    #[test]
    fn provider_values_are_compared_by_meaning() {
        let key = "accounts/acc_01jd0000000000000000000000/projects/\
            prj_01jd000000000000000000000001jd0000000000000000000000/artifacts/\
            art_01jd0000000000000000000000/raw/1/a.txt";
        let at = |origin: &str, key: &str| json!({ "url": format!("{origin}{key}?signature=x") });
        let (here, there) = ("memory://", "https://bucket.test/");
        assert_eq!(compare(&at(here, key), &at(there, key)), Ok(()));
        let other = key.replace("a.txt", "b.txt");
        assert!(compare(&at(here, key), &at(there, &other)).is_err());
        let stored = |provider: &str| json!({ "storage_provider": provider });
        assert_eq!(compare(&stored("local"), &stored("aws")), Ok(()));
        assert!(compare(&stored("local"), &stored("local")).is_err());
    }

    #[test]
    fn differing_digests_correspond_one_to_one() {
        let of = |family: &str, digests: [&str; 2]| {
            let records = digests.map(|digest| json!({ "family": family, "checksum": digest }));
            json!(records)
        };
        assert_eq!(
            compare(&of("artifact", ["a", "b"]), &of("artifact", ["c", "d"])),
            Ok(())
        );
        assert!(compare(&of("artifact", ["a", "b"]), &of("artifact", ["c", "c"])).is_err());
        assert!(compare(&of("grant", ["a", "b"]), &of("grant", ["c", "d"])).is_err());
    }

    #[test]
    fn missing_member_is_not_null() {
        assert!(compare(&json!({ "a": null }), &json!({ "b": 1 })).is_err());
        assert!(compare(&json!({ "upload_id": null }), &json!({ "x": null })).is_err());
    }
}
