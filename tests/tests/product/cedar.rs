//! The permission engine compared with Cedar under the same policy, on random states.

use std::collections::BTreeSet;

use wm_core::{
    permission::Source,
    value::{Capabilities, Capability, ProjectRole},
};
use wm_tests::{
    cedar::{self, Peer, Prepared},
    generator::{Generated, Person, StoredProject},
    random_source::{RandomSource, Seeded},
};

const STATES: u64 = 1_000;
const DECISIONS: u64 = 100;

/// The engine's answer: the records that give the capability. Account role and visibility both
/// count as the project.
fn engine_reasons(
    state: &Generated,
    person: &Person,
    stored: &StoredProject,
    capability: Capability,
) -> BTreeSet<String> {
    let reasons = state.access(person, stored).explain(capability);
    let record = |source: Source| match source {
        Source::AccountRole(_) | Source::Visibility(_) => stored.id.to_string(),
        grant => grant.record_id(),
    };
    reasons
        .into_iter()
        .map(|reason| record(reason.source))
        .collect()
}

/// Makes one random decision with both. Returns whether it was allowed, if both agree.
fn decide(
    peer: &Peer,
    facts: &Prepared<'_>,
    state: &Generated,
    random: &mut Seeded,
) -> Result<bool, String> {
    let person = random.pick(&state.people);
    if random.happens(1, 8) {
        let capability = *random.pick(Capability::ALL);
        let ours = state
            .account_access(person)
            .permit(state.account_id, capability)
            .is_ok();
        let theirs = peer.allows_in_account(facts, person, capability);
        let difference = || format!("`{capability}` in the account: engine {ours}, Cedar {theirs}");
        return (ours == theirs).then_some(ours).ok_or_else(difference);
    }
    let stored = random.pick(&state.projects);
    let applicable: Vec<_> = ProjectRole::Owner.capabilities().iter().collect();
    let capability = *random.pick(&applicable);
    let ours = engine_reasons(state, person, stored, capability);
    let allowed = state.access(person, stored).check(capability).is_ok();
    assert_eq!(allowed, !ours.is_empty());
    let theirs = peer.reasons(facts, person, stored, capability);
    let difference = || format!("`{capability}` on the project: engine {ours:?}, Cedar {theirs:?}");
    (ours == theirs).then_some(allowed).ok_or_else(difference)
}

#[test]
fn engine_agrees_with_cedar_on_a_hundred_thousand_decisions() {
    let peer = Peer::new(&cedar::policy());
    let mut random = Seeded::new(2026);
    let (mut decided, mut allowed) = (0, 0);
    for number in 0..STATES {
        let state = Generated::generate(&mut random);
        let facts = peer.prepare(&state);
        for _ in 0..DECISIONS {
            match decide(&peer, &facts, &state, &mut random) {
                Ok(yes) => allowed += u64::from(yes),
                Err(difference) => panic!("state {number}: {difference}\n{state:#?}"),
            }
            decided += 1;
        }
    }
    let requests = peer.requests();
    println!(
        "{decided} decisions in {STATES} states, {allowed} of them allowed; {requests} Cedar requests"
    );
    assert_eq!(decided, STATES * DECISIONS);
    assert!(
        allowed > decided / 10 && allowed < decided * 9 / 10,
        "one-sided states prove little"
    );
}

/// Plausible errors in a rule, as changes of the policy's text.
const SLIPS: &[(&str, &str)] = &[
    ("principal.member.status == \"active\" &&", ""),
    ("!principal.member.deleted &&", ""),
    ("principal.member.account.status == \"active\" &&", ""),
    ("!principal.member.account.deleted &&", ""),
    ("when { resource.deleted }", "when { false }"),
    ("when { resource.project.deleted }", "when { false }"),
    ("when { resource.archived }", "when { false }"),
    ("when { resource.project.archived }", "when { false }"),
    ("principal.member.role != \"guest\"", "true"),
    (
        "action in Action::\"manager\", resource is Project",
        "action in Action::\"owner\", resource is Project",
    ),
    ("resource.user == principal &&", ""),
    ("resource.stay == principal.member.stay", "true"),
    ("principal.member.stay in resource.team &&", ""),
    (
        "!principal.member.account.retired.contains(resource.team)",
        "true",
    ),
    ("resource.revoked || resource.deleted", "resource.deleted"),
    ("resource.revoked || resource.deleted", "resource.revoked"),
    (
        "resource has expires_at && context.now >= resource.expires_at",
        "false",
    ),
    (
        "context.now >= resource.expires_at",
        "context.now > resource.expires_at",
    ),
    (
        "resource.role == \"commenter\"",
        "resource.role == \"viewer\"",
    ),
];

#[test]
fn every_error_in_a_rule_is_found() {
    let policy = cedar::policy();
    for (rule, slip) in SLIPS {
        assert!(policy.contains(rule), "the policy does not say `{rule}`");
        let peer = Peer::new(&policy.replacen(rule, slip, 1));
        let mut random = Seeded::new(7);
        let found = (0..300).any(|_| {
            let state = Generated::generate(&mut random);
            let facts = peer.prepare(&state);
            (0..DECISIONS).any(|_| decide(&peer, &facts, &state, &mut random).is_err())
        });
        assert!(found, "`{slip}` for `{rule}` went unnoticed");
    }
}

#[test]
fn roles_are_the_same_sets_of_actions() {
    // Random decisions would find a capability that is missing in the schema only by chance.
    let schema = std::fs::read_to_string(
        wm_tests::repository::root().join("tests/cedar/schema.cedarschema"),
    )
    .unwrap();
    for capability in Capability::ALL {
        assert!(
            schema.contains(&format!("\"{capability}\"")),
            "{capability}"
        );
    }
    assert_eq!(
        Capabilities::of(Capability::ALL).iter().count(),
        Capability::ALL.len()
    );
}
