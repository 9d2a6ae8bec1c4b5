//! The schemas of request bodies and answers.

use alloc::{
    collections::BTreeSet,
    format,
    string::{String, ToString},
};

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::operation::SchemaFn;

const REFERENCE_PREFIX: &str = "#/components/schemas/";

/// Two generators describe bodies and answers separately: a field that is optional in a body is
/// always present in an answer.
pub(super) struct Schemas {
    bodies: SchemaGenerator,
    answers: SchemaGenerator,
}

impl Default for Schemas {
    fn default() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self {
            bodies: settings.clone().for_deserialize().into_generator(),
            answers: settings.for_serialize().into_generator(),
        }
    }
}

impl Schemas {
    /// The schema of a body. Its references stay marked until [`Schemas::finish`] resolves them.
    pub(super) fn body(&mut self, schema: SchemaFn) -> Value {
        json!({ BODY: schema(&mut self.bodies).to_value() })
    }

    /// The schema of an answer, a parameter or a header.
    pub(super) fn answer(&mut self, schema: SchemaFn) -> Value {
        schema(&mut self.answers).to_value()
    }

    /// The properties of an answer's schema. Follows the schema's reference.
    pub(super) fn has_property(&self, schema: &Value, name: &str) -> bool {
        let reference = schema.get("$ref").and_then(Value::as_str);
        let target = match reference.and_then(|reference| reference.strip_prefix(REFERENCE_PREFIX))
        {
            Some(name) => self.answers.definitions().get(name),
            None => Some(schema),
        };
        target
            .and_then(|target| target.get("properties"))
            .is_some_and(|properties| properties.get(name).is_some())
    }

    /// Adds every schema to the document. A type whose schema differs between body and answer
    /// appears twice, as `Thing` and `ThingInput`.
    pub(super) fn finish(mut self, document: &mut Value) {
        let bodies = self.bodies.take_definitions(true);
        let mut schemas = self.answers.take_definitions(true);
        let different = different(&bodies, &schemas);
        resolve_bodies(document, &different);
        for (name, mut schema) in bodies {
            rename(&mut schema, &different);
            schemas.insert(body_name(&name, &different), schema);
        }
        if let Some(Value::Object(components)) = document.get_mut("components") {
            components.insert("schemas".into(), Value::Object(schemas));
        }
    }
}

/// Marks the schema of a body inside the document.
const BODY: &str = "x-body";

fn body_name(name: &str, different: &BTreeSet<String>) -> String {
    if different.contains(name) {
        format!("{name}Input")
    } else {
        name.to_string()
    }
}

/// The names whose schemas differ between bodies and answers, directly or through a reference.
fn different(bodies: &Map<String, Value>, answers: &Map<String, Value>) -> BTreeSet<String> {
    let mut different = BTreeSet::new();
    loop {
        let before = different.len();
        for (name, body) in bodies {
            let mut renamed = body.clone();
            rename(&mut renamed, &different);
            if answers.get(name).is_some_and(|answer| *answer != renamed) {
                different.insert(name.clone());
            }
        }
        if different.len() == before {
            return different;
        }
    }
}

/// Replaces every marked schema by the schema itself, with resolved references.
fn resolve_bodies(value: &mut Value, different: &BTreeSet<String>) {
    if let Some(mut body) = value.get_mut(BODY).map(Value::take) {
        rename(&mut body, different);
        *value = body;
        return;
    }
    match value {
        Value::Object(members) => members
            .values_mut()
            .for_each(|member| resolve_bodies(member, different)),
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| resolve_bodies(item, different)),
        _ => {}
    }
}

/// Points references at the body variants of names.
fn rename(value: &mut Value, different: &BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let name = member
                    .as_str()
                    .and_then(|text| text.strip_prefix(REFERENCE_PREFIX));
                match name {
                    Some(name) if key == "$ref" => {
                        *member =
                            format!("{REFERENCE_PREFIX}{}", body_name(name, different)).into();
                    }
                    _ => rename(member, different),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, different)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::operation::schema;

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Inner {
        #[serde(default)]
        note: Option<String>,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Outer {
        inner: Vec<Inner>,
    }

    #[test]
    fn type_with_different_body_and_answer_appears_twice() {
        let mut schemas = Schemas::default();
        let mut document = json!({
            "body": schemas.body(schema::<Outer>),
            "answer": schemas.answer(schema::<Outer>),
            "components": {},
        });
        schemas.finish(&mut document);
        assert_eq!(document["body"]["$ref"], "#/components/schemas/OuterInput");
        assert_eq!(document["answer"]["$ref"], "#/components/schemas/Outer");
        let schemas = &document["components"]["schemas"];
        let inner = &schemas["OuterInput"]["properties"]["inner"]["items"]["$ref"];
        assert_eq!(*inner, "#/components/schemas/InnerInput");
        assert_eq!(schemas["Inner"]["required"], json!(["note"]));
        assert!(schemas["InnerInput"].get("required").is_none());
    }
}
