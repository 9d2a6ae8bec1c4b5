//! Reads of several items.

use alloc::{string::String, vec::Vec};

use super::{Index, Item, Scope};

/// A strongly consistent read of consecutive sort keys in one partition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    /// The partition.
    pub scope: Scope,
    /// The prefix of the sort keys.
    pub prefix: String,
    /// Exclusive lower bound of the sort keys, in byte order.
    pub after: Option<String>,
    /// The maximum number of items. `None` returns all items; use it only for prefixes whose size
    /// the model limits.
    pub limit: Option<u32>,
}

impl Range {
    /// All items with this prefix.
    #[must_use]
    pub fn all(scope: Scope, prefix: impl Into<String>) -> Self {
        Self {
            scope,
            prefix: prefix.into(),
            after: None,
            limit: None,
        }
    }
}

/// An eventually consistent read of one page of an index partition, ordered by index sort key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct List {
    pub index: Index,
    /// The index partition.
    pub partition: String,
    /// The prefix of the index sort keys.
    pub prefix: String,
    /// Exclusive lower bound of the index sort keys.
    pub after: Option<String>,
    /// Inclusive upper bound of the index sort keys.
    pub until: Option<String>,
    /// The maximum number of items.
    pub limit: u32,
}

impl List {
    /// The row after which the next page begins. `None` after the last page.
    #[must_use]
    pub fn end_of<'p>(&self, page: &'p Page) -> Option<&'p str> {
        let last = page.items.last().filter(|_| page.more)?;
        last.row(self.index).map(|row| row.sort.as_str())
    }
}

/// Items in order, and whether the range contains more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct Page {
    pub items: Vec<Item>,
    /// Whether more items follow. Always `false` for a read without a limit.
    pub more: bool,
}

/// A page of the scopes that have a head, in whatever order the store keeps its scopes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScopePage {
    /// The scopes.
    pub scopes: Vec<Scope>,
    /// The scope after which the next page begins, with or without a head. `None` after the last one.
    pub next: Option<Scope>,
}
