//! Features built on the evaluator (subjects of a project, previews, access at a past time),
//! compared with the oracle and with the effects of requests.

use std::{collections::BTreeSet, time::Duration};

use proptest::prelude::*;
use wm_core::{
    permission::{
        history,
        preview::{self, Difference},
        subjects,
    },
    record::{Author, Clock, Grant, Record},
    value::{AccountRole, Capabilities, Capability, ProjectRole, SurfaceId, Timestamp},
};
use wm_tests::{
    generator::{self, Generated, Person, StoredProject},
    oracle::{self, Answer, Why},
    oracle_comparison::why,
    random_source::{RandomSource, Tape, tapes},
};

fn generated_states() -> impl Strategy<Value = (Generated, Tape)> {
    tapes(400).prop_map(|mut tape| (Generated::generate(&mut tape), tape))
}

/// The capabilities that the oracle gives a person.
fn effective(generated: &Generated, person: &Person, stored: &StoredProject) -> Capabilities {
    let allowed = |capability: &Capability| {
        oracle::answer(generated, person, stored, capability.as_str()) == Answer::Allowed
    };
    let allowed: Vec<Capability> = Capability::ALL.iter().copied().filter(allowed).collect();
    Capabilities::of(&allowed)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn subjects_of_a_project_are_people_with_the_capability((generated, mut tape) in generated_states()) {
        let stored = tape.pick(&generated.projects);
        let capability = *tape.pick(&ProjectRole::Owner.capabilities().iter().collect::<Vec<_>>());
        for capability_filter in [None, Some(capability)] {
            let people = generated.people.iter().map(|person| generated.account_access(person));
            let found = subjects::subjects(generated.access(&generated.people[0], stored), people, capability_filter);
            let found: Vec<(_, BTreeSet<Why>)> = found
                .map(|(access, reasons)| (access.account.user, reasons.into_iter().map(why).collect()))
                .collect();
            let mut expected = Vec::new();
            for person in &generated.people {
                let mut reasons = oracle::reasons(&generated, person, stored);
                if let Some(capability) = capability_filter {
                    let allowed = oracle::answer(&generated, person, stored, capability.as_str()) == Answer::Allowed;
                    let word = capability.as_str();
                    reasons.retain(|why| allowed && oracle::role_has(&oracle::PROJECT_ROLES, &why.role, word));
                }
                if !reasons.is_empty() {
                    expected.push((person.user, reasons));
                }
            }
            prop_assert_eq!(&found, &expected);
        }
    }

    #[test]
    fn preview_equals_the_effect_of_the_change((mut generated, mut tape) in generated_states()) {
        let before = generated.clone();
        let stored = &before.projects[0];
        let added: Vec<Record<Grant>> = (0..tape.below(3)).map(|_| generated.grant(&mut tape, stored)).collect();
        let revoked: BTreeSet<_> = stored.grants.iter().map(|grant| grant.id).filter(|_| tape.happens(1, 3)).collect();
        let after = preview::changed(&stored.grants, added.clone(), &revoked);
        let people = before.people.iter().map(|person| before.account_access(person));
        let access = before.access(&before.people[0], stored);
        let previewed: Vec<Difference> = preview::preview(access, &after, people).collect();

        generated.projects[0].grants.retain(|grant| !revoked.contains(&grant.id));
        added.into_iter().for_each(|grant| generated.projects[0].add(grant));
        let mut happened = Vec::new();
        for person in &before.people {
            let old = effective(&before, person, stored);
            let new = effective(&generated, person, &generated.projects[0]);
            if old != new {
                happened.push(Difference { user: person.user, gained: new.without(old), lost: old.without(new) });
            }
        }
        prop_assert_eq!(previewed, happened);
    }

    #[test]
    fn past_access_equals_the_access_at_that_time((mut generated, mut tape) in generated_states()) {
        let mut states: Vec<Record<Grant>> = Vec::new();
        let mut snapshots: Vec<(Timestamp, Vec<Record<Grant>>)> = Vec::new();
        let (mut now, mut grants) = (generator::now(), Vec::<Record<Grant>>::new());
        for _ in 0..tape.below(12) {
            now = now.after(Duration::from_millis(u64::from(tape.below(3))));
            let state = change(&mut generated, &mut tape, &mut grants, now);
            states.push(state);
            // Of two changes in one millisecond, only the later one ever applied.
            snapshots.retain(|(at, _)| *at != now);
            snapshots.push((now, grants.clone()));
        }
        let half = states.len() / 2;
        states.rotate_left(half);
        for (at, expected) in snapshots {
            let mut found = history::at(states.clone(), at);
            found.sort_by_key(|grant| grant.id);
            let mut expected = expected;
            expected.sort_by_key(|grant| grant.id);
            prop_assert_eq!(found, expected);
        }
        let before = generator::now().before(Duration::from_millis(1));
        prop_assert!(history::at(states, before).is_empty());
    }
}

fn surface() -> SurfaceId {
    SurfaceId::first(ulid::Ulid::nil())
}

/// Creates, changes or revokes a grant and returns its new state.
fn change(
    generated: &mut Generated,
    tape: &mut Tape,
    grants: &mut Vec<Record<Grant>>,
    now: Timestamp,
) -> Record<Grant> {
    if grants.is_empty() || tape.happens(1, 2) {
        let stored = generated.projects[0].clone();
        let body = generated.grant(tape, &stored).body;
        let clock = Clock::default().advanced(surface());
        let made = Record::new(generated.id(), body, clock, now, Author::System);
        grants.push(made.clone());
        return made;
    }
    let count = u32::try_from(grants.len()).unwrap();
    let at = tape.below(count) as usize;
    let before = &grants[at];
    let mut body = before.body.clone();
    if tape.happens(1, 2) {
        body.revoked = Some(generator::revocation());
    } else {
        body.role = *tape.pick(ProjectRole::ALL);
    }
    let clock = before.clock.advanced(surface());
    let after = before.next(body, false, clock, now, Author::System);
    grants[at] = after.clone();
    after
}

/// Rule 4 as a table: the roles that may manage each role, and the capabilities that are required
/// to give a role.
#[test]
fn roles_manage_no_higher_role_and_grant_no_more() {
    use AccountRole::{Admin, Guest, Member, Owner};
    let outranked: [(AccountRole, &[AccountRole]); 4] = [
        (Guest, &[]),
        (Member, &[Guest]),
        (Admin, &[Guest, Member]),
        (Owner, &[Guest, Member, Admin, Owner]),
    ];
    let mut generated = Generated::empty();
    for (role, below) in outranked {
        let person = generated.member(role, wm_core::record::MemberStatus::Active);
        let access = generated.account_access(&person);
        for other in AccountRole::ALL.iter().copied() {
            assert_eq!(
                access.outranks(other),
                below.contains(&other),
                "{role} over {other}"
            );
            assert_eq!(
                access.lacking_capabilities(other).is_empty(),
                other <= role,
                "{role} makes a {other}"
            );
        }
    }
    let outsider = Person {
        member: None,
        ..generated.member(Owner, wm_core::record::MemberStatus::Active)
    };
    let access = generated.account_access(&outsider);
    for role in AccountRole::ALL {
        assert!(!access.outranks(*role) && !access.lacking_capabilities(*role).is_empty());
    }
}
