//! The records a permission decision reads, and how they are asked for: one round of strong reads,
//! however many teams and projects there are.

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

/// A person's standing in an account, as stored.
#[derive(Debug, Clone)]
pub struct AccountRecords {
    /// The person.
    pub user: UserId,
    /// The account.
    pub account: Option<Record<Account>>,
    /// The person's membership.
    pub member: Option<Record<Member>>,
    /// The person's team rows.
    pub teams: Vec<Record<TeamMember>>,
}

/// What a project's decisions read, as stored.
#[derive(Debug, Clone)]
pub struct ProjectRecords {
    /// The standing in the account.
    pub standing: AccountRecords,
    /// The end of the project's journal.
    pub head: Option<Record<Head>>,
    /// The project.
    pub project: Option<Record<Project>>,
    /// Its live grants, sorted by principal.
    pub grants: Vec<Record<Grant>>,
}

/// The key of a scope's head. Commands that change members, grants or invitations ask for it in a
/// round of its own, before any other fact.
#[must_use]
pub fn head_key(scope: Scope) -> Key {
    scope.key(Sort::head())
}

/// What a command asks: the head of its scope and, once that is there, the rest.
#[must_use]
pub fn head_first(facts: &Facts, scope: Scope, rest: Vec<ReadRequest>) -> Vec<ReadRequest> {
    let head = ReadRequest::Get(head_key(scope));
    if facts.has(&head) { rest } else { vec![head] }
}

/// What a command acts on, with the permit to. Whoever `sees` such things learns first that this one
/// is not there (404); whoever does not learns only that they may not.
///
/// # Errors
/// 404 or the refusal.
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

/// Puts a refusal in its place among the checks: who cannot see the project, or may not do this,
/// hears so before anything `else_wrong` with the request; that it is archived comes last, with the
/// other conflicts.
///
/// # Errors
/// Whichever comes first.
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
        // An id has a fixed length, so the prefix takes in this person's rows only.
        Range::all(Scope::Account(account), Sort::member(user).as_str())
    }

    /// What to ask for a person's standing in an account.
    #[must_use]
    pub fn reads(account: AccountId, user: UserId) -> Vec<ReadRequest> {
        let account_key = Scope::Account(account).key(Sort::account());
        vec![
            ReadRequest::Get(account_key),
            ReadRequest::Scan(Self::member_range(account, user)),
        ]
    }

    /// The standing out of the answers.
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

    /// The question these records answer.
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

    /// What to ask for a person's access to a project: three reads. An unknown project, or one of
    /// another account, makes the same ones.
    #[must_use]
    pub fn reads(project: ProjectId, user: UserId) -> Vec<ReadRequest> {
        let mut reads = AccountRecords::reads(project.account(), user);
        reads.push(ReadRequest::Scan(Self::range(project)));
        reads
    }

    /// The records out of the answers.
    ///
    /// # Errors
    /// [`FactError`].
    pub fn load(facts: &Facts, project: ProjectId, user: UserId) -> Result<Self, FactError> {
        let account = AccountRecords::load(facts, project.account(), user)?;
        Self::with_account_records(facts, project, account)
    }

    /// The records out of the answers for someone whose standing is known already.
    ///
    /// # Errors
    /// [`FactError`].
    pub fn with_account_records(
        facts: &Facts,
        project: ProjectId,
        account: AccountRecords,
    ) -> Result<Self, FactError> {
        let mut records = Self {
            standing: account,
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

    /// The question these records answer.
    #[must_use]
    pub fn access(&self, now: Timestamp) -> Access<'_> {
        Access {
            account: self.standing.access(),
            project: self.project.as_ref(),
            grants: &self.grants,
            now,
        }
    }
}
