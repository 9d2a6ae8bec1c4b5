//! What one commit writes, once somebody was allowed to write it.

use alloc::vec::Vec;

use crate::{
    storage::{Condition, Item, Operation, Scope, Sort},
    value::CommitId,
};

/// The operations of one commit: one scope, all or nothing.
///
/// A [`Commit`](super::Commit) that took a permit builds one. So do the three writers beside it, each
/// for its own family of records alone. Nothing else can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    scope: Scope,
    commit_id: CommitId,
    /// No two on one key.
    operations: Vec<Operation>,
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

    pub(super) fn new(scope: Scope, commit_id: CommitId, operations: Vec<Operation>) -> Self {
        Self {
            scope,
            commit_id,
            operations,
        }
    }

    /// A batch that no permit covers, for the tests of databases. A program that is deployed is built
    /// without it.
    #[cfg(any(test, feature = "unchecked-batches"))]
    #[must_use]
    pub fn unchecked(scope: Scope, commit_id: CommitId, operations: Vec<Operation>) -> Self {
        Self::new(scope, commit_id, operations)
    }

    /// The partition every operation is in.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Names this very commit, so that it is recognised after a lost answer.
    #[must_use]
    pub fn commit_id(&self) -> CommitId {
        self.commit_id
    }

    /// The operations.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The items it stores.
    pub fn stored(&self) -> impl Iterator<Item = &Item> {
        let operations = self.operations.iter();
        operations.filter_map(|operation| match operation {
            Operation::Put(item, _) => Some(item),
            Operation::Delete(..) => None,
        })
    }

    /// The item whose presence proves that this batch was carried out: its journal entry, or for a scope
    /// without a journal its first record.
    #[must_use]
    pub fn witness(&self) -> Option<&Item> {
        self.stored()
            .find(|item| item.key.sort.is_journal())
            .or_else(|| self.stored().next())
    }

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

    pub(super) fn push(&mut self, operation: Operation) {
        self.operations.push(operation);
    }

    /// Replaces the condition under which an item is stored.
    pub(in crate::operation) fn condition(&mut self, sort: &Sort, condition: &Condition) {
        for operation in &mut self.operations {
            if let Operation::Put(item, before) = operation
                && item.key.sort == *sort
            {
                *before = condition.clone();
            }
        }
    }
}
