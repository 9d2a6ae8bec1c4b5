//! What a scope holds, as limits count it.

use alloc::string::ToString;

use serde::{Deserialize, Serialize};

use super::{
    Artifact, Body, Corrupt, Derived, Family, Grant, Invitation, Member, Record, Team, Version,
};
use crate::{
    storage::{Item, Sort},
    value::Timestamp,
};

/// Counts of the records in one scope, and of their bytes. The head of the scope holds them, and
/// every commit updates them, so they are exact within the scope.
///
/// They say what this surface stores. Another surface counts by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Usage {
    /// Documents that are not deleted.
    #[serde(skip_serializing_if = "is_zero")]
    pub artifacts: u64,
    /// Versions and derived outputs, in whatever state.
    #[serde(skip_serializing_if = "is_zero")]
    pub versions: u64,
    /// Uploads that are not completed, rejected or expired.
    #[serde(skip_serializing_if = "is_zero")]
    pub pending_uploads: u64,
    /// The declared size of these uploads, in bytes.
    #[serde(skip_serializing_if = "is_zero")]
    pub declared_bytes: u64,
    /// The size of all objects whose bytes arrived, in bytes. A restored version has no object of
    /// its own.
    #[serde(skip_serializing_if = "is_zero")]
    pub stored_bytes: u64,
    /// Grants that are not revoked.
    #[serde(skip_serializing_if = "is_zero")]
    pub grants: u64,
    /// Members who were not removed.
    #[serde(skip_serializing_if = "is_zero")]
    pub members: u64,
    /// Teams that are not deleted.
    #[serde(skip_serializing_if = "is_zero")]
    pub teams: u64,
    /// Invitations that are not answered or revoked.
    #[serde(skip_serializing_if = "is_zero")]
    pub invitations: u64,
}

/// A count of all records of a scope that is under way. It takes several steps, between which
/// records change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counting {
    /// Records up to this sort key are counted. Later commits keep their count up to date.
    pub after: Sort,
    /// What the counted records add up to.
    pub usage: Usage,
    /// The number of records that could not be read.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u64,
}

/// The counters of a head during a commit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Counters {
    pub(crate) usage: Option<Usage>,
    pub(crate) counting: Option<Counting>,
    pub(crate) counted_at: Option<Timestamp>,
    pub(crate) projects: Option<Usage>,
}

impl Counters {
    /// The counters before the first commit of a scope.
    pub(crate) fn of_a_new_scope() -> Self {
        Self {
            usage: Some(Usage::default()),
            ..Self::default()
        }
    }

    /// Takes what the record with this key added.
    pub(crate) fn remove(&mut self, sort: &Sort, usage: Usage) {
        self.change(sort, |counted| counted.minus(usage));
    }

    /// Adds what the record with this key adds.
    pub(crate) fn add(&mut self, sort: &Sort, usage: Usage) {
        self.change(sort, |counted| counted.plus(usage));
    }

    /// A count under way includes the record only if it has passed its key.
    fn change(&mut self, sort: &Sort, change: impl Fn(Usage) -> Usage) {
        self.usage = self.usage.map(&change);
        if let Some(counting) = self
            .counting
            .as_mut()
            .filter(|counting| *sort <= counting.after)
        {
            counting.usage = change(counting.usage);
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Usage {
    /// The sum of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        self.each(other, u64::saturating_add)
    }

    /// The difference of both.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        self.each(other, u64::saturating_sub)
    }

    /// What this item adds to the usage of its scope. Copies in the history add nothing.
    ///
    /// # Errors
    /// [`Corrupt`] if the item is damaged or newer than this program.
    pub fn of(item: &Item) -> Result<Self, Corrupt> {
        #[derive(Deserialize)]
        struct Head {
            family: Family,
        }
        let Ok(Head { family }) = serde_json::from_str(&item.body) else {
            let what = "its envelope does not parse";
            return Err(Corrupt::Damaged(item.key.to_string(), what));
        };
        match family {
            Family::Artifact => Self::of_record::<Artifact>(item),
            Family::Version => Self::of_record::<Version>(item),
            Family::Derived => Self::of_record::<Derived>(item),
            Family::Grant => Self::of_record::<Grant>(item),
            Family::Member => Self::of_record::<Member>(item),
            Family::Team => Self::of_record::<Team>(item),
            Family::Invitation => Self::of_record::<Invitation>(item),
            _ => Ok(Self::default()),
        }
    }

    fn of_record<B: Body>(item: &Item) -> Result<Self, Corrupt> {
        let record = Record::<B>::decode(item)?;
        if record.key() == item.key {
            Ok(record.usage())
        } else {
            Ok(Self::default())
        }
    }

    fn each(self, other: Self, operation: fn(u64, u64) -> u64) -> Self {
        Self {
            artifacts: operation(self.artifacts, other.artifacts),
            versions: operation(self.versions, other.versions),
            pending_uploads: operation(self.pending_uploads, other.pending_uploads),
            declared_bytes: operation(self.declared_bytes, other.declared_bytes),
            stored_bytes: operation(self.stored_bytes, other.stored_bytes),
            grants: operation(self.grants, other.grants),
            members: operation(self.members, other.members),
            teams: operation(self.teams, other.teams),
            invitations: operation(self.invitations, other.invitations),
        }
    }
}
