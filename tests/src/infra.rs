//! The AWS templates as CloudFormation reads them.

use std::fmt::Write;

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

use crate::repository;

pub const TEMPLATE: &str = "infra/aws/template.yaml";
pub const SITE: &str = "infra/aws/site.yaml";

/// A template with its short tags (`!Ref`) in their long form (`{"Ref": …}`).
#[derive(Debug, Clone)]
pub struct Template(pub Value);

impl Template {
    /// Reads a template of this repository.
    #[must_use]
    pub fn read(path: &str) -> Self {
        let text = std::fs::read_to_string(repository::root().join(path));
        Self::parse(&text.unwrap_or_else(|error| panic!("`{path}`: {error}")))
    }

    /// Parses a template. Panics at syntax that CloudFormation does not accept.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let documents = Yaml::load_from_str(text).unwrap();
        assert_eq!(documents.len(), 1, "a template is one document");
        Self(long_form(&documents[0]))
    }

    /// The names and contents of a section, such as `Parameters`.
    #[must_use]
    pub fn section(&self, section: &str) -> Vec<(&str, &Value)> {
        let members = self.0[section].as_object();
        let members = members.into_iter().flatten();
        members
            .map(|(name, value)| (name.as_str(), value))
            .collect()
    }

    /// The names and contents of the resources of a type.
    #[must_use]
    pub fn of_type(&self, kind: &str) -> Vec<(&str, &Value)> {
        let mut resources = self.section("Resources");
        resources.retain(|(_, resource)| resource["Type"] == kind);
        resources
    }

    /// The properties of a resource, or null.
    #[must_use]
    pub fn properties(&self, name: &str) -> &Value {
        &self.0["Resources"][name]["Properties"]
    }

    /// The variables of a function, including those of all functions.
    #[must_use]
    pub fn variables(&self, function: &str) -> Map<String, Value> {
        let common = &self.0["Globals"]["Function"];
        let own = self.properties(function);
        let variables = [common, own].map(|place| place["Environment"]["Variables"].as_object());
        variables
            .into_iter()
            .flatten()
            .flatten()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }
}

/// The elements of a list, or the value itself: policies allow both.
#[must_use]
pub fn each(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().collect(),
        Value::Null => Vec::new(),
        value => vec![value],
    }
}

/// A short form of a value: a function of CloudFormation by its short tag, any other value as JSON.
#[must_use]
pub fn shown(value: &Value) -> String {
    let Some((function, argument)) = function(value) else {
        return match value {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
    };
    let mut text = format!("!{}", function.trim_start_matches("Fn::"));
    let separator = if function == "Fn::GetAtt" { "." } else { " | " };
    let arguments: Vec<String> = each(argument).into_iter().map(shown).collect();
    write!(text, " {}", arguments.join(separator)).unwrap();
    text
}

/// The CloudFormation function of a value, with its argument.
#[must_use]
pub fn function(value: &Value) -> Option<(&str, &Value)> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    let (name, argument) = members.iter().next()?;
    let is_function = name == "Ref" || name == "Condition" || name.starts_with("Fn::");
    is_function.then_some((name.as_str(), argument))
}

fn long_form(node: &Yaml<'_>) -> Value {
    match node {
        Yaml::Value(scalar) => of_scalar(scalar),
        Yaml::Sequence(items) => items.iter().map(long_form).collect(),
        Yaml::Mapping(members) => {
            let members = members.iter().map(|(name, value)| {
                let name = name.as_str().expect("a name is a text").to_owned();
                (name, long_form(value))
            });
            Value::Object(members.collect())
        }
        Yaml::Tagged(tag, node) => tagged(&tag.suffix, long_form(node)),
        // CloudFormation does not accept aliases either.
        node => panic!("a template cannot hold {node:?}"),
    }
}

fn of_scalar(scalar: &Scalar<'_>) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(value) => json!(value),
        Scalar::Integer(value) => json!(value),
        Scalar::FloatingPoint(value) => json!(value.into_inner()),
        Scalar::String(text) => json!(text),
    }
}

fn tagged(tag: &str, argument: Value) -> Value {
    match (tag, &argument) {
        ("Ref" | "Condition", _) => json!({ tag: argument }),
        ("GetAtt", Value::String(path)) => {
            let (resource, attribute) = path.split_once('.').expect("`!GetAtt` names an attribute");
            json!({ "Fn::GetAtt": [resource, attribute] })
        }
        _ => json!({ format!("Fn::{tag}"): argument }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_tags_are_expanded() {
        let template = Template::parse(
            "A: !Ref One\nB: !GetAtt Two.Arn\nC: !If [Three, !Sub \"${Four}-five\", !Ref AWS::NoValue]\n\
             D: \"true\"\nE: true\nF: 30\n",
        );
        let expected = json!({
            "A": { "Ref": "One" },
            "B": { "Fn::GetAtt": ["Two", "Arn"] },
            "C": { "Fn::If": ["Three", { "Fn::Sub": "${Four}-five" }, { "Ref": "AWS::NoValue" }] },
            "D": "true", "E": true, "F": 30,
        });
        assert_eq!(template.0, expected);
        assert_eq!(shown(&expected["B"]), "!GetAtt Two.Arn");
        assert_eq!(
            shown(&expected["C"]),
            "!If Three | !Sub ${Four}-five | !Ref AWS::NoValue"
        );
    }
}
