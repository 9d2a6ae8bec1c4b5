//! What one operation of a commit does in a database.

use super::{ETag, Item, Sort};

/// What must hold of the stored item for an operation to go through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Nothing is stored under the key.
    Absent,
    /// The stored item carries this ETag.
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
