//! Normalises answers of surfaces with their own clocks and randomness, so that they can be
//! compared.

use std::{collections::BTreeMap, sync::LazyLock};

use regex::{Captures, Regex};
use serde_json::{Value, json};

use super::compare::HEADERS;
use crate::harness::Answer;

/// Ids, digests, times and cursors, which differ between surfaces.
static OWN: LazyLock<Regex> = LazyLock::new(|| {
    let own = [
        r"\b[a-z]{3,4}_[0-9a-hjkmnp-tv-z]{26}(?:[0-9a-hjkmnp-tv-z]{26})?(?:_[0-9]{5})?\b",
        r"\b[0-9a-f]{64}\b",
        r"\b[0-9a-f]{32}\b",
        r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z",
    ];
    Regex::new(&own.join("|")).unwrap()
});

/// Replaces each such value by its number within its kind: the first id, the second …
#[derive(Debug, Clone, Default)]
pub(super) struct Normaliser(BTreeMap<String, usize>);

impl Normaliser {
    /// A normalised answer.
    pub(super) fn answer(&mut self, answer: &Answer) -> Value {
        let headers: Vec<Value> = HEADERS
            .into_iter()
            .filter(|name| *name != "traceparent")
            .map(|name| json!([name, answer.header(name)]))
            .collect();
        let mut body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        neutral(&mut body);
        self.value(&json!({ "status": answer.status, "headers": headers, "body": body }))
    }

    /// A normalised value.
    pub(super) fn value(&mut self, value: &Value) -> Value {
        let text = value.to_string();
        let text = OWN.replace_all(&text, |found: &Captures<'_>| self.name(&found[0]));
        serde_json::from_str(&text).unwrap()
    }

    fn name(&mut self, found: &str) -> String {
        if found.ends_with('Z') {
            return "a time".into();
        }
        let next = self.0.len();
        let number = *self.0.entry(found.to_owned()).or_insert(next);
        let kind = found.split_once('_').map_or("digest", |(kind, _)| kind);
        format!("{kind} {number}")
    }
}

/// Removes values of the provider.
fn neutral(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(neutral),
        Value::Object(members) => {
            for (name, value) in members {
                let own = [
                    "headers",
                    "next_cursor",
                    "storage_provider",
                    "upload_id",
                    "url",
                ];
                if own.contains(&name.as_str()) {
                    *value = json!(!value.is_null());
                } else {
                    neutral(value);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_get_equal_names() {
        let mut normal = Normaliser::default();
        let id = "acc_01h2xcejqtf2nbrexx3vqjhp41";
        let value = json!({ "id": id, "at": "2026-11-28T12:00:00.000Z", "of": [id, "name"] });
        let neutral = json!({ "id": "acc 0", "at": "a time", "of": ["acc 0", "name"] });
        assert_eq!(normal.value(&value), neutral);
        assert_eq!(normal.value(&json!("0".repeat(64))), json!("digest 1"));
    }
}
