//! Permission records at a past time.
//!
//! Superseded states keep the times of their envelope. A state is valid from the time at which this
//! surface applied it until the time at which it applied the next one. The last state is valid
//! without an end. If the clock of the surface went back, the latest state applied by then counts.

use alloc::{
    collections::{BTreeMap, btree_map::Entry},
    string::String,
    vec::Vec,
};

use crate::{
    record::{Body, Record},
    value::Timestamp,
};

/// For each record, the state that was valid at `at`. The states can be in any order and can
/// repeat. Records that did not exist yet are left out.
///
/// Deleted and revoked states are returned too: the evaluator ignores them.
pub fn at<B: Body>(states: impl IntoIterator<Item = Record<B>>, at: Timestamp) -> Vec<Record<B>> {
    let mut valid = BTreeMap::<String, Record<B>>::new();
    for state in states {
        if state.applied_at() > at {
            continue;
        }
        match valid.entry(state.body.history_key(&state.id)) {
            Entry::Vacant(entry) => {
                entry.insert(state);
            }
            // Two changes can have the same millisecond, and a clock can go back, so the version
            // decides which one is later.
            Entry::Occupied(mut entry) if entry.get().version() < state.version() => {
                entry.insert(state);
            }
            Entry::Occupied(_) => {}
        }
    }
    valid.into_values().collect()
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::{
        record::{Author, Clock, Project, Visibility},
        value::{ProjectId, SurfaceId},
    };

    fn states() -> [Record<Project>; 3] {
        let id: ProjectId = "prj_01h2xcejqtf2nbrexx3vqjhp4101h2xcejqtf2nbrexx3vqjhp41"
            .parse()
            .unwrap();
        let body = |visibility| Project::new("Survey".parse().unwrap(), None, visibility);
        let surface = SurfaceId::first(ulid::Ulid::nil());
        let start = Timestamp::from_millis(1_000);
        let clock = Clock::default().advanced(surface);
        let visible = body(Visibility::Private);
        let first = Record::new(id, visible, clock, start, Author::System);
        let next = |before: &Record<Project>, visibility, at| {
            let clock = before.clock.advanced(surface);
            before.next(body(visibility), false, clock, at, Author::System)
        };
        let later = start.after(Duration::from_millis(10));
        let second = next(&first, Visibility::Account, later);
        let third = next(&second, Visibility::Private, later);
        [first, second, third]
    }

    fn version_at(states: &[Record<Project>], millis: i64) -> Option<u64> {
        let found = at(states.to_vec(), Timestamp::from_millis(millis));
        found.first().map(Record::version)
    }

    #[test]
    fn state_is_valid_from_its_instant_until_the_next_state() {
        let states = states();
        assert_eq!(version_at(&states, 999), None);
        assert_eq!(version_at(&states, 1_000), Some(1));
        assert_eq!(version_at(&states, 1_009), Some(1));
        assert_eq!(version_at(&states[..2], 1_010), Some(2));
    }

    #[test]
    fn later_version_wins_within_one_millisecond() {
        let mut states = states();
        assert_eq!(version_at(&states, 1_010), Some(3));
        states.reverse();
        assert_eq!(version_at(&states, 1_010), Some(3));
    }

    #[test]
    fn past_follows_the_clock_of_the_surface() {
        // The clock was an hour ahead, and went back before the third change.
        let [first, second, third] = states();
        let ahead = second.updated_at.after(Duration::from_secs(3_600));
        let second = second.applied(ahead);
        let third = third.applied(Timestamp::from_millis(1_020));
        let states = [first, second, third];
        assert_eq!(version_at(&states, 1_019), Some(1));
        assert_eq!(version_at(&states, 1_020), Some(3));
        assert_eq!(version_at(&states, ahead.millis()), Some(3));
    }
}
