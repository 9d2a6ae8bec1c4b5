//! One permission decision, from raw records to an answer with its reason, compared with Cedar.
//!
//! The caller is a guest with 10, 100, 500 (the maximum of a project) or 1,000 grants on one
//! project. Half are their own, half come through ten teams. In the case `first` the first grant
//! allows the action, in `last` the last one does, and in `refused` none does, so that the engine
//! checks all of them. Cedar gets its grants in two forms: folded into groups, its fastest way to a
//! plain yes or no, or as linked policies, so that its answer names a grant like the engine's does.
//! Each form is measured with the entities built per request and with everything prebuilt.

mod application;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use application::{Application, Grants};
use divan::Bencher;
use wm_core::{
    permission::Access,
    record::{Grant, MemberStatus, Visibility},
    value::{AccountRole, Capability, Principal, ProjectRole, TeamRole},
};
use wm_tests::generator::Generated;

const GRANTS: [usize; 4] = [10, 100, Grant::LIVE_LIMIT, 1_000];
const ASKED: Capability = Capability::ArtifactCreate;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    First,
    Last,
    Refused,
}

/// Generated records with one caller and one project.
struct Sample(Generated);

impl Sample {
    fn new(case: Case, grants: usize) -> Self {
        let mut state = Generated::empty();
        let mut person = state.member(AccountRole::Guest, MemberStatus::Active);
        for _ in 0..10 {
            let team = state.id();
            state.teams.push(team);
            state.join(&mut person, team, TeamRole::Member);
        }
        let mut stored = state.project(Visibility::Private, false);
        for number in 0..grants {
            let own = number % 2 == 0;
            let team = Principal::Team(state.teams[number / 2 % state.teams.len()]);
            let principal = if own {
                Principal::User(person.user)
            } else {
                team
            };
            let stay = own.then_some(person.stay);
            state.give(&mut stored, principal, stay, ProjectRole::Viewer);
        }
        // Teams sort before people, and the engine checks the person's own grants first.
        let teams_grants = grants / 2;
        let conferring = match case {
            Case::First => Some(teams_grants),
            Case::Last => Some(teams_grants - 1),
            Case::Refused => None,
        };
        if let Some(conferring) = conferring {
            stored.grants[conferring].body.role = ProjectRole::Contributor;
        }
        state.people.push(person);
        state.projects.push(stored);
        Self(state)
    }

    fn access(&self) -> Access<'_> {
        self.0.access(&self.0.people[0], &self.0.projects[0])
    }

    fn decide(&self) -> bool {
        black_box(black_box(self).access().check(black_box(ASKED))).is_ok()
    }
}

#[divan::bench(args = GRANTS)]
fn engine_first(bencher: Bencher<'_, '_>, grants: usize) {
    let sample = Sample::new(Case::First, grants);
    bencher.bench(|| sample.decide());
}

#[divan::bench(args = GRANTS)]
fn engine_last(bencher: Bencher<'_, '_>, grants: usize) {
    let sample = Sample::new(Case::Last, grants);
    bencher.bench(|| sample.decide());
}

#[divan::bench(args = GRANTS)]
fn engine_refused(bencher: Bencher<'_, '_>, grants: usize) {
    let sample = Sample::new(Case::Refused, grants);
    bencher.bench(|| sample.decide());
}

#[divan::bench(args = GRANTS, consts = [true, false])]
fn cedar_prebuilt<const FOLDED: bool>(bencher: Bencher<'_, '_>, grants: usize) {
    let sample = Sample::new(Case::Refused, grants);
    let way = if FOLDED {
        Grants::Folded
    } else {
        Grants::Linked
    };
    let cedar = Application::new(way, &sample.access());
    let question = cedar.build(&sample.access(), ASKED);
    bencher.bench(|| cedar.allows(&question));
}

/// Nanoseconds of one run: the fastest of 31 samples of at least one millisecond each. Other load
/// on the machine can only add time.
fn nanoseconds(mut run: impl FnMut() -> bool, expected: bool) -> f64 {
    assert_eq!(run(), expected);
    let mut sample = |runs: u32| {
        let start = Instant::now();
        for _ in 0..runs {
            black_box(run());
        }
        start.elapsed()
    };
    let mut runs = 1;
    while sample(runs) < Duration::from_millis(1) {
        runs *= 2;
    }
    let quickest = (0..31).map(|_| sample(runs)).min().unwrap_or_default();
    quickest.as_secs_f64() * 1e9 / f64::from(runs)
}

/// Prints the speed of the engine relative to each use of Cedar, for every case.
fn compare(case: Case, grants: usize) {
    let sample = Sample::new(case, grants);
    let expected = case != Case::Refused;
    let ours = nanoseconds(|| sample.decide(), expected);
    for way in [Grants::Folded, Grants::Linked] {
        let cedar = Application::new(way, &sample.access());
        let question = cedar.build(&sample.access(), ASKED);
        let built = nanoseconds(
            || cedar.allows(&cedar.build(&sample.access(), ASKED)),
            expected,
        );
        let prebuilt = nanoseconds(|| cedar.allows(&question), expected);
        for (name, theirs) in [("built", built), ("prebuilt", prebuilt)] {
            println!(
                "ratio: {grants:>4} grants, {case:?}: engine {ours:.0} ns, Cedar with grants {way:?}, entities {name} \
                 {theirs:.0} ns: {:.1} times faster",
                theirs / ours
            );
        }
    }
}

fn main() {
    divan::main();
    if std::env::args().any(|argument| argument == "--bench") {
        for grants in GRANTS {
            for case in [Case::First, Case::Last, Case::Refused] {
                compare(case, grants);
            }
        }
    }
}
