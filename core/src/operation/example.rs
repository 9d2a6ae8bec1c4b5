//! Examples of answers, for the OpenAPI document.

use serde_json::{Value, json};

/// An example of an answer's body. The parts are JSON text, so that a deployed binary holds no code
/// that builds them.
#[derive(Debug, Clone, Copy)]
pub enum Example {
    /// The answer has no body.
    None,
    /// JSON text.
    Text(&'static str),
    /// An array with one element, as JSON text.
    List(&'static str),
    /// One page of a list with one row, as JSON text.
    Page(&'static str),
    /// An object.
    Members(&'static [(&'static str, Self)]),
    /// A value that the program has anyway.
    Made(fn() -> Value),
}

impl Example {
    /// The value. No example, like one that is not JSON, is null; a test shows that there is none of
    /// the latter.
    #[must_use]
    pub fn value(self) -> Value {
        let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
        match self {
            Self::None => Value::Null,
            Self::Text(text) => parse(text),
            Self::List(text) => json!([parse(text)]),
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
