//! Permission records at a past time.
//!
//! Superseded states keep the times of their envelope. A state is valid from its `updated_at` until
//! the `updated_at` of the next state. The last state is valid without an end.

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
        if state.updated_at > at {
            continue;
        }
        match valid.entry(state.body.history_key(&state.id)) {
            Entry::Vacant(entry) => {
                entry.insert(state);
            }
            // Two changes can have the same millisecond, so the version decides which one is later.
            Entry::Occupied(mut entry) if entry.get().version < state.version => {
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
        value::ProjectId,
    };

    fn states() -> [Record<Project>; 3] {
        let id: ProjectId = "prj_01h2xcejqtf2nbrexx3vqjhp4101h2xcejqtf2nbrexx3vqjhp41"
            .parse()
            .unwrap();
        let body = |visibility| Project {
            name: "Survey".parse().unwrap(),
            description: None,
            visibility,
            archived: false,
        };
        let start = Timestamp::from_millis(1_000);
        let first = Record::new(
            id,
            body(Visibility::Private),
            Clock::default(),
            start,
            Author::System,
        );
        let next = |before: &Record<Project>, visibility, at| {
            before.next(
                body(visibility),
                false,
                Clock::default(),
                at,
                Author::System,
            )
        };
        let second = next(
            &first,
            Visibility::Account,
            start.after(Duration::from_millis(10)),
        );
        let third = next(&second, Visibility::Private, second.updated_at);
        [first, second, third]
    }

    fn version_at(states: &[Record<Project>], millis: i64) -> Option<u64> {
        let found = at(states.to_vec(), Timestamp::from_millis(millis));
        found.first().map(|state| state.version)
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
}
