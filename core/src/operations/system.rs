//! What the system does by itself: finishing, expiring, verifying, publishing.

pub mod accept_grants;
pub mod retire_team;
pub mod sign_up;

use alloc::boxed::Box;

use crate::{storage::Key, use_case::UseCase};

/// What finishes the interrupted work this record stands for: in [`crate::use_case::Reply::finish`],
/// or in the index of unfinished work. `None` for records that never are unfinished.
#[must_use]
pub fn finishing(key: &Key) -> Option<Box<dyn UseCase>> {
    retire_team::RetireTeam::of(key).or_else(|| accept_grants::AcceptGrants::of(key))
}
