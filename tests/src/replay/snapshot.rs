//! The final state of a script, and the possible outcomes of two requests.

use std::collections::{BTreeMap, BTreeSet};

use wm_core::{
    record::CloudEvent,
    storage::{Item, Key, Scope},
};

use super::{
    compare::{Comparison, Digests, is_mail_claim},
    model::RequestTemplate,
    target::{Reference, Target},
};
use crate::harness::Answer;

/// The final snapshot of a script, from the reference.
pub(super) struct Snapshot {
    scopes: BTreeMap<Scope, Vec<Item>>,
    events: Vec<CloudEvent>,
    /// Whether mails must be equal too. A node may have sent some in between.
    pub(super) mailed: bool,
}

impl Snapshot {
    /// A snapshot of the reference's items and events.
    pub(super) fn behind(reference: &Reference, events: Vec<CloudEvent>) -> Self {
        let mut scopes: BTreeMap<Scope, Vec<Item>> = BTreeMap::new();
        for item in reference.dump() {
            scopes.entry(item.key.scope).or_default().push(item);
        }
        Self {
            scopes,
            events,
            mailed: true,
        }
    }

    pub(super) fn scopes(&self) -> impl Iterator<Item = String> {
        self.scopes.keys().map(ToString::to_string)
    }

    pub(super) fn event_ids(&self) -> BTreeSet<&str> {
        self.events.iter().map(|event| event.id.as_str()).collect()
    }

    /// The keys of all items.
    pub(super) fn keys(&self) -> Vec<&Key> {
        self.scopes
            .values()
            .flatten()
            .map(|item| &item.key)
            .collect()
    }

    /// Compares the snapshot with a surface.
    pub(super) async fn compare(
        &self,
        target: &Target,
        events: &[CloudEvent],
        digests: &mut Digests,
    ) -> Result<(), String> {
        let mut comparison = Comparison {
            target: target.name,
            digests,
            opaque: false,
        };
        comparison.events(&self.events, events)?;
        // People come first: they show which identity links correspond.
        let is_link = |scope: &Scope| matches!(scope, Scope::Identity(_));
        let scopes = self.scopes.iter();
        let (links, rest): (Vec<_>, Vec<_>) = scopes.partition(|(scope, _)| is_link(scope));
        for (scope, items) in rest.into_iter().chain(links) {
            let there = elsewhere(*scope, comparison.digests)?;
            let (mut items, mut others) = (items.clone(), target.items(there).await);
            if !self.mailed {
                items.retain(|item| !is_mail_claim(item));
                others.retain(|item| !is_mail_claim(item));
            }
            comparison.items(&items, &others)?;
        }
        Ok(())
    }
}

/// The corresponding scope on the other surface.
fn elsewhere(scope: Scope, digests: &Digests) -> Result<Scope, String> {
    let Scope::Identity(digest) = scope else {
        return Ok(scope);
    };
    let digest = digest.to_string();
    let other = digests.other(&digest);
    let other = other.ok_or_else(|| format!("no person has the identity {digest}"))?;
    let other = other
        .parse()
        .map_err(|_| format!("`{other}` is no identity"))?;
    Ok(Scope::Identity(other))
}

/// The outcome of sequential requests.
pub(super) struct Outcome {
    /// The answers to the requests.
    pub(super) answers: Vec<Answer>,
    pub(super) left: Snapshot,
    /// All mails without repetitions: subject and text.
    pub(super) mails: BTreeSet<(String, String)>,
}

impl Outcome {
    /// Compares the outcome with a surface.
    pub(super) async fn compare(
        &self,
        target: &Target,
        templates: &[RequestTemplate],
        answers: &[Answer],
        events: &[CloudEvent],
        digests: &mut Digests,
    ) -> Result<(), String> {
        for ((template, expected), answer) in templates.iter().zip(&self.answers).zip(answers) {
            let opaque = template.is_opaque();
            let mut comparison = Comparison {
                target: target.name,
                digests,
                opaque,
            };
            comparison.answers(expected, answer)?;
        }
        self.left.compare(target, events, digests).await
    }
}
