//! The catalog describes every provider in the same way.
//!
//! The check reads the source of the checkout, not the code that this program was built with.

use std::collections::BTreeMap;

use wm_core::catalog::Provider;

use super::{Found, Violations, many};
use crate::{checkout::Checkout, failure::Failure};

const CATALOG: &str = "core/src/catalog.rs";

/// The groups of names in a backend selection, for every provider.
const GROUPS: [&str; 4] = ["storage", "database", "identity", "notifications"];
/// The functions that create a field from a path and a default.
const MAKERS: [&str; 4] = ["fixed(", "chosen(", "derived(", "location("];

pub(super) fn find(checkout: &Checkout) -> Result<Found, Failure> {
    // A single line, independent of the formatter's line breaks.
    let source = checkout.read(CATALOG)?;
    let source = source.split_whitespace().collect::<Vec<_>>().join(" ");
    let source = source.replace("( ", "(");
    let concerns = concerns(&source);
    let mut violations = Violations::new();
    if concerns.is_empty() {
        violations.push(format!(
            "`{CATALOG}` has no `pub enum Concern` with variants: add it"
        ));
    }
    for provider in Provider::ALL {
        match entry(&source, *provider) {
            Some(entry) => violations.extend(lacking(*provider, entry, &concerns, &source)),
            None => violations.push(format!(
                "`{CATALOG}` has no entry for `{provider}`: add one"
            )),
        }
    }
    Ok(Found {
        looked_at: format!(
            "{}, {}",
            many(Provider::ALL.len(), "provider"),
            many(concerns.len(), "concern")
        ),
        violations,
    })
}

/// The variants of `Concern`.
fn concerns(source: &str) -> Vec<&str> {
    let body = source.split_once("pub enum Concern {");
    let body = body.and_then(|(_, rest)| rest.split_once('}'));
    let (variants, _) = body.unwrap_or_default();
    let variants = variants.split(',').map(str::trim);
    // Each has a doc comment, and its name comes last.
    variants
        .filter_map(|variant| variant.rsplit(' ').next())
        .filter(|variant| !variant.is_empty())
        .collect()
}

/// The table of a provider's services.
fn services(source: &str, provider: Provider) -> &str {
    let begin = format!(
        "const {}_SERVICES: &[Service] = &[",
        provider.as_str().to_uppercase()
    );
    let (_, rest) = source.split_once(&begin).unwrap_or_default();
    rest.split_once("];").map_or("", |(services, _)| services)
}

/// The text of a provider's entry.
fn entry(source: &str, provider: Provider) -> Option<&str> {
    let begin = format!(
        "static {}: Entry = Entry {{",
        provider.as_str().to_uppercase()
    );
    let (_, rest) = source.split_once(&begin)?;
    rest.split_once("};").map(|(entry, _)| entry)
}

fn lacking(provider: Provider, entry: &str, concerns: &[&str], source: &str) -> Violations {
    let mut violations = Violations::new();
    let mut lacks = |what: String| {
        violations.push(format!(
            "`{CATALOG}` has no {what} for `{provider}`: add it"
        ));
    };
    if after(entry, " label: ").is_none_or(str::is_empty) {
        lacks("label".into());
    }
    let services = services(source, provider);
    for concern in concerns {
        let label = after(services, &format!("service(Concern::{concern}, "));
        if label.is_none_or(str::is_empty) {
            lacks(format!("label of the service for `{concern}`"));
        }
    }
    let fields = fields(entry, source);
    for group in GROUPS {
        if !fields
            .keys()
            .any(|path| path.split('.').next() == Some(group))
        {
            lacks(format!("field below `{group}`"));
        }
    }
    for (path, default) in fields {
        if default.is_empty() {
            lacks(format!("default of `{path}`"));
        }
    }
    violations
}

/// The quoted text directly after a marker.
fn after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(mark)?;
    let (value, _) = rest.strip_prefix('"')?.split_once('"')?;
    Some(value)
}

/// The fields of an entry with their defaults. Shared defaults are named by their constant.
fn fields<'a>(entry: &'a str, source: &'a str) -> BTreeMap<&'a str, &'a str> {
    let (_, listed) = entry.split_once("fields: &[").unwrap_or_default();
    let mut fields: BTreeMap<_, _> = made(listed).collect();
    for constant in source.split("const ").skip(1) {
        let Some((name, rest)) = constant.split_once(": Field = ") else {
            continue;
        };
        let value = rest.split(';').next().unwrap_or_default();
        let mut words = listed.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        if words.any(|word| word == name) {
            fields.extend(made(value));
        }
    }
    fields
}

/// Every path and default in a text: `fixed("identity.service", "…")`.
fn made(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let places = MAKERS.iter().flat_map(|maker| text.split(maker).skip(1));
    places.filter_map(|rest| {
        let mut strings = rest.split('"').skip(1).step_by(2);
        Some((strings.next()?, strings.next()?))
    })
}
