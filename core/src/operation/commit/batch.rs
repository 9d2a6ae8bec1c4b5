//! The writes of one commit. Building a batch requires permission.

use alloc::{collections::BTreeMap, vec::Vec};

use crate::{
    record::{Author, Body, Clock, Record},
    storage::{Condition, Item, Operation, Scope, Sort},
    value::{CommitId, SurfaceId, Timestamp},
};

/// The operations of one commit. They apply to one scope, all or nothing.
///
/// Seven types of this module build batches, and no other code of deployed programs can:
/// * [`Commit`](super::Commit) takes a permit. It writes records of the permit's scope, their
///   history, a journal entry and the head.
/// * [`LinkWriter`](super::LinkWriter) creates links from verified claims to the caller.
/// * [`DeliveryWriter`](super::DeliveryWriter) writes delivery claims.
/// * [`PublicationWriter`](super::PublicationWriter) removes index rows of journal entries.
/// * [`WorkWriter`](super::WorkWriter) moves index rows of unfinished work.
/// * [`CountWriter`](super::CountWriter) writes the counters of a head.
/// * [`LayoutWriter`](super::LayoutWriter) writes the layout of the surface's data.
///
/// Tests of databases build batches with `Batch::unchecked`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    scope: Scope,
    commit_id: CommitId,
    /// Each operation has a different key.
    operations: Vec<Operation>,
}

/// The batch exceeds a limit that holds for every database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the change is too large for one commit: at most 90 operations, 1.5 MB, and 256 KB a record"
)]
pub struct TooLarge;

impl Batch {
    /// The maximum number of operations in a commit.
    pub const OPERATIONS: usize = 90;
    /// The maximum number of bytes in a commit.
    pub const BYTES: usize = 1_500_000;
    /// The maximum number of bytes in one item.
    pub const ITEM_BYTES: usize = 256 * 1024;

    pub(super) fn new(scope: Scope, commit_id: CommitId, operations: Vec<Operation>) -> Self {
        Self {
            scope,
            commit_id,
            operations,
        }
    }

    /// A batch without a permit, for tests of databases. Deployed programs are built without this
    /// function.
    #[cfg(any(test, feature = "unchecked-batches"))]
    #[must_use]
    pub fn unchecked(scope: Scope, commit_id: CommitId, operations: Vec<Operation>) -> Self {
        Self::new(scope, commit_id, operations)
    }

    /// The partition of every operation.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// The id of this commit. It identifies the commit after a lost answer from the database.
    #[must_use]
    pub fn commit_id(&self) -> CommitId {
        self.commit_id
    }

    /// The writes of the batch, each with its condition.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The items that the batch stores.
    pub fn stored(&self) -> impl Iterator<Item = &Item> {
        let operations = self.operations.iter();
        operations.filter_map(|operation| match operation {
            Operation::Put(item, _) => Some(item),
            Operation::Delete(..) => None,
        })
    }

    /// An item whose presence proves that the batch was committed: the journal entry, or the first
    /// record in a scope without a journal.
    #[must_use]
    pub fn proof_item(&self) -> Option<&Item> {
        self.stored()
            .find(|item| item.key.sort.is_journal())
            .or_else(|| self.stored().next())
    }

    /// Checks the limits that hold on every surface.
    ///
    /// # Errors
    /// [`TooLarge`] if a limit is exceeded.
    pub fn check(&self) -> Result<(), TooLarge> {
        let sizes = self.operations.iter().map(size);
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

    /// The batches of these operations by scope, each as large as a commit may be. Each gets a new
    /// id.
    pub(super) fn split(
        scopes: BTreeMap<Scope, Vec<Operation>>,
        mut commit_id: impl FnMut() -> CommitId,
    ) -> Vec<Self> {
        let mut batches: Vec<Self> = Vec::new();
        let mut bytes = 0;
        let operations = scopes.into_iter().flat_map(|(scope, operations)| {
            let operations = operations.into_iter();
            operations.map(move |operation| (scope, operation))
        });
        for (scope, operation) in operations {
            bytes += size(&operation);
            match batches.last_mut() {
                Some(batch)
                    if batch.scope == scope
                        && batch.operations.len() < Self::OPERATIONS
                        && bytes <= Self::BYTES =>
                {
                    batch.operations.push(operation);
                }
                _ => {
                    bytes = size(&operation);
                    batches.push(Self::new(scope, commit_id(), [operation].into()));
                }
            }
        }
        batches
    }

    pub(super) fn push(&mut self, operation: Operation) {
        self.operations.push(operation);
    }

    /// Replaces the condition on which an item is stored.
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

/// Stores the first state of a record, or the next one after `before`. The write succeeds only if the
/// stored state is still `before`.
pub(super) fn overwrite<B: Body>(
    before: Option<&Record<B>>,
    id: B::Id,
    body: B,
    surface: SurfaceId,
    at: Timestamp,
    author: Author,
) -> Operation {
    let (record, condition) = match before {
        None => {
            let clock = Clock::default().advanced(surface);
            let record = Record::new(id, body, clock, at, author);
            (record, Condition::Absent)
        }
        Some(before) => {
            let clock = before.clock.advanced(surface);
            let record = before.next(body, false, clock, at, author);
            (record, Condition::Matches(before.etag()))
        }
    };
    Operation::Put(record.encode(), condition)
}

/// The size that counts towards the limit of a batch.
fn size(operation: &Operation) -> usize {
    match operation {
        Operation::Put(item, _) => item.size(),
        Operation::Delete(sort, _) => sort.as_str().len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        storage::{ETag, IndexKeys},
        value::{Sha256, UserId, id::Id},
    };

    /// A batch of puts of these sizes.
    fn batch(sizes: &[usize]) -> Batch {
        let scope = Scope::User(UserId::from_ulid(ulid::Ulid::nil()));
        let puts = sizes.iter().map(|size| {
            let mut item = Item {
                key: scope.key(Sort::user()),
                index: IndexKeys::default(),
                etag: ETag::new(Sha256::of(b"")),
                body: alloc::string::String::new(),
                expires_at: None,
            };
            item.body = "x".repeat(size - item.size());
            Operation::Put(item, Condition::Absent)
        });
        Batch::unchecked(
            scope,
            CommitId::from_ulid(ulid::Ulid::nil()),
            puts.collect(),
        )
    }

    #[test]
    fn batch_is_refused_beyond_each_limit_only() {
        const SMALL: usize = 1_000;
        let fits = |sizes: &[usize]| batch(sizes).check().is_ok();
        assert!(fits(&[SMALL; Batch::OPERATIONS]));
        assert!(!fits(&[SMALL; Batch::OPERATIONS + 1]));
        assert!(fits(&[Batch::ITEM_BYTES]));
        assert!(!fits(&[Batch::ITEM_BYTES + 1]));
        assert!(!fits(&[Batch::ITEM_BYTES + 1, SMALL]));
        let mut sizes = [Batch::BYTES / 10; 10];
        assert!(fits(&sizes));
        sizes[0] += 1;
        assert!(!fits(&sizes));
    }

    #[test]
    fn split_operations_fill_as_few_batches_as_fit() {
        const LARGE: usize = Batch::ITEM_BYTES;
        let split = |sizes: &[usize]| -> Vec<usize> {
            let Batch {
                scope, operations, ..
            } = batch(sizes);
            let scopes = [(scope, operations)].into();
            let batches = Batch::split(scopes, || CommitId::from_ulid(ulid::Ulid::nil()));
            assert!(batches.iter().all(|batch| batch.check().is_ok()));
            batches.iter().map(|batch| batch.operations.len()).collect()
        };
        assert_eq!(split(&[]), [0; 0]);
        assert_eq!(split(&[1_000; 2 * Batch::OPERATIONS + 1]), [90, 90, 1]);
        assert_eq!(split(&[LARGE; 7]), [5, 2]);
    }
}
