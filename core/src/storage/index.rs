//! The four listing indexes, and the rows in them.
//!
//! Stored items contain the texts of this file: never change one that exists.

use alloc::{format, string::String};
use core::{array, fmt::Display};

use super::{List, Work};
use crate::value::{AccountId, Principal, ProjectId, Sha256, TeamId, Timestamp, UserId};

/// One of the four global indexes. Indexes are eventually consistent: they serve listings, never
/// decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Index {
    /// `ACCOUNT#`: projects, members and teams of an account. `WORK#`: unfinished work of one kind by
    /// due time.
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

/// The rows of one kind in one index partition. A record puts its row with the constructor that
/// lists read with. The constructors say how the rows are sorted: by an id ([`IndexRows::put`]) or
/// by a time and then an id ([`IndexRows::put_at`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexRows {
    index: Index,
    partition: String,
    prefix: &'static str,
}

impl IndexRows {
    fn new(index: Index, partition: String, prefix: &'static str) -> Self {
        Self {
            index,
            partition,
            prefix,
        }
    }

    /// Members of an account, by membership id.
    #[must_use]
    pub fn members_of_account(account: AccountId) -> Self {
        Self::new(Index::Gsi1, format!("ACCOUNT#{account}"), "MEMBER#")
    }

    /// Teams of an account, by creation.
    #[must_use]
    pub fn teams_of_account(account: AccountId) -> Self {
        Self::new(Index::Gsi1, format!("ACCOUNT#{account}"), "TEAM#")
    }

    /// Projects of an account, by creation.
    #[must_use]
    pub fn projects_of_account(account: AccountId) -> Self {
        Self::new(Index::Gsi1, format!("ACCOUNT#{account}"), "PROJECT#")
    }

    /// The unfinished work of this kind in one of its partitions, by due time.
    #[must_use]
    pub(super) fn unfinished_work(kind: Work, partition: u8) -> Self {
        let partition = format!("WORK#{}#{partition}", kind.name());
        Self::new(Index::Gsi1, partition, "")
    }

    /// The unfinished work that format 1 stored, of all kinds, in each of its partitions.
    #[must_use]
    pub fn unfinished_work_of_format_1() -> [Self; 4] {
        array::from_fn(|partition| Self::new(Index::Gsi1, format!("WORK#{partition}"), ""))
    }

    /// Members of a team, by the time at which they were added.
    #[must_use]
    pub fn members_of_team(team: TeamId) -> Self {
        Self::new(Index::Gsi2, format!("TEAM#{team}"), "MEMBER#")
    }

    /// Live grants to a person or a team, by grant id.
    #[must_use]
    pub fn grants_to(principal: Principal) -> Self {
        match principal {
            Principal::Team(team) => Self::new(Index::Gsi2, format!("TEAM#{team}"), "GRANT#"),
            Principal::User(user) => Self::new(Index::Gsi3, format!("USER#{user}"), "GRANT#"),
        }
    }

    /// Memberships of a person in accounts, by membership id.
    #[must_use]
    pub fn memberships_of_user(user: UserId) -> Self {
        Self::new(Index::Gsi3, format!("USER#{user}"), "MEMBER#")
    }

    /// Memberships of a person in teams, by team id.
    #[must_use]
    pub fn teams_of_user(user: UserId) -> Self {
        Self::new(Index::Gsi3, format!("USER#{user}"), "TEAM#")
    }

    /// Pending invitations to the e-mail address with this keyed hash, by invitation id.
    #[must_use]
    pub fn invitations_to(email_hash: Sha256) -> Self {
        Self::new(Index::Gsi3, format!("EMAIL#{email_hash}"), "INVITE#")
    }

    /// Live grants of a project, by last change.
    #[must_use]
    pub fn grants_of_project(project: ProjectId) -> Self {
        Self::new(Index::Gsi4, format!("PROJECT#{project}"), "GRANT#")
    }

    /// Artifacts of a project, by last change.
    #[must_use]
    pub fn artifacts_of_project(project: ProjectId) -> Self {
        Self::new(Index::Gsi4, format!("PROJECT#{project}"), "ARTIFACT#")
    }

    /// Adds the row with this id to the index keys of an item.
    pub fn put(self, keys: &mut IndexKeys, id: impl Display) {
        let sort = self.sort(id);
        self.put_sorted(keys, sort);
    }

    /// Adds the row with this time and id to the index keys of an item.
    pub fn put_at(self, keys: &mut IndexKeys, time: Timestamp, id: impl Display) {
        let sort = self.sort(format_args!("{:020}#{id}", time.millis()));
        self.put_sorted(keys, sort);
    }

    /// Adds a row with this sort key.
    pub(crate) fn put_sorted(self, keys: &mut IndexKeys, sort: String) {
        self.index.put(keys, self.at(sort));
    }

    /// The position with this sort key.
    pub(crate) fn at(self, sort: String) -> IndexKey {
        let partition = self.partition;
        IndexKey { partition, sort }
    }

    /// The sort key of the row with this id.
    #[must_use]
    pub fn sort(&self, id: impl Display) -> String {
        format!("{}{id}", self.prefix)
    }

    /// The read of the first rows, at most `limit`.
    #[must_use]
    pub fn list(self, limit: u32) -> List {
        List {
            index: self.index,
            partition: self.partition,
            prefix: self.prefix.into(),
            after: None,
            until: None,
            limit,
        }
    }

    /// The read of the first rows up to this time, at most `limit`.
    #[must_use]
    pub fn list_until(self, time: Timestamp, limit: u32) -> List {
        // `~` sorts after the `#` that follows the time.
        let until = self.sort(format_args!("{:020}~", time.millis()));
        List {
            until: Some(until),
            ..self.list(limit)
        }
    }
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;
    use crate::{
        storage::{Scope, Sort, WorkPartitions},
        value::id::Id,
    };

    const ID: &str = "00000000010000000000000001";

    fn id<T: Id>() -> T {
        T::from_ulid(Ulid::from_parts(1, 1))
    }

    #[test]
    fn index_rows_have_their_stored_partitions_and_prefixes() {
        let project = ProjectId::new(id(), Ulid::from_parts(1, 1));
        let hash = "00".repeat(32);
        let [first, last] =
            [0, 63].map(|partition| IndexRows::unfinished_work(Work::Outbox, partition));
        let [uploads, invitations, teams] =
            Work::SWEPT.map(|kind| IndexRows::unfinished_work(kind, 0));
        let [of_format_1, ..] = IndexRows::unfinished_work_of_format_1();
        for (rows, text) in [
            (
                IndexRows::members_of_account(id()),
                format!("Gsi1 ACCOUNT#acc_{ID} MEMBER#"),
            ),
            (
                IndexRows::teams_of_account(id()),
                format!("Gsi1 ACCOUNT#acc_{ID} TEAM#"),
            ),
            (
                IndexRows::projects_of_account(id()),
                format!("Gsi1 ACCOUNT#acc_{ID} PROJECT#"),
            ),
            (first, "Gsi1 WORK#OUTBOX#0 ".into()),
            (last, "Gsi1 WORK#OUTBOX#63 ".into()),
            (uploads, "Gsi1 WORK#UPLOADS#0 ".into()),
            (invitations, "Gsi1 WORK#INVITATIONS#0 ".into()),
            (teams, "Gsi1 WORK#TEAMS#0 ".into()),
            (of_format_1, "Gsi1 WORK#0 ".into()),
            (
                IndexRows::members_of_team(id()),
                format!("Gsi2 TEAM#team_{ID} MEMBER#"),
            ),
            (
                IndexRows::grants_to(Principal::Team(id())),
                format!("Gsi2 TEAM#team_{ID} GRANT#"),
            ),
            (
                IndexRows::grants_to(Principal::User(id())),
                format!("Gsi3 USER#usr_{ID} GRANT#"),
            ),
            (
                IndexRows::memberships_of_user(id()),
                format!("Gsi3 USER#usr_{ID} MEMBER#"),
            ),
            (
                IndexRows::teams_of_user(id()),
                format!("Gsi3 USER#usr_{ID} TEAM#"),
            ),
            (
                IndexRows::invitations_to(Sha256::from_bytes([0; 32])),
                format!("Gsi3 EMAIL#{hash} INVITE#"),
            ),
            (
                IndexRows::grants_of_project(project),
                format!("Gsi4 PROJECT#prj_{ID}{ID} GRANT#"),
            ),
            (
                IndexRows::artifacts_of_project(project),
                format!("Gsi4 PROJECT#prj_{ID}{ID} ARTIFACT#"),
            ),
        ] {
            let List {
                index,
                partition,
                prefix,
                ..
            } = rows.list(1);
            assert_eq!(format!("{index:?} {partition} {prefix}"), text);
        }
    }

    #[test]
    fn index_rows_sort_by_id_or_by_time_and_id() {
        let (account, team) = (id::<AccountId>(), id::<TeamId>());
        let mut keys = IndexKeys::default();
        IndexRows::teams_of_user(id()).put(&mut keys, team);
        IndexRows::teams_of_account(account).put_at(&mut keys, Timestamp::from_millis(7), team);
        let sorts = keys.map(|key| key.map(|key| key.sort));
        let by_time = format!("TEAM#00000000000000000007#team_{ID}");
        let by_id = format!("TEAM#team_{ID}");
        assert_eq!(sorts, [Some(by_time), None, Some(by_id), None]);
    }

    #[test]
    fn unfinished_work_is_listed_from_its_due_time() {
        let key = Scope::Account(id()).key(Sort::team(id()));
        let work = WorkPartitions::default().row(Work::Teams, &key);
        let mut keys = IndexKeys::default();
        let time = Timestamp::from_millis;
        work.clone().put_at(&mut keys, time(7), &key);
        let [Some(row), None, None, None] = keys else {
            panic!("{keys:?}");
        };
        let sort = format!("00000000000000000007#ACCOUNT#acc_{ID} TEAM#team_{ID}");
        assert_eq!(row.sort, sort);
        let until = |millis| work.clone().list_until(time(millis), 1).until.unwrap();
        assert!(until(6) < sort && sort <= until(7));
    }
}
