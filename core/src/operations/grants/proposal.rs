//! Checks for every grant that is made, changed or previewed.

use alloc::{boxed::Box, format, vec, vec::Vec};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    operation::{
        Commit, Context, FactError, Facts, Outcome, Problem, ReadRequest,
        authority::{AccountRecords, head_key},
        grants::outranks,
    },
    permission::Access,
    record::{EventType, Grant, Record, Team},
    storage::{Key, Scope, Sort},
    value::{AccountId, MembershipId, Principal, ProjectId, ProjectRole, TeamId, Timestamp},
};

/// A grant to make.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewGrant")]
pub(in crate::operations) struct Proposal {
    pub(in crate::operations) principal: Principal,
    pub(in crate::operations) role: ProjectRole,
    /// When it ends. Without it, the grant does not expire.
    pub(in crate::operations) expires_at: Option<Timestamp>,
}

impl Proposal {
    /// Checks that the person may give this role, that the grant does not expire in the past, and
    /// that the recipient is valid. `parent` is the path of the fields in the body, such as
    /// `add[0].`.
    ///
    /// # Errors
    /// 403 `escalation`, or 400 naming the field.
    pub(in crate::operations) fn check(
        &self,
        access: &Access<'_>,
        recipient: Option<Recipient>,
        parent: &str,
    ) -> Result<Recipient, Problem> {
        outranks(access, self.role)?;
        check_expiry(self.expires_at, access.now, parent)?;
        recipient.ok_or_else(|| {
            Problem::field(
                format!("{parent}principal"),
                "must be an active member or a team of the account",
            )
        })
    }

    pub(in crate::operations) fn grant(&self, project: ProjectId, recipient: &Recipient) -> Grant {
        Grant {
            project_id: project,
            principal: self.principal,
            membership_id: recipient.membership(),
            role: self.role,
            expires_at: self.expires_at,
            revoked: None,
        }
    }
}

/// Checks that an expiry is in the future.
///
/// # Errors
/// 400 naming the field.
pub(super) fn check_expiry(
    expires_at: Option<Timestamp>,
    now: Timestamp,
    parent: &str,
) -> Result<(), Problem> {
    if expires_at.is_none_or(|end| end > now) {
        return Ok(());
    }
    Err(Problem::field(
        format!("{parent}expires_at"),
        "must be in the future",
    ))
}

/// A valid recipient: an active member of the account or an existing team.
#[derive(Debug)]
pub(in crate::operations) enum Recipient {
    Member(MembershipId),
    Team(Box<Record<Team>>),
}

fn team_key(account: AccountId, team: TeamId) -> Key {
    Scope::Account(account).key(Sort::team(team))
}

impl Recipient {
    /// The reads that [`Recipient::load`] needs.
    pub(in crate::operations) fn reads(
        account: AccountId,
        principal: Principal,
    ) -> Vec<ReadRequest> {
        match principal {
            Principal::User(user) => AccountRecords::reads(account, user),
            Principal::Team(team) => vec![ReadRequest::Get(team_key(account, team))],
        }
    }

    /// Takes the recipient from the facts. `None` for a principal that cannot receive grants.
    pub(in crate::operations) fn load(
        facts: &Facts,
        account: AccountId,
        principal: Principal,
    ) -> Result<Option<Self>, FactError> {
        match principal {
            Principal::User(user) => {
                let records = AccountRecords::load(facts, account, user)?;
                let member = records.access().membership();
                Ok(member.map(|member| Self::Member(member.body.membership_id)))
            }
            Principal::Team(team) => {
                let team: Option<Record<Team>> = facts.record(&team_key(account, team))?;
                let present = team.filter(|team| !team.deleted && !team.body.retiring);
                Ok(present.map(|team| Self::Team(Box::new(team))))
            }
        }
    }

    /// The membership that a person's grant is bound to.
    pub(super) fn membership(&self) -> Option<MembershipId> {
        match self {
            Self::Member(membership) => Some(*membership),
            Self::Team(_) => None,
        }
    }
}

/// The heads to read first: that of the project and, if a team might become an owner, that of the
/// account.
pub(super) fn heads(project: ProjectId, with_account: bool) -> Vec<ReadRequest> {
    let account = with_account.then_some(Scope::Account(project.account()));
    let scopes = [Scope::Project(project)].into_iter().chain(account);
    scopes
        .map(|scope| ReadRequest::Get(head_key(scope)))
        .collect()
}

/// A commit in the account that must precede making a team an owner. It marks the team as a
/// possible owner. From then on, adding people to the team requires the capabilities of an owner.
/// `None` if no mark is needed.
///
/// # Errors
/// 403 if the person may not make owners.
pub(super) fn mark_owning_team(
    context: &Context<'_>,
    facts: &Facts,
    access: &Access<'_>,
    project: ProjectId,
    recipient: &Recipient,
) -> Result<Option<Outcome>, Problem> {
    let Recipient::Team(team) = recipient else {
        return Ok(None);
    };
    if team.body.may_own {
        return Ok(None);
    }
    let permit = access.permit_owning_team(project)?;
    let head = facts.record(&head_key(permit.scope()))?;
    let mut commit = Commit::open(context, permit, head)?;
    let body = team.body.clone();
    commit.update(
        team,
        Team {
            may_own: true,
            ..body
        },
    );
    commit.prepare(EventType::TeamUpdated).map(Some)
}
