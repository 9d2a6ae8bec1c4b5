//! The tags of everything that is set up.

use std::{collections::BTreeMap, fmt};

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// Tags that say whose a resource is, which are not for anybody to choose.
const OURS: [&str; 2] = ["application", "environment"];
/// What the services allow beside letters, digits and spaces, as far as all of them do.
const MARKS: &str = "_.:/+-@";

/// What a cloud keeps for itself of the keys of tags.
#[derive(Debug, Clone, Copy)]
pub struct Reserved {
    /// Beginnings of keys, in lower case.
    pub starts: &'static [&'static str],
    /// Characters that a value may hold and a key may not.
    pub marks: &'static str,
}

/// The services allow 50; the rest is room for what is there already.
const MOST: usize = 40;
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;

/// Tags as people write them: `key=value,key=value`.
///
/// A key is 1 to 128 characters long and a value up to 256, of letters, digits, spaces and `_.:/+-@`.
/// No key is given twice, begins with what the cloud keeps for itself, or is one of `application` and
/// `environment`, which are always set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChosenTags(Tags);

impl ChosenTags {
    /// Reads them, for a cloud that keeps this for itself.
    ///
    /// # Errors
    /// The first thing that is wrong, with what would be right.
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

    /// These tags and the two that are always set.
    #[must_use]
    pub fn with(&self, application: &str, environment: &str) -> Tags {
        let ours = OURS.into_iter().zip([application, environment]);
        let ours = ours.map(|(key, value)| (key.to_owned(), value.to_owned()));
        self.0.clone().into_iter().chain(ours).collect()
    }
}

/// What is wrong with the text of some tags.
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
    if OURS.contains(&key) {
        return wrong(format!("`{key}` is always set: leave it out"));
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
        return wrong(format!("the key `{key}` may not hold any of `{marks}`"));
    }
    for (what, text, most) in [("key", key, LONGEST_KEY), ("value", value, LONGEST_VALUE)] {
        if text.chars().count() > most {
            return wrong(format!(
                "the {what} `{text}` is too long: use at most {most} characters"
            ));
        }
    }
    let accepted = |c: char| c.is_alphanumeric() || c == ' ' || MARKS.contains(c);
    if !key.chars().chain(value.chars()).all(accepted) {
        return wrong(format!(
            "`{key}={value}` may hold letters, digits, spaces and `{MARKS}` only"
        ));
    }
    Ok(())
}

/// The tags that are there of those that are wanted.
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
    fn reads_pairs_and_adds_whose_it_is() {
        let chosen = parse(" cost-center=42, team = Docs ").unwrap();
        let tags = chosen.with("workspace-management", "dev");
        assert_eq!(
            shown(&tags),
            "application=workspace-management,cost-center=42,environment=dev,team=Docs"
        );
        assert_eq!(parse(""), Ok(ChosenTags::default()));
    }

    #[test]
    fn says_what_is_wrong() {
        let long = "k".repeat(129);
        let many: Vec<_> = (0..41).map(|number| format!("k{number}=v")).collect();
        for (text, words) in [
            ("team", "`team` has no `=`"),
            ("=x", "`=x` has no key"),
            ("a=1,a=2", "`a` is given twice"),
            ("environment=prod", "`environment` is always set"),
            ("Cloud:x=1", "begins with `cloud:`"),
            ("a/b=1", "may not hold any of `/`"),
            ("a=<b>", "may hold"),
            ("query=a=b", "may hold"),
            (&format!("{long}=1"), "is too long"),
            (&many.join(","), "41 tags are too many"),
        ] {
            let wrong = parse(text).unwrap_err().to_string();
            assert!(wrong.contains(words), "{text}: {wrong}");
        }
    }
}
