//! Batches: what one commit does.

use alloc::vec::Vec;

use super::{ETag, Item, Scope, Sort};
use crate::value::CommitId;

/// What must hold of the stored item for an operation to go through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Nothing is stored under the key.
    Absent,
    /// The stored item carries this mark.
    Matches(ETag),
}

/// One operation of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly all operations are puts")]
pub enum Operation {
    /// Stores the item.
    Put(Item, Condition),
    /// Removes what is stored under the key, index rows included.
    Delete(Sort, Condition),
}

/// The operations of one commit: one scope, all or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The partition every operation is in.
    pub scope: Scope,
    /// Names this very commit, for recognising it after a lost answer.
    pub commit_id: CommitId,
    /// The operations; no two on one key.
    pub operations: Vec<Operation>,
}

/// A batch beyond what every database takes in one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the change is too large for one commit: at most 90 operations, 1.5 MB, and 256 KB a record"
)]
pub struct TooLarge;

impl Batch {
    /// The most operations a commit may have.
    pub const OPERATIONS: usize = 90;
    /// The most bytes a commit may have.
    pub const BYTES: usize = 1_500_000;
    /// The most bytes one item may have.
    pub const ITEM_BYTES: usize = 256 * 1024;

    /// Checks the limits that hold on every surface.
    ///
    /// # Errors
    /// [`TooLarge`] when any is exceeded.
    pub fn check(&self) -> Result<(), TooLarge> {
        let sizes = self.operations.iter().map(|operation| match operation {
            Operation::Put(item, _) => item.size(),
            Operation::Delete(sort, _) => sort.as_str().len(),
        });
        let (mut total, mut largest) = (0, 0);
        for size in sizes {
            total += size;
            largest = largest.max(size);
        }
        let fits = self.operations.len() <= Self::OPERATIONS
            && total <= Self::BYTES
            && largest <= Self::ITEM_BYTES;
        if fits { Ok(()) } else { Err(TooLarge) }
    }
}
