//! The pages of both clouds have the same content.

use super::{Found, Violations, many};
use crate::{checkout::Checkout, failure::Failure};

const AWS: &str = "docs/aws.md";
const AZURE: &str = "docs/azure.md";

/// The required sections of each page, in this order.
const CONCERNS: [&str; 6] = [
    "Persistence",
    "Identity",
    "Storage",
    "Notification",
    "API",
    "Secrets and configuration",
];

/// Sections that exist for one cloud only.
const OF_ONE: [&str; 2] = ["The API in a container", "Read, guessed and never run"];

pub(super) fn find(checkout: &Checkout) -> Result<Found, Failure> {
    let (aws, azure) = (checkout.read(AWS)?, checkout.read(AZURE)?);
    let mut violations = missing_concerns(AWS, &aws);
    violations.extend(missing_concerns(AZURE, &azure));
    if violations.is_empty() {
        violations.extend(difference(&aws, &azure));
    }
    let count = sections(&aws).len() + sections(&azure).len();
    Ok(Found {
        looked_at: many(count, "section"),
        violations,
    })
}

/// The sections of a page, with their text.
fn sections(page: &str) -> Vec<(&str, &str)> {
    let sections = page.split("\n## ").skip(1);
    sections
        .map(|section| section.split_once('\n').unwrap_or((section, "")))
        .collect()
}

/// The required sections that a page lacks.
fn missing_concerns(path: &str, page: &str) -> Violations {
    let sections = sections(page);
    let mut violations = Violations::new();
    let mut last = None;
    for concern in CONCERNS {
        let at = sections.iter().position(|(title, _)| *title == concern);
        let text = at.and_then(|at| sections.get(at)).map(|(_, text)| *text);
        match text {
            None => violations.push(format!(
                "`{path}` has no section `{concern}`: add it to the pages of both clouds"
            )),
            Some(text) if text.trim().is_empty() => violations.push(format!(
                "`{path}` has an empty section `{concern}`: describe the resources"
            )),
            Some(_) if at < last => violations.push(format!(
                "`{path}` has `{concern}` too early: the required order is {}",
                CONCERNS.join(", ")
            )),
            Some(_) => last = at,
        }
    }
    violations
}

/// The first section in which the pages differ.
fn difference(aws: &str, azure: &str) -> Option<String> {
    let titles = |page: &str| -> Vec<String> {
        let titles = sections(page).into_iter().map(|(title, _)| title);
        let shared = titles.filter(|title| !OF_ONE.contains(title));
        // The clouds' own terms for the same thing.
        shared
            .map(|title| {
                title
                    .replace("Azure", "AWS")
                    .replace("subscription", "account")
            })
            .collect()
    };
    let (aws, azure) = (titles(aws), titles(azure));
    let at = (0..aws.len().max(azure.len())).find(|at| aws.get(*at) != azure.get(*at))?;
    let shown = |titles: &[String]| {
        titles
            .get(at)
            .map_or("no section", String::as_str)
            .to_owned()
    };
    Some(format!(
        "`{AZURE}` has `{}` where `{AWS}` has `{}`: give both the same sections in the same order",
        shown(&azure),
        shown(&aws)
    ))
}
