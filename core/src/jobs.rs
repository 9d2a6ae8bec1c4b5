//! Jobs of the system: finishing, expiring, verifying and publishing work.

pub mod accept_grants;
pub mod complete_content;
pub mod count_usage;
pub mod deliver;
pub mod finalise_upload;
pub mod mail;
pub mod notify;
pub mod orphans;
pub mod record_upload;
pub mod retire_team;
pub mod sign_up;
pub mod update_layout;

use alloc::{boxed::Box, string::String};

use crate::{
    operation::UseCase,
    storage::{Key, ObjectPath},
};

/// The result of finishing a piece of work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finished {
    /// A multipart upload to abort after the commit.
    pub abandoned: Option<AbandonedUpload>,
}

/// A multipart upload that was started and given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbandonedUpload {
    /// The path of the object that the upload was for.
    pub path: ObjectPath,
    /// The provider's id of the upload.
    pub upload_id: String,
}

/// The job that finishes the work of this record. Records come from
/// [`crate::operation::Reply::finish`] or from the index of unfinished work. `None` for kinds of
/// records that are never unfinished.
#[must_use]
pub fn unfinished(key: &Key) -> Option<Box<dyn UseCase<Finished>>> {
    retire_team::retire_team(key)
        .or_else(|| finalise_upload::finalise_upload(key))
        .or_else(|| accept_grants::accept_grants(key))
}
