//! The records that permission decisions read. One round of strong reads loads them, however many
//! teams and projects exist.

pub mod past;
mod roster;

use alloc::{vec, vec::Vec};

pub use roster::Roster;

use crate::{
    operation::{FactError, Facts, Problem, ReadRequest},
    permission::{Access, AccountAccess, Permit, Refusal},
    record::{Account, Grant, Head, Member, Project, Record, TeamMember},
    storage::{Item, Key, Range, Scope, Sort},
    value::{AccountId, ProjectId, Timestamp, UserId},
};

/// The records that decide a person's access to an account, as stored.
#[derive(Debug, Clone)]
pub struct AccountRecords {
    /// The person.
    pub user: UserId,
    /// The account. `None` if it does not exist.
    pub account: Option<Record<Account>>,
    /// The person's membership. `None` if there never was one.
    pub member: Option<Record<Member>>,
    /// The person's rows in teams of the account.
    pub teams: Vec<Record<TeamMember>>,
}

/// The records that decide a person's access to a project, as stored.
#[derive(Debug, Clone)]
pub struct ProjectRecords {
    /// The records of the person and the account.
    pub account_records: AccountRecords,
    /// The head of the project's scope.
    pub head: Option<Record<Head>>,
    /// The project. `None` if it does not exist.
    pub project: Option<Record<Project>>,
    /// The live grants of the project, sorted by principal.
    pub grants: Vec<Record<Grant>>,
}

/// The key of a scope's head. Commands that change members, grants or invitations read the head in
/// a round of its own, before any other fact. The commit then fails if the scope changed after the head was
/// read.
#[must_use]
pub fn head_key(scope: Scope) -> Key {
    scope.key(Sort::head())
}

/// The reads of a command: first the head of its scope, then the rest.
#[must_use]
pub fn head_first(facts: &Facts, scope: Scope, rest: Vec<ReadRequest>) -> Vec<ReadRequest> {
    let head = ReadRequest::Get(head_key(scope));
    if facts.has(&head) { rest } else { vec![head] }
}

/// Returns the object of a command with the permit to change it. A caller who may view such objects
/// (`sees`) gets 404 for a missing object. Another caller gets the refusal, whether or not the
/// object exists.
///
/// # Errors
/// 404, or the refusal.
pub fn act_on<T>(
    sees: bool,
    permit: Result<Permit, Refusal>,
    thing: Option<T>,
) -> Result<(Permit, T), Problem> {
    match (thing, permit) {
        (Some(thing), permit) => Ok((permit?, thing)),
        (None, Err(refusal)) if !sees => Err(refusal.into()),
        (None, _) => Err(Problem::not_found()),
    }
}

/// Orders a permission decision among the other checks of a request. A caller who cannot see the
/// project or lacks the capability is refused before `else_wrong`. The refusal of an archived
/// project is a conflict, so it comes last.
///
/// # Errors
/// The first refusal in this order.
pub fn in_order<T, U>(
    decision: Result<T, Refusal>,
    else_wrong: Result<U, Problem>,
) -> Result<(T, U), Problem> {
    match decision {
        Err(refusal @ (Refusal::Hidden | Refusal::Missing(_))) => Err(refusal.into()),
        decision => {
            let rest = else_wrong?;
            Ok((decision?, rest))
        }
    }
}

impl AccountRecords {
    fn member_range(account: AccountId, user: UserId) -> Range {
        // Ids have a fixed length, so the prefix matches only rows of this person.
        Range::all(Scope::Account(account), Sort::member(user).as_str())
    }

    /// The reads that [`AccountRecords::load`] needs.
    #[must_use]
    pub fn reads(account: AccountId, user: UserId) -> Vec<ReadRequest> {
        let account_key = Scope::Account(account).key(Sort::account());
        vec![
            ReadRequest::Get(account_key),
            ReadRequest::Scan(Self::member_range(account, user)),
        ]
    }

    /// Takes the records from the facts.
    ///
    /// # Errors
    /// [`FactError`].
    pub fn load(facts: &Facts, account: AccountId, user: UserId) -> Result<Self, FactError> {
        let own_key = Sort::member(user);
        let rows = &facts.scan(&Self::member_range(account, user))?.items;
        let (own, teams): (Vec<&Item>, Vec<&Item>) =
            rows.iter().partition(|item| item.key.sort == own_key);
        Ok(Self {
            user,
            account: facts.record(&Scope::Account(account).key(Sort::account()))?,
            member: own.first().map(|item| Record::decode(item)).transpose()?,
            teams: teams
                .into_iter()
                .map(Record::decode)
                .collect::<Result<_, _>>()?,
        })
    }

    /// The person's access to the account, for the permission engine.
    #[must_use]
    pub fn access(&self) -> AccountAccess<'_> {
        AccountAccess {
            user: self.user,
            account: self.account.as_ref(),
            member: self.member.as_ref(),
            teams: &self.teams,
        }
    }
}

impl ProjectRecords {
    fn range(project: ProjectId) -> Range {
        Range::all(Scope::Project(project), Sort::PERMISSION_PREFIX)
    }

    /// The reads that [`ProjectRecords::load`] needs. Their number does not depend on whether the
    /// project exists or belongs to this account.
    #[must_use]
    pub fn reads(project: ProjectId, user: UserId) -> Vec<ReadRequest> {
        let mut reads = AccountRecords::reads(project.account(), user);
        reads.push(ReadRequest::Scan(Self::range(project)));
        reads
    }

    /// Takes the records from the facts.
    ///
    /// # Errors
    /// [`FactError`].
    pub fn load(facts: &Facts, project: ProjectId, user: UserId) -> Result<Self, FactError> {
        let account = AccountRecords::load(facts, project.account(), user)?;
        Self::with_account_records(facts, project, account)
    }

    /// Takes the records from the facts, for a person whose account records are already loaded.
    ///
    /// # Errors
    /// [`FactError`].
    pub fn with_account_records(
        facts: &Facts,
        project: ProjectId,
        account: AccountRecords,
    ) -> Result<Self, FactError> {
        let mut records = Self {
            account_records: account,
            head: None,
            project: None,
            grants: Vec::new(),
        };
        for item in &facts.scan(&Self::range(project))?.items {
            if item.key.sort == Sort::head() {
                records.head = Some(Record::decode(item)?);
            } else if item.key.sort == Sort::project() {
                records.project = Some(Record::decode(item)?);
            } else {
                records.grants.push(Record::decode(item)?);
            }
        }
        Ok(records)
    }

    /// The person's access to the project, for the permission engine.
    #[must_use]
    pub fn access(&self, now: Timestamp) -> Access<'_> {
        Access {
            account: self.account_records.access(),
            project: self.project.as_ref(),
            grants: &self.grants,
            now,
        }
    }
}
