//! What the system does by itself: finishing, expiring, verifying, publishing.

pub mod accept_grants;
pub mod complete_content;
pub mod deliver;
pub mod finalise_upload;
pub mod mail;
pub mod notify;
pub mod orphans;
pub mod record_upload;
pub mod retire_team;
pub mod sign_up;

use alloc::{boxed::Box, string::String};

use crate::{
    operation::UseCase,
    storage::{Key, ObjectPath},
};

/// What finishing a piece of work left behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finished {
    /// A multipart upload to abort, now that everything is committed.
    pub abandoned: Option<AbandonedUpload>,
}

/// A multipart upload that was begun and given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbandonedUpload {
    /// The object it would have made.
    pub path: ObjectPath,
    /// The provider's name for it.
    pub upload_id: String,
}

/// The job that finishes the work this record stands for, in [`crate::operation::Reply::finish`] or in
/// the index of unfinished work. `None` for records that are never unfinished.
#[must_use]
pub fn unfinished(key: &Key) -> Option<Box<dyn UseCase<Finished>>> {
    retire_team::retire_team(key)
        .or_else(|| finalise_upload::finalise_upload(key))
        .or_else(|| accept_grants::accept_grants(key))
}
