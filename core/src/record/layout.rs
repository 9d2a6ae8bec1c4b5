use serde::{Deserialize, Serialize};

use super::{Body, Family};
use crate::{
    storage::{Key, Scope, Sort, WorkPartitions},
    value::{SurfaceId, Timestamp},
};

/// How the data of the surface is laid out, and how far the sweep is with bringing it up to date.
///
/// A surface without this record has layout 1, that of data format 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// The number of the layout. A program that knows only lower numbers must not touch the data.
    pub number: u32,
    /// The partitions that unfinished work is written to, and read from.
    #[serde(default)]
    pub work_partitions: WorkPartitions,
    /// What a raise of the layout has done so far. Until it is complete, data may have the layout
    /// before it, so both are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reindex: Option<Reindex>,
    /// The last scope that the current walk over all scopes has visited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Scope>,
    /// The end of the last complete walk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub walked_at: Option<Timestamp>,
}

/// The progress of a raise of the layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reindex {
    /// Index rows that were moved.
    pub rows: u64,
    /// Scopes that were visited.
    pub scopes: u64,
}

impl Layout {
    /// The layout that this program writes.
    pub const CURRENT: u32 = 2;

    /// Whether index rows may still be those of format 1.
    #[must_use]
    pub fn has_rows_of_format_1(&self) -> bool {
        self.number < Self::CURRENT || self.reindex.is_some()
    }

    /// Whether a newer program wrote the data.
    #[must_use]
    pub fn is_newer(&self) -> bool {
        self.number > Self::CURRENT
    }

    /// The key of the one record of this family.
    #[must_use]
    pub fn only_key() -> Key {
        Scope::Surface.key(Sort::layout())
    }
}

impl Default for Layout {
    /// The layout of data format 1.
    fn default() -> Self {
        Self {
            number: 1,
            work_partitions: WorkPartitions::default(),
            reindex: None,
            after: None,
            walked_at: None,
        }
    }
}

impl Body for Layout {
    const FAMILY: Family = Family::Layout;
    /// The surface that wrote the first state.
    type Id = SurfaceId;

    fn key(&self, _: &SurfaceId) -> Key {
        Self::only_key()
    }
}
