//! The tags of all resources.

use std::{collections::BTreeMap, fmt};

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// Tags that identify the deployment. Flags cannot set them.
const DEPLOYMENT_TAGS: [&str; 2] = ["application", "environment"];
/// Characters that all services allow, besides letters, digits and spaces.
const PUNCTUATION: &str = "_.:/+-@";

/// The reserved keys of tags.
#[derive(Debug, Clone, Copy)]
pub struct Reserved {
    /// Reserved prefixes of keys, in lower case.
    pub starts: &'static [&'static str],
    /// Characters that are allowed in a value but not in a key.
    pub marks: &'static str,
}

/// The services allow 50 tags. The others are for existing tags.
const MOST: usize = 40;
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;

/// Tags in the form `key=value,key=value`.
///
/// A key has 1 to 128 characters and a value up to 256: letters, digits, spaces and `_.:/+-@`. A
/// key must be unique, must not begin with a reserved prefix, and must not be `application` or
/// `environment`, which are always set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChosenTags(Tags);

impl ChosenTags {
    /// Parses tags for a cloud with these reserved keys.
    ///
    /// # Errors
    /// The first error.
    pub fn parse(text: &str, reserved: Reserved) -> Result<Self, WrongTags> {
        let mut tags = Tags::new();
        let pairs = text.split(',').map(str::trim);
        for pair in pairs.filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or_else(|| {
                WrongTags(format!("`{pair}` has no `=`: write `key=value,key=value`"))
            })?;
            let (key, value) = (key.trim(), value.trim());
            check(key, value, reserved)?;
            if tags.insert(key.to_owned(), value.to_owned()).is_some() {
                return Err(WrongTags(format!("`{key}` is given twice: keep one")));
            }
        }
        if tags.len() > MOST {
            let count = tags.len();
            return Err(WrongTags(format!("{count} tags are too many: keep {MOST}")));
        }
        Ok(Self(tags))
    }

    /// These tags and the two tags that are always set.
    #[must_use]
    pub fn with(&self, application: &str, environment: &str) -> Tags {
        let deployment_tags = DEPLOYMENT_TAGS.into_iter().zip([application, environment]);
        let deployment_tags =
            deployment_tags.map(|(key, value)| (key.to_owned(), value.to_owned()));
        self.0.clone().into_iter().chain(deployment_tags).collect()
    }
}

/// The error in the text of tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongTags(String);

impl fmt::Display for WrongTags {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for WrongTags {}

fn check(key: &str, value: &str, reserved: Reserved) -> Result<(), WrongTags> {
    let wrong = |message: String| Err(WrongTags(message));
    if key.is_empty() {
        return wrong(format!("`={value}` has no key: write `key=value`"));
    }
    if DEPLOYMENT_TAGS.contains(&key) {
        return wrong(format!("`{key}` is always set: remove it"));
    }
    let lower = key.to_lowercase();
    let mut starts = reserved.starts.iter();
    if let Some(start) = starts.find(|start| lower.starts_with(**start)) {
        return wrong(format!(
            "`{key}` begins with `{start}`, which is reserved: choose another key"
        ));
    }
    if key.contains(|c| reserved.marks.contains(c)) {
        let marks = reserved.marks;
        return wrong(format!("the key `{key}` must not contain any of `{marks}`"));
    }
    for (what, text, most) in [("key", key, LONGEST_KEY), ("value", value, LONGEST_VALUE)] {
        if text.chars().count() > most {
            return wrong(format!(
                "the {what} `{text}` is too long: use at most {most} characters"
            ));
        }
    }
    let accepted = |c: char| c.is_alphanumeric() || c == ' ' || PUNCTUATION.contains(c);
    if !key.chars().chain(value.chars()).all(accepted) {
        return wrong(format!(
            "`{key}={value}` must contain only letters, digits, spaces and `{PUNCTUATION}`"
        ));
    }
    Ok(())
}

/// The wanted tags that exist already.
#[must_use]
pub fn shared(found: &Tags, wanted: &Tags) -> Tags {
    let mut shared = found.clone();
    shared.retain(|key, _| wanted.contains_key(key));
    shared
}

/// Tags on one line.
#[must_use]
pub fn shown(tags: &Tags) -> String {
    if tags.is_empty() {
        return "none".to_owned();
    }
    let pairs = tags.iter().map(|(key, value)| format!("{key}={value}"));
    pairs.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESERVED: Reserved = Reserved {
        starts: &["cloud:"],
        marks: "/",
    };

    fn parse(text: &str) -> Result<ChosenTags, WrongTags> {
        ChosenTags::parse(text, RESERVED)
    }

    #[test]
    fn tags_are_parsed_and_get_the_fixed_ones() {
        let chosen = parse(" cost-center=42, team = Docs ").unwrap();
        let tags = chosen.with("workspace-management", "dev");
        assert_eq!(
            shown(&tags),
            "application=workspace-management,cost-center=42,environment=dev,team=Docs"
        );
        assert_eq!(parse(""), Ok(ChosenTags::default()));
    }

    #[test]
    fn tag_errors_name_the_cause() {
        let long = "k".repeat(129);
        let many: Vec<_> = (0..41).map(|number| format!("k{number}=v")).collect();
        for (text, words) in [
            ("team", "`team` has no `=`"),
            ("=x", "`=x` has no key"),
            ("a=1,a=2", "`a` is given twice"),
            ("environment=prod", "`environment` is always set"),
            ("Cloud:x=1", "begins with `cloud:`"),
            ("a/b=1", "must not contain any of `/`"),
            ("a=<b>", "must contain only"),
            ("query=a=b", "must contain only"),
            (&format!("{long}=1"), "is too long"),
            (&many.join(","), "41 tags are too many"),
        ] {
            let wrong = parse(text).unwrap_err().to_string();
            assert!(wrong.contains(words), "{text}: {wrong}");
        }
    }
}
