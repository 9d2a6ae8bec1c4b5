//! Rows of unfinished work: their partitions, and their return after a failure.

use alloc::{format, string::ToString};
use core::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Index, IndexKey, IndexRows, Item, Key, Sort};
use crate::value::{Invalid, Sha256, Timestamp};

/// A kind of unfinished work. Each kind has partitions of its own, so a backlog of one kind delays
/// no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    /// Journal entries that are not published.
    Outbox,
    /// Open uploads.
    Uploads,
    /// Accepted invitations with grants that are still to be made.
    Invitations,
    /// Deleted teams with rows and grants that are still to be marked.
    Teams,
}

impl Work {
    /// The kinds that the sweep finishes. The relay publishes the outbox.
    pub const SWEPT: [Self; 3] = [Self::Uploads, Self::Invitations, Self::Teams];

    /// The kind of work that the record with this key can be. `None` for records that are never
    /// unfinished.
    #[must_use]
    pub fn of(key: &Key) -> Option<Self> {
        let sort = key.sort.as_str();
        if key.sort.is_journal() {
            Some(Self::Outbox)
        } else if key.sort.content().is_some() {
            Some(Self::Uploads)
        } else if sort.starts_with(Sort::INVITATIONS) {
            Some(Self::Invitations)
        } else if sort.starts_with(Sort::TEAMS) {
            Some(Self::Teams)
        } else {
            None
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Outbox => "OUTBOX",
            Self::Uploads => "UPLOADS",
            Self::Invitations => "INVITATIONS",
            Self::Teams => "TEAMS",
        }
    }
}

/// The number of index partitions for each kind of unfinished work. Several partitions spread the
/// load. A surface may raise the number, but never lowers it, so every row stays in a partition that
/// is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct WorkPartitions(u8);

impl WorkPartitions {
    /// The largest number.
    pub const MAX: Self = Self(64);

    /// The rows of this kind of work in each partition, by due time.
    pub fn rows(self, kind: Work) -> impl Iterator<Item = IndexRows> {
        (0..self.0).map(move |partition| IndexRows::unfinished_work(kind, partition))
    }

    /// The partition that has the row of the record with this key.
    #[must_use]
    pub fn row(self, kind: Work, key: &Key) -> IndexRows {
        let digest = Sha256::of(key.to_string().as_bytes());
        let first = digest.as_bytes().first().copied().unwrap_or_default();
        IndexRows::unfinished_work(kind, first.checked_rem(self.0).unwrap_or_default())
    }
}

impl Default for WorkPartitions {
    /// 4, the smallest number.
    fn default() -> Self {
        Self(4)
    }
}

impl TryFrom<u8> for WorkPartitions {
    type Error = Invalid;

    fn try_from(number: u8) -> Result<Self, Invalid> {
        let range = Self::default().0..=Self::MAX.0;
        let partitions = range.contains(&number).then_some(Self(number));
        partitions.ok_or(Invalid("must be a number from 4 to 64"))
    }
}

impl From<WorkPartitions> for u8 {
    fn from(partitions: WorkPartitions) -> Self {
        partitions.0
    }
}

impl fmt::Display for WorkPartitions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for WorkPartitions {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let number: Result<u8, _> = text.parse();
        number.unwrap_or_default().try_into()
    }
}

/// The delay after the first failure. Each further failure doubles it.
const FIRST_DELAY: Duration = Duration::from_secs(30);
/// The longest delay.
const LONGEST_DELAY: Duration = Duration::from_secs(60 * 60);

impl IndexKey {
    fn is_work(&self) -> bool {
        self.partition.starts_with("WORK#")
    }

    /// This row of unfinished work after its work failed now. It is due later: after 30 seconds at
    /// first, after up to an hour in the end.
    ///
    /// The row itself counts the failures. A change of the record makes a new row without them.
    #[must_use]
    pub fn postponed(&self, now: Timestamp) -> Self {
        let (work, failures) = match self.sort.rsplit_once("#~") {
            Some((work, failures)) => (work, failures.parse().unwrap_or(u32::MAX)),
            None => (self.sort.as_str(), 0),
        };
        let factor = 2_u32.saturating_pow(failures);
        let due = now.after(FIRST_DELAY.saturating_mul(factor).min(LONGEST_DELAY));
        let failures = failures.saturating_add(1);
        let subject = work.split_once('#').map_or(work, |(_, subject)| subject);
        Self {
            partition: self.partition.clone(),
            sort: format!("{:020}#{subject}#~{failures}", due.millis()),
        }
    }
}

impl Item {
    /// The row of unfinished work.
    #[must_use]
    pub fn work(&self) -> Option<&IndexKey> {
        self.row(Index::Gsi1).filter(|row| row.is_work())
    }

    /// The same item with this row of unfinished work.
    #[must_use]
    pub fn with_work(&self, row: IndexKey) -> Self {
        let mut item = self.clone();
        Index::Gsi1.put(&mut item.index, row);
        item
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use ulid::Ulid;

    use super::*;
    use crate::{
        storage::{IndexKeys, Scope},
        value::{ArtifactId, SurfaceId, TeamId, UserId, id::Id},
    };

    fn key() -> Key {
        Scope::User(UserId::from_ulid(Ulid::nil())).key(Sort::team(TeamId::from_ulid(Ulid::nil())))
    }

    fn row(due: i64) -> IndexKey {
        let mut keys = IndexKeys::default();
        let rows = WorkPartitions::default().row(Work::Teams, &key());
        rows.put_at(&mut keys, Timestamp::from_millis(due), key());
        let [Some(row), ..] = keys else {
            panic!("{keys:?}");
        };
        row
    }

    #[test]
    fn failed_work_returns_with_growing_delay() {
        let now = Timestamp::from_millis(1_000_000);
        let mut postponed = row(7);
        let mut delays = Vec::new();
        for _ in 0..9 {
            postponed = postponed.postponed(now);
            let due: i64 = postponed.sort.split('#').next().unwrap().parse().unwrap();
            delays.push((due - now.millis()) / 1_000);
        }
        assert_eq!(delays, [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
        assert_eq!(postponed.partition, row(7).partition);
        let subject = format!("#{}#~9", key());
        assert!(postponed.sort.ends_with(&subject), "{}", postponed.sort);
        for failures in ["4294967295", "x", ""] {
            let mut spoilt = row(7);
            spoilt.sort = format!("{}#~{failures}", spoilt.sort);
            assert!(spoilt.postponed(now).sort > row(now.millis()).sort);
        }
    }

    #[test]
    fn rows_are_in_a_partition_that_is_read_whatever_their_number() {
        for number in [4, 5, 16, 64_u8] {
            let partitions: WorkPartitions = number.try_into().unwrap();
            let row = partitions.row(Work::Teams, &key());
            assert!(partitions.rows(Work::Teams).any(|rows| rows == row));
            assert!(
                WorkPartitions::MAX
                    .rows(Work::Teams)
                    .any(|rows| rows == row)
            );
            assert_eq!(partitions.to_string().parse(), Ok(partitions));
        }
        for invalid in ["", "3", "65", "256", "4.0"] {
            assert!(invalid.parse::<WorkPartitions>().is_err(), "{invalid}");
        }
    }

    #[test]
    fn key_says_which_kind_of_work_its_record_can_be() {
        let scope = Scope::User(UserId::from_ulid(Ulid::nil()));
        let artifact = ArtifactId::from_ulid(Ulid::nil());
        let id = Ulid::nil();
        let surface = SurfaceId::first(id);
        for (sort, kind) in [
            (Sort::journal(surface, 1), Some(Work::Outbox)),
            (
                Sort::version(artifact, 1, Id::from_ulid(id)),
                Some(Work::Uploads),
            ),
            (
                Sort::derived(artifact, Id::from_ulid(id)),
                Some(Work::Uploads),
            ),
            (Sort::invitation(Id::from_ulid(id)), Some(Work::Invitations)),
            (Sort::team(Id::from_ulid(id)), Some(Work::Teams)),
            (Sort::artifact(artifact), None),
            (Sort::head(), None),
        ] {
            assert_eq!(Work::of(&scope.key(sort.clone())), kind, "{sort}");
        }
    }
}
