//! The model explains every field of every record in the section of its family.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Found, Violations, many};
use crate::{
    checkout::{Checkout, Text},
    failure::Failure,
};

/// The page that explains the fields.
const MODEL: &str = "docs/data-identity-model.md";
/// Examples of every family, one file each. Every field occurs in them.
const EXAMPLES: &str = "tests/goldens/items";
/// Members whose own members are data, not fields.
const FREE: [&str; 3] = ["clock", "labels", "values"];
/// The heading of the fields that items of all families and their envelopes have.
const ITEMS: &str = "## Items";
const ENVELOPE: &str = "## The envelope";

pub(super) fn find(checkout: &Checkout) -> Result<Found, Failure> {
    let page = checkout.read(MODEL)?;
    let page: Vec<&str> = page.split("```").step_by(2).collect();
    let page = page.concat();
    let examples = checkout.texts(EXAMPLES)?;
    let families = examples.iter().map(|example| family(&example.path));
    let model = Model {
        sections: sections(&page),
        families: families.collect(),
    };
    let mut count = 0;
    let mut violations = Violations::new();
    for example in &examples {
        let records = records(example)?;
        let fields = Fields::of(&records);
        count += fields.count();
        violations.extend(model.lacking(example, &fields));
    }
    let families = many(model.families.len(), "example");
    Ok(Found {
        looked_at: format!("{families} of families, {}", many(count, "field")),
        violations,
    })
}

fn records(example: &Text) -> Result<Value, Failure> {
    serde_json::from_str(&example.text).map_err(|error| {
        let message = format!(
            "`{}` contains no records; rewrite it with `UPDATE_GOLDENS=1 cargo test -p wm-tests --test product items::`",
            example.path
        );
        Failure::because(message, error)
    })
}

/// The family of an example file.
fn family(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.split('.').next().unwrap_or(file)
}

/// The fields of a family, by their place.
#[derive(Default)]
struct Fields<'a> {
    item: BTreeSet<&'a str>,
    envelope: BTreeSet<&'a str>,
    body: BTreeSet<&'a str>,
}

impl<'a> Fields<'a> {
    fn of(records: &'a Value) -> Self {
        let mut fields = Self::default();
        for record in records.as_array().into_iter().flatten() {
            let envelope = record.get("item");
            fields.item.extend(members(Some(record)));
            fields.envelope.extend(members(envelope));
            if let Some(body) = envelope.and_then(|envelope| envelope.get("body")) {
                collect(body, &mut fields.body);
            }
            // The local members stand beside the body, by their path in it.
            let local = envelope.and_then(|envelope| envelope.get("local"));
            for (path, value) in local.and_then(Value::as_object).into_iter().flatten() {
                fields.body.extend(path.split('.'));
                collect(value, &mut fields.body);
            }
        }
        fields
    }

    fn count(&self) -> usize {
        self.item.len() + self.envelope.len() + self.body.len()
    }
}

/// The names of a value's own members.
fn members(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let members = value.and_then(Value::as_object).into_iter().flatten();
    members.map(|(name, _)| name.as_str())
}

fn collect<'a>(value: &'a Value, names: &mut BTreeSet<&'a str>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect(value, names)),
        Value::Object(members) => {
            for (name, value) in members {
                names.insert(name);
                if !FREE.contains(&name.as_str()) {
                    collect(value, names);
                }
            }
        }
        _ => {}
    }
}

/// A section of a page: its heading, and its words in backticks.
struct Section<'a> {
    heading: &'a str,
    words: BTreeSet<&'a str>,
}

/// The sections of a page, each up to the next heading.
fn sections(page: &str) -> Vec<Section<'_>> {
    let mut sections = Vec::new();
    for line in page.lines() {
        if line.starts_with('#') {
            sections.push(Section {
                heading: line,
                words: BTreeSet::new(),
            });
        } else if let Some(section) = sections.last_mut() {
            section.words.extend(quoted(line));
        }
    }
    sections
}

fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The explanations of the model.
struct Model<'a> {
    sections: Vec<Section<'a>>,
    families: BTreeSet<&'a str>,
}

impl Model<'_> {
    /// The fields of a family without an explanation in the expected section.
    fn lacking(&self, example: &Text, fields: &Fields<'_>) -> Violations {
        let family = family(&example.path);
        let own = self.of_family(family, fields);
        let mut violations = Violations::new();
        if own.is_empty() {
            violations.push(format!(
                "`{MODEL}` has no section for `{family}`, which occurs in `{}`: add one with the heading ### `{family}`",
                example.path
            ));
        }
        for (place, words, names) in [
            (ITEMS, self.below(ITEMS), &fields.item),
            (ENVELOPE, self.below(ENVELOPE), &fields.envelope),
            (family, own, &fields.body),
        ] {
            let place = place.trim_start_matches("## ");
            violations.extend(names.difference(&words).map(|name| {
                format!(
                    "`{MODEL}` does not name `{name}` under `{place}`, but it occurs in `{}`: explain it there, in backticks",
                    example.path
                )
            }));
        }
        violations
    }

    /// The words of a chapter and its sections.
    fn below(&self, heading: &str) -> BTreeSet<&str> {
        let from = self.sections.iter();
        let mut from = from.skip_while(|section| section.heading != heading);
        let first = from.next();
        let rest = from.take_while(|section| section.heading.starts_with("### "));
        let words = first.into_iter().chain(rest);
        words.flat_map(|section| &section.words).copied().collect()
    }

    /// The words of the sections whose headings name a family, or a field of it that has fields
    /// itself.
    fn of_family(&self, family: &str, fields: &Fields<'_>) -> BTreeSet<&str> {
        let is_about = |word: &str| {
            word == family || (fields.body.contains(word) && !self.families.contains(word))
        };
        let sections = self.sections.iter();
        let own = sections.filter(|section| {
            section.heading.starts_with("### ") && quoted(section.heading).any(is_about)
        });
        own.flat_map(|section| &section.words).copied().collect()
    }
}
