//! What the system does by itself: finishing, expiring, verifying, publishing.

pub mod retire_team;

use alloc::boxed::Box;

use crate::{storage::Key, use_case::UseCase};

/// What finishes the interrupted work this record stands for: in [`crate::use_case::Reply::finish`],
/// or in the index of unfinished work. `None` for records that never are unfinished.
#[must_use]
pub fn finishing(key: &Key) -> Option<Box<dyn UseCase>> {
    retire_team::RetireTeam::of(key)
}
