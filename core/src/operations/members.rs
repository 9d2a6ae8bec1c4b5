//! Routes and views of members.

mod get;
mod list;
mod remove;
mod update;

use alloc::{format, vec::Vec};

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    operation::{
        Commit, Context, FactError, Facts, Parsed, Problem, ProblemKind, ReadRequest, Route,
        authority::{AccountRecords, head_first},
        view::Envelope,
    },
    permission::AccountAccess,
    record::{Account, Member, MemberStatus, Record},
    storage::{Scope, Sort},
    value::{AccountId, AccountRole, InvitationId, MembershipId, UserId},
};

pub(super) const ROUTES: &[&Route] = &[&list::ROUTE, &get::ROUTE, &update::ROUTE, &remove::ROUTE];

pub(super) const EXAMPLE: &str = r#"{
  "id": "usr_01ks8vcv05qe9yjnxn3y5pwjh8",
  "version": 1,
  "created_at": "2026-03-02T09:30:00.000Z",
  "created_by": "usr_01ks8vcv05qe9yjnxn3y5pwjh8",
  "updated_at": "2026-03-02T09:30:00.000Z",
  "updated_by": "usr_01ks8vcv05qe9yjnxn3y5pwjh8",
  "user_id": "usr_01ks8vcv05qe9yjnxn3y5pwjh8",
  "account_id": "acc_01kjdr7hbmxwc9att838g7qvrz",
  "membership_id": "mbr_01k54v838m2x6306ev7cgrbpdt",
  "role": "member",
  "status": "active",
  "invitation_id": "inv_01keavqf4ybmjx3vzcjzmzg8e2"
}"#;

/// A member of an account. Name and address are not here: they belong to the person, not to the
/// account.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Member")]
pub(crate) struct MemberView {
    #[serde(flatten)]
    envelope: Envelope<UserId>,
    user_id: UserId,
    account_id: AccountId,
    /// This stay in the account. A person who leaves and joins again has another one.
    membership_id: MembershipId,
    /// The role in the account.
    role: AccountRole,
    status: MemberStatus,
    /// The invitation that the person accepted. Absent for the founder of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    invitation_id: Option<InvitationId>,
}

impl From<&Record<Member>> for MemberView {
    fn from(record: &Record<Member>) -> Self {
        let member = &record.body;
        Self {
            envelope: Envelope::of(record),
            user_id: record.id,
            account_id: member.account_id,
            membership_id: member.membership_id,
            role: member.role,
            status: member.status,
            invitation_id: member.invitation_id,
        }
    }
}

/// The ids of a member in a path.
#[derive(Debug)]
struct PathIds {
    account: AccountId,
    user: UserId,
}

impl PathIds {
    fn parse(request: &Parsed<'_>) -> Result<Self, Problem> {
        Ok(Self {
            account: request.path("account")?,
            user: request.path("user")?,
        })
    }

    fn scope(&self) -> Scope {
        Scope::Account(self.account)
    }

    /// The reads for the caller's access and the member.
    fn reads(&self, context: &Context<'_>) -> Vec<ReadRequest> {
        let mut reads = AccountRecords::reads(self.account, context.user());
        reads.push(ReadRequest::Get(self.scope().key(Sort::member(self.user))));
        reads
    }

    /// The reads of a command, which reads the head first.
    fn reads_to_change(&self, context: &Context<'_>, facts: &Facts) -> Vec<ReadRequest> {
        head_first(facts, self.scope(), self.reads(context))
    }

    /// Loads the member. `None` after a removal.
    fn load(&self, facts: &Facts) -> Result<Option<Record<Member>>, FactError> {
        let member = facts.record(&self.scope().key(Sort::member(self.user)))?;
        Ok(member.filter(is_current))
    }
}

/// Whether the membership is active or suspended.
pub(crate) fn is_current(member: &Record<Member>) -> bool {
    !member.deleted && member.body.status != MemberStatus::Removed
}

/// First half of rule 4 of the permissions: a person who changes a member outranks the member's
/// present role. People may change their own membership.
fn check_rank(access: &AccountAccess<'_>, member: &Record<Member>) -> Result<(), Problem> {
    let present = member.body.role;
    if member.id == access.user || access.outranks(present) {
        return Ok(());
    }
    Err(Problem::escalation(
        format!("you cannot change a member who is `{present}`; ask an owner"),
        access
            .lacking_capabilities(AccountRole::Owner)
            .iter()
            .collect(),
    ))
}

/// Second half of rule 4 of the permissions: a person who gives a role has every capability of it.
/// This includes giving the role to oneself.
///
/// # Errors
/// 403 `escalation` naming the missing capabilities.
pub(crate) fn check_assignable(
    access: &AccountAccess<'_>,
    role: AccountRole,
) -> Result<(), Problem> {
    let lacking = access.lacking_capabilities(role);
    if lacking.is_empty() {
        return Ok(());
    }
    Err(Problem::escalation(
        format!(
            "the role `{role}` confers capabilities that you do not have; ask an owner to give it"
        ),
        lacking.iter().collect(),
    ))
}

/// Updates the account's list of active owners in the commit that changes a membership, so that the
/// list is always exact.
///
/// # Errors
/// 409 `last-owner` if no active owner would remain.
pub(crate) fn ensure_active_owner(
    commit: &mut Commit<'_>,
    account: &Record<Account>,
    user: UserId,
    member: &Member,
) -> Result<(), Problem> {
    let owners = account.body.owners_with(user, member);
    if owners.is_empty() {
        return Err(Problem::new(
            ProblemKind::LastOwner,
            "this is the account's last active owner; make someone else an owner first",
        ));
    }
    if owners.len() != account.body.owners.len() {
        let body = account.body.clone();
        commit.update(account, Account { owners, ..body });
    }
    Ok(())
}
