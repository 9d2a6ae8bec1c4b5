//! What can be read beyond a single item.

use alloc::{string::String, vec::Vec};

use super::{Index, Item, Scope};

/// A strongly consistent read of consecutive sort keys in one partition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    /// The partition.
    pub scope: Scope,
    /// What the sort keys begin with.
    pub prefix: String,
    /// Only sort keys greater than this one, in byte order.
    pub after: Option<String>,
    /// The most items to return; `None` returns all, for prefixes that the model bounds.
    pub limit: Option<u32>,
}

impl Range {
    /// All items below a prefix.
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

/// An eventually consistent read of one page of an index partition, in the order of its sort keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct List {
    /// The index.
    pub index: Index,
    /// Its partition.
    pub partition: String,
    /// What the index's sort keys begin with.
    pub prefix: String,
    /// Only index sort keys greater than this one.
    pub after: Option<String>,
    /// Only index sort keys up to and including this one.
    pub until: Option<String>,
    /// The most items to return.
    pub limit: u32,
}

/// Items in order, and whether the range holds more behind them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The items.
    pub items: Vec<Item>,
    /// Whether there are more: only ever true where a limit was given.
    pub more: bool,
}
