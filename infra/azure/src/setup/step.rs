//! One change to one resource, as data.

use std::fmt;

use azure_core::http::Method;
use serde_json::{Value, json};
use wm_deploy::plan::{Resource, switched};

#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The change as text.
    pub label: String,
    /// `PUT` creates or replaces, `PATCH` changes the properties in the body, `POST` calls the
    /// action of the suffix.
    pub method: Method,
    /// The id of the resource.
    pub id: String,
    /// The part of the path after the id.
    pub suffix: &'static str,
    /// The API version of the resource provider.
    pub api: &'static str,
    /// The request body.
    pub body: Option<Value>,
    /// Whether the resource has a provisioning state to wait for.
    pub has_provisioning_state: bool,
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.label)
    }
}

impl Step {
    /// Creates or replaces a resource.
    pub(super) fn put(label: &str, id: &str, api: &'static str, body: Value) -> Self {
        Self {
            label: label.to_owned(),
            method: Method::Put,
            id: id.to_owned(),
            suffix: "",
            api,
            body: Some(body),
            has_provisioning_state: true,
        }
    }

    /// Creates a resource that is ready with the answer.
    #[must_use]
    pub fn once(label: &str, id: &str, api: &'static str, body: Value) -> Self {
        Self {
            has_provisioning_state: false,
            ..Self::put(label, id, api, body)
        }
    }

    /// Changes the properties in the body.
    pub(super) fn patch(label: &str, id: &str, api: &'static str, body: Value) -> Self {
        Self {
            method: Method::Patch,
            ..Self::put(label, id, api, body)
        }
    }
}

/// A setting and its position in a resource.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting {
    /// The name to show.
    pub(super) name: &'static str,
    /// The JSON pointer, such as `/properties/kind`.
    pub(super) pointer: &'static str,
}

/// Compares settings of one resource and collects the body of the change.
#[derive(Debug)]
pub(super) struct Comparison<'plan> {
    plan: &'plan mut Resource<Step>,
    found: Option<&'plan Value>,
    /// The body of the change.
    pub(super) body: Value,
}

impl<'plan> Comparison<'plan> {
    pub(super) fn new(plan: &'plan mut Resource<Step>, found: Option<&'plan Value>) -> Self {
        Self {
            plan,
            found,
            body: json!({}),
        }
    }

    /// Requires exactly this value.
    pub(super) fn exactly(&mut self, setting: Setting, wanted: impl Into<Value>) {
        let wanted = wanted.into();
        self.at_least(setting, wanted, |_| false);
    }

    /// Requires this value, or another one that is `enough`.
    pub(super) fn at_least(
        &mut self,
        setting: Setting,
        wanted: impl Into<Value>,
        enough: impl Fn(&Value) -> bool,
    ) {
        let wanted = wanted.into();
        // A setting that was never set can have either value.
        let there = |found: &Value| found.pointer(setting.pointer).cloned();
        let found = self.found.map(|found| there(found).unwrap_or_default());
        let is_fine = |found: &Value| *found == wanted || enough(found);
        let (found, wanted) = match found {
            Some(found) if is_fine(&found) => (Some(found.clone()), found),
            found => {
                put(&mut self.body, setting.pointer, wanted.clone());
                (found, wanted)
            }
        };
        let found = found.as_ref().map(shown);
        self.plan.compare(setting.name, found, shown(&wanted), None);
    }
}

/// A value as text for people.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "not set".to_owned(),
        Value::Bool(is_on) => switched(*is_on),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Sets a value at a pointer and creates missing parents.
pub(super) fn put(into: &mut Value, pointer: &str, value: Value) {
    let mut target = into;
    for part in pointer.split('/').skip(1) {
        if !target.is_object() {
            *target = json!({});
        }
        let Value::Object(members) = target else {
            return;
        };
        target = members.entry(part).or_insert(Value::Null);
    }
    *target = value;
}

/// A text in a resource.
pub(super) fn text<'value>(value: &'value Value, pointer: &str) -> &'value str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// A list in a resource. A missing list counts as empty.
pub(super) fn list<'value>(value: &'value Value, pointer: &str) -> &'value [Value] {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparison_collects_only_differences() {
        let found = json!({ "kind": "X", "properties": { "tls": "1.3", "days": 7 } });
        let mut plan = Resource::new("x");
        let mut comparison = Comparison::new(&mut plan, Some(&found));
        let setting = |name, pointer| Setting { name, pointer };
        comparison.exactly(setting("kind", "/kind"), "X");
        comparison.at_least(setting("tls", "/properties/tls"), "1.2", |found| {
            found == "1.3"
        });
        assert_eq!(comparison.body, json!({}));
        comparison.exactly(setting("days", "/properties/days"), 30);
        comparison.exactly(setting("open", "/properties/open"), false);
        assert_eq!(
            comparison.body,
            json!({ "properties": { "days": 30, "open": false } })
        );
        assert_eq!(plan.count(), (0, 2));
        let shown = plan.to_string();
        assert!(shown.contains("7 \u{2192} 30"), "{shown}");
        assert!(shown.contains("not set \u{2192} off"), "{shown}");
    }
}
