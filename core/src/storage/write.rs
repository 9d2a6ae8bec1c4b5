//! The operations of a commit.

use super::{ETag, Item, Sort};

/// The condition on the stored item under which an operation applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// No item is stored under the key.
    Absent,
    /// The stored item has this ETag.
    Matches(ETag),
}

/// One operation of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly all operations are puts")]
pub enum Operation {
    /// Stores the item.
    Put(Item, Condition),
    /// Deletes the item under the key, with its index rows.
    Delete(Sort, Condition),
}
