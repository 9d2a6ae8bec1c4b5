//! The envelope that the host posts to a function with a trigger other than HTTP.
//! <https://learn.microsoft.com/azure/azure-functions/functions-custom-handlers#request-payload>

use serde_json::{Map, Value};

/// The used part of an envelope: the data of each binding, by its name in `function.json`.
#[derive(Debug)]
pub(super) struct Envelope {
    data: Map<String, Value>,
}

/// The maximum nesting of texts that contain JSON.
const MAX_NESTING: usize = 3;

impl Envelope {
    /// Parses an envelope. `None` if the body is not one.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let mut envelope: Map<String, Value> = serde_json::from_slice(body).ok()?;
        match envelope.remove("Data") {
            None => Some(Self { data: Map::new() }),
            Some(Value::Object(data)) => Some(Self { data }),
            Some(_) => None,
        }
    }

    /// The data of a binding: one value, or a list of values.
    pub(super) fn all(mut self, binding: &str) -> Vec<Value> {
        match unwrapped(self.data.remove(binding).unwrap_or_default()) {
            Value::Null => Vec::new(),
            Value::Array(values) => values.into_iter().map(unwrapped).collect(),
            value => vec![value],
        }
    }
}

/// Depending on the binding and its version, the host passes JSON directly, as a text, or as a text
/// within a text.
fn unwrapped(mut value: Value) -> Value {
    for _ in 0..MAX_NESTING {
        let Value::String(text) = &value else {
            break;
        };
        match serde_json::from_str(text) {
            Ok(inner) => value = inner,
            Err(_) => break,
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn all(data: Value) -> Vec<Value> {
        let body = json!({ "Data": { "event": data }, "Metadata": {} }).to_string();
        Envelope::read(body.as_bytes()).unwrap().all("event")
    }

    #[test]
    fn binding_is_read_at_every_nesting_depth() {
        let event = json!({ "id": "1", "data": { "text": "\"quoted\"" } });
        let text = event.to_string();
        let twice = json!(text).to_string();
        for given in [
            event.clone(),
            json!(text),
            json!(twice),
            json!([event]),
            json!([text]),
            json!(json!([event]).to_string()),
        ] {
            assert_eq!(all(given.clone()), std::slice::from_ref(&event), "{given}");
        }
    }

    #[test]
    fn empty_binding_gives_no_values() {
        assert!(all(Value::Null).is_empty() && all(json!([])).is_empty());
        let other = Envelope::read(b"{\"Metadata\":{}}").unwrap();
        assert!(other.all("event").is_empty());
        for body in ["", "[]", "text", "{\"Data\":7}"] {
            assert!(Envelope::read(body.as_bytes()).is_none(), "{body}");
        }
        assert_eq!(all(json!("no JSON")), [json!("no JSON")]);
    }
}
