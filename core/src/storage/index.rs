//! The four listing indexes.

use alloc::string::String;

/// One of the four global indexes, for listing only: eventually consistent, never read for a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Index {
    /// Below `ACCOUNT#`: projects, members, teams. Below `WORK#`: unfinished work by due time.
    Gsi1,
    /// Below `TEAM#`: members and project grants of a team.
    Gsi2,
    /// Below `USER#` and `EMAIL#`: memberships, grants, invitations of a person.
    Gsi3,
    /// Below `PROJECT#`: grants and artifacts by last change.
    Gsi4,
}

impl Index {
    /// All indexes, in the order [`IndexKeys`] holds them.
    pub const ALL: [Self; 4] = [Self::Gsi1, Self::Gsi2, Self::Gsi3, Self::Gsi4];

    /// Shows an item at this place of this index.
    pub fn put(self, keys: &mut IndexKeys, place: impl Into<Option<IndexKey>>) {
        if let Some(slot) = keys.get_mut(self.position()) {
            *slot = place.into();
        }
    }

    /// The position in [`Index::ALL`] and [`IndexKeys`].
    #[must_use]
    pub fn position(self) -> usize {
        self as usize
    }
}

/// Where an item stands in one index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexKey {
    /// The index's partition.
    pub partition: String,
    /// The place in it.
    pub sort: String,
}

/// Where an item stands in each index, in the order of [`Index::ALL`]; `None` leaves it out.
pub type IndexKeys = [Option<IndexKey>; 4];
