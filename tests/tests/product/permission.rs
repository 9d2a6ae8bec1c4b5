//! The permission engine compared with the oracle, and its answers compared with each other.

use std::collections::BTreeMap;

use proptest::prelude::*;
use wm_core::{
    permission::{Access, AccountAccess},
    record::{
        Account, AccountStatus, Grant, Member, MemberStatus, Project, Record, TeamMember,
        Visibility,
    },
    value::{AccountRole, Capabilities, Capability, Timestamp, UserId},
};
use wm_test_results::Recording;
use wm_tests::{
    generator::{self, Generated},
    oracle::{self, Answer},
    oracle_comparison::{account_agrees, agrees, why},
    random_source::{RandomSource, Seeded, Tape, tapes},
};

fn states() -> impl Strategy<Value = (Generated, Tape)> {
    tapes(400).prop_map(|mut tape| (Generated::generate(&mut tape), tape))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_answer_agrees_with_the_oracle((state, _) in states()) {
        for person in &state.people {
            account_agrees(&state, person);
        }
        for (person, stored) in state.pairs() {
            agrees(&state, person, stored);
        }
    }

    #[test]
    fn adding_a_grant_never_removes_a_capability((mut state, mut tape) in states()) {
        let before = conferred(&state);
        let stored = state.projects[0].clone();
        let grant = state.grant(&mut tape, &stored);
        state.projects[0].add(grant);
        for (old, new) in before.iter().zip(conferred(&state)) {
            prop_assert!(new.covers(*old));
        }
    }

    #[test]
    fn revoking_removes_only_what_the_grant_gave((mut state, mut tape) in states()) {
        let Some(at) = state.projects.iter().position(|stored| !stored.grants.is_empty()) else { return Ok(()) };
        let before = conferred(&state);
        let count = u32::try_from(state.projects[at].grants.len()).unwrap();
        let victim = tape.below(count) as usize;
        let grant = &mut state.projects[at].grants[victim];
        grant.body.revoked = Some(generator::revocation());
        let gave = grant.body.role.capabilities();
        for (old, new) in before.iter().zip(conferred(&state)) {
            prop_assert!(old.covers(new), "revoking gave something");
            prop_assert!(gave.covers(old.without(new)), "revoking took what another record gives");
        }
    }

    #[test]
    fn case_33_grant_gives_nothing_after_its_expiry((mut state, _) in states()) {
        let now = state.now;
        for stored in &mut state.projects {
            for grant in &mut stored.grants {
                grant.body.expires_at = Some(now);
            }
        }
        no_grant_confers(&state)?;
    }

    #[test]
    fn case_35_grants_and_teams_of_an_earlier_stay_confer_nothing((mut state, _) in states()) {
        for at in 0..state.people.len() {
            let stay = state.id();
            if let Some(member) = &mut state.people[at].member {
                member.body.membership_id = stay;
            }
        }
        no_grant_confers(&state)?;
    }

    #[test]
    fn case_36_inactive_member_or_account_has_no_access((mut state, mut tape) in states()) {
        let close = tape.happens(1, 2);
        if let (true, Some(account)) = (close, &mut state.account) {
            account.body.status = AccountStatus::Closed;
        }
        for person in &mut state.people {
            let status = *tape.pick(&[MemberStatus::Suspended, MemberStatus::Removed]);
            if let (false, Some(member)) = (close, &mut person.member) {
                member.body.status = status;
            }
        }
        prop_assert!(conferred(&state).iter().all(|set| set.is_empty()));
        for person in &state.people {
            prop_assert!(state.account_access(person).effective().is_empty());
        }
    }
}

fn conferred(state: &Generated) -> Vec<Capabilities> {
    state
        .pairs()
        .map(|(person, stored)| state.access(person, stored).conferred())
        .collect()
}

/// Asserts that all reasons are account roles or visibility.
fn no_grant_confers(state: &Generated) -> Result<(), TestCaseError> {
    for (person, stored) in state.pairs() {
        for reason in state.access(person, stored).reasons().map(why) {
            prop_assert!(!reason.source.ends_with("grant"), "{reason:?}");
        }
    }
    Ok(())
}

/// Many more states than shrinking could handle. They must contain every kind of answer.
#[test]
fn oracle_agrees_on_five_thousand_states_of_every_kind() {
    let mut random = Seeded::new(27);
    let mut answers = BTreeMap::<Answer, u32>::new();
    let mut sources = BTreeMap::<&str, u32>::new();
    for _ in 0..5_000 {
        let state = Generated::generate(&mut random);
        let (person, stored) = (random.pick(&state.people), random.pick(&state.projects));
        account_agrees(&state, person);
        agrees(&state, person, stored);
        let capability = random.pick(Capability::ALL).as_str();
        let answer = oracle::answer(&state, person, stored, capability);
        *answers.entry(answer).or_default() += 1;
        for reason in oracle::reasons(&state, person, stored) {
            *sources.entry(reason.source).or_default() += 1;
        }
    }
    assert!(
        answers.len() == 4 && answers.values().all(|count| *count > 50),
        "{answers:?}"
    );
    assert!(
        sources.len() == 4 && sources.values().all(|count| *count > 50),
        "{sources:?}"
    );
}

/// The engine's input consists of records and a time. The test destructures it field by field, so
/// that it stops compiling if a field for claims, cloud groups or administrator flags is added.
#[test]
fn case_16_engine_input_has_no_claims_or_cloud_groups() {
    let _recording = Recording::start();
    let mut state = Generated::empty();
    let person = state.member(AccountRole::Guest, MemberStatus::Active);
    let stored = state.project(Visibility::Private, false);
    let Access {
        account,
        project,
        grants,
        now,
    } = state.access(&person, &stored);
    let _: (Option<&Record<Project>>, &[Record<Grant>], Timestamp) = (project, grants, now);
    let AccountAccess {
        user,
        account,
        member,
        teams,
    } = account;
    let _: (UserId, Option<&Record<Account>>) = (user, account);
    let _: (Option<&Record<Member>>, &[Record<TeamMember>]) = (member, teams);
}
