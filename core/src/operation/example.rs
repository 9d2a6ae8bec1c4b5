//! Examples of answers, for the OpenAPI document.

use serde_json::{Value, json};

/// An example of an answer's body, mostly as JSON text.
#[derive(Debug, Clone, Copy)]
pub enum Example {
    /// The answer has no body.
    None,
    /// JSON text.
    Text(&'static str),
    /// An object, as JSON text, with these members added or replaced.
    With(&'static str, &'static [(&'static str, &'static str)]),
    /// An array with this element.
    List(&'static Self),
    /// One page of a list with this row, as JSON text.
    Page(&'static str),
    /// An object with these members.
    Members(&'static [(&'static str, Self)]),
    /// The result of this function, for values that the program contains anyway.
    Made(fn() -> Value),
}

impl Example {
    /// The value of the example, or null. A test asserts that every text is valid JSON.
    #[must_use]
    pub fn value(self) -> Value {
        let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
        match self {
            Self::None => Value::Null,
            Self::Text(text) => parse(text),
            Self::With(text, changes) => {
                let mut value = parse(text);
                if let Value::Object(members) = &mut value {
                    let changes = changes.iter();
                    members.extend(changes.map(|(name, text)| ((*name).into(), parse(text))));
                }
                value
            }
            Self::List(element) => json!([element.value()]),
            Self::Page(text) => json!({ "items": [parse(text)], "next_cursor": null }),
            Self::Members(members) => {
                let members = members.iter();
                members
                    .map(|(name, example)| (*name, example.value()))
                    .collect()
            }
            Self::Made(make) => make(),
        }
    }
}
