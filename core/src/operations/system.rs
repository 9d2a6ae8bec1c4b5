//! What the system does by itself: finishing, expiring, verifying, publishing.

use alloc::boxed::Box;

use crate::{storage::Key, use_case::UseCase};

pub mod complete_content;
pub mod orphans;
pub mod record_upload;
pub mod settle_content;
pub mod sign_up;

/// What finishes the work that stands under a key of the index of unfinished work; `None` for journal
/// entries, which the relay publishes.
#[must_use]
pub fn unfinished(key: &Key) -> Option<Box<dyn UseCase>> {
    settle_content::settle_content(key)
}
