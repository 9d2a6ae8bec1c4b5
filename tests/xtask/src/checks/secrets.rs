//! No committed or built file contains a secret.

use wm_core::selection::BackendSelection;
use wm_deploy::{secrets, site};

use super::{Found, Violations, many};
use crate::{
    checkout::{Checkout, Text},
    failure::Failure,
};

/// The text that marks a selection in any file.
const SELECTION: &str = "export const backendSelection = ";
/// The build output of the console. It includes code of other authors and is checked as a site.
const BUILT: [&str; 2] = ["web/dist", "web/build"];
/// The beginning of a certificate, which is public.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

pub(super) fn find(checkout: &Checkout) -> Result<Found, Failure> {
    let mut sources = checkout.texts("")?;
    sources.retain(|text| !is_built(&text.path));
    let mut violations = Violations::new();
    for text in &sources {
        violations.extend(named(text));
        violations.extend(secret_findings(text));
    }
    let selections: Vec<&Text> = sources.iter().filter(|text| is_selection(text)).collect();
    violations.extend(selections.iter().flat_map(|text| unfit(text)));
    let built = BUILT.into_iter().filter(|folder| checkout.has(folder));
    let built: Vec<&str> = built.collect();
    for folder in &built {
        let site = site::read(&checkout.root().join(folder));
        violations.extend(site.err().map(|failure| format!("`{folder}`: {failure}")));
    }
    let site = match &built[..] {
        [] => "no built site".to_owned(),
        built => built.join(" and "),
    };
    let (files, count) = (many(sources.len(), "file"), selections.len());
    Ok(Found {
        looked_at: format!("{files}, {}, {site}", many(count, "selection")),
        violations,
    })
}

fn is_built(path: &str) -> bool {
    BUILT.iter().any(|folder| {
        let below = path.strip_prefix(folder);
        below.is_some_and(|below| below.starts_with('/'))
    })
}

fn is_selection(text: &Text) -> bool {
    text.path.ends_with(".js") && text.text.contains(SELECTION)
}

/// A file whose name suggests credentials and that contains more than certificates.
fn named(text: &Text) -> Option<String> {
    let is_public = text.text.contains(CERTIFICATE) && secrets::in_text(&text.text).is_none();
    (secrets::in_name(&text.path) && !is_public).then(|| {
        format!(
            "`{}` is a file for credentials by its name: remove it, or rename it if it contains none",
            text.path
        )
    })
}

/// The lines of a file that contain a credential, without the credential.
fn secret_findings(text: &Text) -> Violations {
    let found = secrets::in_source(&text.text).into_iter();
    found
        .map(|(number, what)| {
            format!(
                "`{}` contains {what} in line {number}: remove it, and revoke it if it was real",
                text.path
            )
        })
        .collect()
}

/// The forbidden content of a selection.
fn unfit(text: &Text) -> Violations {
    let errors = BackendSelection::read(&text.text).err().unwrap_or_default();
    let errors = errors.iter();
    errors
        .map(|error| format!("`{}`: `{}` {}", text.path, error.field, error.message))
        .collect()
}
