//! What the system does by itself: finishing, expiring, verifying, publishing.

pub mod accept_grants;
pub mod complete_content;
pub mod deliver;
pub mod mail;
pub mod notify;
pub mod orphans;
pub mod record_upload;
pub mod retire_team;
pub mod settle_content;
pub mod sign_up;

use alloc::boxed::Box;

use crate::{operation::UseCase, storage::Key};

/// What finishes the work that this record stands for, in [`crate::operation::Reply::finish`] or in
/// the index of unfinished work. `None` for records that are never unfinished.
#[must_use]
pub fn unfinished(key: &Key) -> Option<Box<dyn UseCase>> {
    retire_team::retire_team(key)
        .or_else(|| settle_content::settle_content(key))
        .or_else(|| accept_grants::accept_grants(key))
}
