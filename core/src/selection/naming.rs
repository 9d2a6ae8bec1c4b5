//! Names from prefix and environment, and the rules of providers for names.

use alloc::{
    format,
    string::{String, ToString},
};

use crate::{
    catalog::{Field, Rule},
    value::Sha256,
};

/// Digits of the digest that a shortened name ends with.
const DIGEST_DIGITS: usize = 6;
/// The maximum length of an environment. It leaves room for a prefix in the shortest name of any
/// provider.
const ENVIRONMENT_LENGTH: usize = 12;

/// The prefix as part of a name: lower-case letters and digits, with one hyphen for all other
/// characters in a row.
pub(super) fn slug(prefix: &str) -> String {
    let mut slug = String::new();
    for character in prefix.chars() {
        if character.is_ascii_alphanumeric() {
            slug.push(character.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_string()
}

pub(super) fn is_environment(text: &str) -> bool {
    text.len() <= ENVIRONMENT_LENGTH
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && slug(text) == text
}

/// The name for a field with this rule.
pub(super) fn derive(rule: Rule, slug: &str, environment: &str, ending: &str) -> String {
    match rule {
        Rule::Compact { length } => compact(length.1, slug, environment, ending),
        Rule::Hyphenated {
            length, reserved, ..
        } => {
            let taken = reserved
                .iter()
                .any(|start| format!("{slug}-").starts_with(start));
            let slug = if taken {
                format!("wm-{slug}")
            } else {
                slug.to_string()
            };
            hyphenated(length.1, &slug, environment, ending)
        }
        Rule::Identifier { length } => hyphenated(length.1, slug, environment, ending),
        Rule::Exactly | Rule::Location { .. } | Rule::Path => ending.to_string(),
    }
}

fn hyphenated(most: usize, slug: &str, environment: &str, ending: &str) -> String {
    let mut tail = format!("-{environment}");
    if !ending.is_empty() {
        tail = format!("{tail}-{ending}");
    }
    let room = most.saturating_sub(tail.len());
    if slug.len() <= room {
        return format!("{slug}{tail}");
    }
    let start = first(slug, room.saturating_sub(DIGEST_DIGITS + 1));
    let start = start.trim_end_matches('-');
    format!("{start}-{}{tail}", digest(slug))
}

/// A name without hyphens. If the prefix is too long, words first lose the ending `-ment`
/// (`management` becomes `manage`). Then the name is cut off.
fn compact(most: usize, slug: &str, environment: &str, ending: &str) -> String {
    let tail = format!("{}{ending}", environment.replace('-', ""));
    let room = most.saturating_sub(tail.len());
    let whole = slug.replace('-', "");
    let abbreviated: String = slug
        .split('-')
        .map(|word| word.strip_suffix("ment").unwrap_or(word))
        .collect();
    let start = if whole.len() <= room {
        whole
    } else if abbreviated.len() <= room {
        abbreviated
    } else {
        let start = first(&abbreviated, room.saturating_sub(DIGEST_DIGITS));
        format!("{start}{}", digest(slug))
    };
    format!("{start}{tail}")
}

fn first(text: &str, count: usize) -> String {
    text.chars().take(count).collect()
}

fn digest(slug: &str) -> String {
    first(&Sha256::of(slug.as_bytes()).to_string(), DIGEST_DIGITS)
}

/// The requirement that a name violates, if any.
pub(super) fn violation(field: &Field, name: &str) -> Option<String> {
    match field.rule {
        Rule::Exactly => (name != field.example).then(|| format!("must be `{}`", field.example)),
        Rule::Compact { length } => {
            let fits = within(length, name) && name.bytes().all(is_lower);
            (!fits).then(|| must_be(length, "lower-case letters and digits"))
        }
        Rule::Hyphenated {
            length,
            runs,
            reserved,
        } => {
            let fits = within(length, name) && is_hyphenated(name, runs);
            let taken = reserved.iter().find(|start| name.starts_with(*start));
            match taken {
                _ if !fits => Some(must_be(
                    length,
                    "lower-case letters, digits and inner hyphens",
                )),
                Some(start) => Some(format!(
                    "must not begin with `{start}`, which the provider keeps for itself"
                )),
                None => None,
            }
        }
        Rule::Identifier { length } => {
            let accepted = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
            let fits = within(length, name) && name.bytes().all(accepted);
            (!fits).then(|| must_be(length, "letters, digits, `_`, `.` and `-`"))
        }
        Rule::Location { words } => {
            let fits = is_hyphenated(name, false)
                && (words.0..=words.1).contains(&name.split('-').count());
            (!fits).then(|| {
                format!(
                    "must be a {} of the provider, such as `{}`",
                    field.path, field.example
                )
            })
        }
        Rule::Path => {
            let fits = within((1, 1024), name) && !name.contains(char::is_control);
            (!fits)
                .then(|| "must be a path of 1 to 1024 bytes without control characters".to_string())
        }
    }
}

fn must_be(length: (usize, usize), alphabet: &str) -> String {
    format!("must be {} to {} {alphabet}", length.0, length.1)
}

fn within(length: (usize, usize), name: &str) -> bool {
    (length.0..=length.1).contains(&name.len())
}

fn is_lower(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_hyphenated(name: &str, runs: bool) -> bool {
    name.bytes().all(|byte| is_lower(byte) || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
        && (runs || !name.contains("--"))
}
