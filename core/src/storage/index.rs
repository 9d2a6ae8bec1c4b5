//! The four listing indexes.

use alloc::string::String;

/// One of the four global indexes. Indexes are eventually consistent: they serve listings, never
/// decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Index {
    /// `ACCOUNT#`: projects, members and teams of an account. `WORK#`: unfinished work by due time.
    Gsi1,
    /// `TEAM#`: members and project grants of a team.
    Gsi2,
    /// `USER#` and `EMAIL#`: memberships, grants and invitations of a person.
    Gsi3,
    /// `PROJECT#`: grants and artifacts of a project, by last change.
    Gsi4,
}

impl Index {
    /// All indexes, in the order of [`IndexKeys`].
    pub const ALL: [Self; 4] = [Self::Gsi1, Self::Gsi2, Self::Gsi3, Self::Gsi4];

    /// Sets the position of an item in this index. `None` removes the item from the index.
    pub fn put(self, keys: &mut IndexKeys, place: impl Into<Option<IndexKey>>) {
        if let Some(slot) = keys.get_mut(self.position()) {
            *slot = place.into();
        }
    }

    /// The position of this index in [`Index::ALL`] and [`IndexKeys`].
    #[must_use]
    pub fn position(self) -> usize {
        self as usize
    }
}

/// The position of an item in one index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexKey {
    /// The partition key of the index.
    pub partition: String,
    /// The sort key within the partition.
    pub sort: String,
}

/// The position of an item in each index, in the order of [`Index::ALL`]. `None` means that the
/// index does not show the item.
pub type IndexKeys = [Option<IndexKey>; 4];
