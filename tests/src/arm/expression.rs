//! Template expressions, for the part of the language that our templates use.
//! <https://learn.microsoft.com/azure/azure-resource-manager/templates/template-expressions>

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::{Map, Value, json};
use wm_core::value::Sha256;

#[derive(Debug, Clone, PartialEq)]
enum Expression {
    Literal(Value),
    Call(String, Vec<Expression>),
    Member(Box<Expression>, String),
}

/// The values that an expression may refer to.
pub(super) struct Scope<'a> {
    document: &'a Value,
    given: BTreeMap<String, Value>,
    /// The names under evaluation, to detect a cycle.
    under_way: RefCell<BTreeSet<String>>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(document: &'a Value, given: BTreeMap<String, Value>) -> Self {
        for name in given.keys() {
            assert!(
                document["parameters"][name].is_object(),
                "there is no parameter `{name}`"
            );
        }
        Self {
            document,
            given,
            under_way: RefCell::default(),
        }
    }

    /// Replaces every expression inside a value.
    pub(super) fn resolve(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.text(text),
            Value::Array(values) => values.iter().map(|value| self.resolve(value)).collect(),
            Value::Object(members) => {
                let evaluated = members.iter().map(|(name, value)| {
                    let name = match self.text(name) {
                        Value::String(name) => name,
                        other => panic!("a name is a text, not {other}"),
                    };
                    (name, self.resolve(value))
                });
                Value::Object(evaluated.collect())
            }
            other => other.clone(),
        }
    }

    /// A text: an expression in brackets, or a literal.
    fn text(&self, text: &str) -> Value {
        let inner = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        match inner {
            Some(inner) if !inner.starts_with('[') => {
                let mut parser = Parser { rest: inner };
                let expression = parser.expression();
                assert!(
                    parser.rest.trim().is_empty(),
                    "`{text}` goes on with `{}`",
                    parser.rest
                );
                self.value(&expression)
            }
            _ => json!(text),
        }
    }

    fn value(&self, expression: &Expression) -> Value {
        match expression {
            Expression::Literal(value) => value.clone(),
            Expression::Member(of, name) => member(&self.value(of), name),
            Expression::Call(name, arguments) if name == "if" => {
                let [condition, then, otherwise] = arguments.as_slice() else {
                    panic!("`if` takes three")
                };
                let chosen = if truth(&self.value(condition)) {
                    then
                } else {
                    otherwise
                };
                self.value(chosen)
            }
            Expression::Call(name, arguments) => {
                let arguments: Vec<Value> = arguments
                    .iter()
                    .map(|argument| self.value(argument))
                    .collect();
                self.call(name, &arguments)
            }
        }
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Value {
        match name {
            "parameters" => self.parameter(text(&arguments[0])),
            "variables" => self.looked_up(&format!("variables/{}", text(&arguments[0])), || {
                self.document["variables"].get(text(&arguments[0])).cloned()
            }),
            _ => call(name, arguments),
        }
    }

    fn parameter(&self, name: &str) -> Value {
        if let Some(value) = self.given.get(name) {
            return value.clone();
        }
        self.looked_up(&format!("parameters/{name}"), || {
            self.document["parameters"][name]
                .get("defaultValue")
                .cloned()
        })
    }

    fn looked_up(&self, what: &str, found: impl FnOnce() -> Option<Value>) -> Value {
        assert!(
            self.under_way.borrow_mut().insert(what.to_owned()),
            "`{what}` needs itself"
        );
        let found = found().unwrap_or_else(|| panic!("`{what}` has no value"));
        let evaluated = self.resolve(&found);
        self.under_way.borrow_mut().remove(what);
        evaluated
    }
}

fn member(of: &Value, name: &str) -> Value {
    match of {
        // A value that only Azure knows.
        Value::String(text) if text.starts_with('{') && text.ends_with('}') => {
            json!(format!("{}.{name}}}", text.trim_end_matches('}')))
        }
        of => {
            let found = of.get(name);
            found
                .unwrap_or_else(|| panic!("{of} has no `{name}`"))
                .clone()
        }
    }
}

fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
}

fn truth(value: &Value) -> bool {
    value
        .as_bool()
        .unwrap_or_else(|| panic!("{value} is neither true nor false"))
}

fn shown(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn call(name: &str, arguments: &[Value]) -> Value {
    let texts = || arguments.iter().map(shown).collect::<Vec<_>>();
    match name {
        "concat" => json!(texts().concat()),
        "format" => json!(format(&texts())),
        "join" => {
            let parts: Vec<String> = list(&arguments[0]).iter().map(shown).collect();
            json!(parts.join(text(&arguments[1])))
        }
        "replace" => json!(text(&arguments[0]).replace(text(&arguments[1]), text(&arguments[2]))),
        "split" => text(&arguments[0]).split(text(&arguments[1])).collect(),
        "toLower" => json!(text(&arguments[0]).to_lowercase()),
        "take" => {
            let count = usize::try_from(arguments[1].as_u64().unwrap()).unwrap();
            json!(text(&arguments[0]).chars().take(count).collect::<String>())
        }
        "length" => json!(
            arguments[0]
                .as_str()
                .map_or_else(|| list(&arguments[0]).len(), |text| text.chars().count())
        ),
        "first" => list(&arguments[0]).first().unwrap().clone(),
        "last" => list(&arguments[0]).last().unwrap().clone(),
        "json" => serde_json::from_str(text(&arguments[0])).unwrap(),
        "and" => json!(arguments.iter().all(truth)),
        "or" => json!(arguments.iter().any(truth)),
        "not" => json!(!truth(&arguments[0])),
        "equals" => json!(arguments[0] == arguments[1]),
        "lessOrEquals" => json!(arguments[0].as_i64().unwrap() <= arguments[1].as_i64().unwrap()),
        "empty" => json!(
            matches!(&arguments[0], Value::String(text) if text.is_empty())
                || matches!(&arguments[0], Value::Array(values) if values.is_empty())
        ),
        "createArray" => json!(arguments),
        "createObject" => {
            let members = arguments
                .chunks(2)
                .map(|pair| (text(&pair[0]).to_owned(), pair[1].clone()));
            Value::Object(members.collect())
        }
        "union" => {
            let members = arguments
                .iter()
                .flat_map(|object| object.as_object().unwrap().clone());
            Value::Object(members.collect::<Map<_, _>>())
        }
        "resourceId" => json!(resource_id(&texts())),
        "subscriptionResourceId" => json!(texts().join("/")),
        // Thirteen letters and digits, the same for the same arguments.
        "uniqueString" => {
            json!(Sha256::of(texts().join("\n").as_bytes()).to_string()[..13].to_owned())
        }
        "guid" => json!(format!("guid({})", texts().join(", "))),
        "reference" => json!(format!("{{{}}}", text(&arguments[0]))),
        "listKeys" => json!("{keys}"),
        "resourceGroup" | "subscription" | "deployer" => json!(format!("{{{name}}}")),
        "environment" => json!({ "suffixes": { "keyvaultDns": ".vault.azure.net" } }),
        _ => panic!("`{name}` is not known here"),
    }
}

fn list(value: &Value) -> &[Value] {
    value
        .as_array()
        .unwrap_or_else(|| panic!("{value} is no list"))
}

/// Replaces `{0}` and so on in the first text by the others.
fn format(texts: &[String]) -> String {
    let (template, values) = texts.split_first().unwrap();
    let mut whole = template.clone();
    for (position, value) in values.iter().enumerate() {
        let place = format!("{{{position}}}");
        assert!(whole.contains(&place), "`{template}` has no `{place}`");
        whole = whole.replace(&place, value);
    }
    whole
}

/// The id within the resource group: the provider, then each type with its name.
fn resource_id(texts: &[String]) -> String {
    let (kind, names) = texts.split_first().unwrap();
    let mut segments = kind.split('/');
    let mut id = segments.next().unwrap().to_owned();
    let segments: Vec<&str> = segments.collect();
    assert_eq!(
        segments.len(),
        names.len(),
        "`{kind}` takes other names than {names:?}"
    );
    for (segment, name) in segments.iter().zip(names) {
        id = format!("{id}/{segment}/{name}");
    }
    id
}

/// A parser of one expression.
struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn expression(&mut self) -> Expression {
        let mut expression = self.primary();
        while self.eat('.') {
            expression = Expression::Member(Box::new(expression), self.word());
        }
        expression
    }

    fn primary(&mut self) -> Expression {
        self.rest = self.rest.trim_start();
        match self.rest.chars().next() {
            Some('\'') => Expression::Literal(json!(self.quoted())),
            Some(digit) if digit.is_ascii_digit() => {
                let number = self.word();
                Expression::Literal(json!(number.parse::<i64>().unwrap()))
            }
            Some(_) => {
                let name = self.word();
                assert!(self.eat('('), "`{name}` is not called: `{}`", self.rest);
                let mut arguments = Vec::new();
                while !self.eat(')') {
                    arguments.push(self.expression());
                    self.eat(',');
                }
                Expression::Call(name, arguments)
            }
            None => panic!("an expression ends too early"),
        }
    }

    /// A quoted text. Two quotes in it stand for one.
    fn quoted(&mut self) -> String {
        let mut text = String::new();
        let mut letters = self.rest[1..].char_indices().peekable();
        while let Some((at, letter)) = letters.next() {
            if letter != '\'' {
                text.push(letter);
            } else if letters.next_if(|(_, next)| *next == '\'').is_some() {
                text.push('\'');
            } else {
                self.rest = &self.rest[at + 2..];
                return text;
            }
        }
        panic!("a text does not end: `{}`", self.rest)
    }

    fn word(&mut self) -> String {
        let end = self
            .rest
            .find(|letter: char| !letter.is_ascii_alphanumeric());
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        assert!(!word.is_empty(), "a name is missing: `{}`", self.rest);
        self.rest = rest;
        word.to_owned()
    }

    fn eat(&mut self, letter: char) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(letter) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        let document = json!({
            "parameters": { "name": { "defaultValue": "it''s" }, "count": { "defaultValue": 2 } },
            "variables": { "upper": "[format('{0}-{1}', parameters('name'), parameters('count'))]" },
        });
        Scope::new(&document, BTreeMap::new()).text(text)
    }

    #[test]
    fn expressions_have_the_documented_values() {
        for (text, expected) in [
            ("plain", json!("plain")),
            ("[[plain]", json!("[[plain]")),
            ("[variables('upper')]", json!("it''s-2")),
            ("[concat('it''s', ' ', 'so')]", json!("it's so")),
            ("[if(empty(''), createArray(1), createArray())]", json!([1])),
            ("[not(equals(parameters('count'), 2))]", json!(false)),
            ("[last(split('a@b', '@'))]", json!("b")),
            (
                "[resourceId('A.B/c/d', 'one', take('twofold', 3))]",
                json!("A.B/c/one/d/two"),
            ),
            (
                "[union(createObject('a', 1), createObject('b', 'c'))]",
                json!({ "a": 1, "b": "c" }),
            ),
            ("[reference('x').y.z]", json!("{x.y.z}")),
            ("[json('0.25')]", json!(0.25)),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    #[should_panic(expected = "`parameters/absent` has no value")]
    fn missing_parameter_panics() {
        value("[parameters('absent')]");
    }
}
