//! What a script leaves behind, and what may come of two requests.

use std::collections::{BTreeMap, BTreeSet};

use wm_core::{
    record::CloudEvent,
    storage::{Item, Key, Scope},
};

use super::{
    compare::{Comparison, Digests, is_mark_of_mail},
    model::Asked,
    target::{Reference, Target},
};
use crate::harness::Answer;

/// What a script leaves behind, by the reference.
pub(super) struct Snapshot {
    scopes: BTreeMap<Scope, Vec<Item>>,
    events: Vec<CloudEvent>,
    /// Whether what was mailed is the same too: not where a node may have mailed in between.
    pub(super) mailed: bool,
}

impl Snapshot {
    /// What the reference has stored, and what it published.
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

    /// The scopes in which something is left.
    pub(super) fn scopes(&self) -> impl Iterator<Item = String> {
        self.scopes.keys().map(ToString::to_string)
    }

    pub(super) fn event_ids(&self) -> BTreeSet<&str> {
        self.events.iter().map(|event| event.id.as_str()).collect()
    }

    /// The keys of everything that is left.
    pub(super) fn keys(&self) -> Vec<&Key> {
        self.scopes
            .values()
            .flatten()
            .map(|item| &item.key)
            .collect()
    }

    /// Where a surface has something else.
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
        // People first: they say which link of an identity stands for which.
        let is_link = |scope: &Scope| matches!(scope, Scope::Identity(_));
        let scopes = self.scopes.iter();
        let (links, rest): (Vec<_>, Vec<_>) = scopes.partition(|(scope, _)| is_link(scope));
        for (scope, items) in rest.into_iter().chain(links) {
            let there = elsewhere(*scope, comparison.digests)?;
            let (mut items, mut others) = (items.clone(), target.items(there).await);
            if !self.mailed {
                items.retain(|item| !is_mark_of_mail(item));
                others.retain(|item| !is_mark_of_mail(item));
            }
            comparison.items(&items, &others)?;
        }
        Ok(())
    }
}

/// The scope on the other surface that stands for this one.
fn elsewhere(scope: Scope, digests: &Digests) -> Result<Scope, String> {
    let Scope::Identity(digest) = scope else {
        return Ok(scope);
    };
    let digest = digest.to_string();
    let other = digests.other(&digest);
    let other = other.ok_or_else(|| format!("nobody has the identity {digest}"))?;
    let other = other
        .parse()
        .map_err(|_| format!("`{other}` is no identity"))?;
    Ok(Scope::Identity(other))
}

/// What comes of requests, one after the other.
pub(super) struct Outcome {
    /// What is answered to whom.
    pub(super) answers: Vec<Answer>,
    pub(super) left: Snapshot,
    /// What was mailed, each mail once: its subject and its text.
    pub(super) mails: BTreeSet<(String, String)>,
}

impl Outcome {
    /// Where a surface says or has something else.
    pub(super) async fn compare(
        &self,
        target: &Target,
        asked: &[Asked],
        answers: &[Answer],
        events: &[CloudEvent],
        digests: &mut Digests,
    ) -> Result<(), String> {
        for ((asked, expected), answer) in asked.iter().zip(&self.answers).zip(answers) {
            let opaque = asked.is_opaque();
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
