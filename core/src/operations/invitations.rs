//! Routes and views of invitations.

mod accept;
mod answer;
mod create;
mod decline;
mod get;
mod joining;
mod list;
mod offer;
mod resend;
mod revoke;

use alloc::{vec, vec::Vec};
use core::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    operation::{
        Context, Facts, Parsed, Problem, ReadRequest, Route,
        authority::{AccountRecords, head_key},
        view::Envelope,
    },
    permission::Permit,
    record::{Head, Invitation, InvitationStatus, ProjectGrant, Record},
    storage::{Key, Scope, Sort},
    value::{
        AccountId, Capability, Email, InvitationId, ProjectId, ProjectRole, TeamId, Timestamp,
        UserId,
    },
};

pub(super) const ROUTES: &[&Route] = &[
    &create::ROUTE,
    &list::ROUTE,
    &get::ROUTE,
    &revoke::ROUTE,
    &resend::ROUTE,
    &accept::ROUTE,
    &decline::ROUTE,
];

const EXAMPLE: &str = r#"{
  "id": "inv_01keavqf4ybmjx3vzcjzmzg8e2",
  "version": 1,
  "created_at": "2026-03-02T09:30:00.000Z",
  "created_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "updated_at": "2026-03-02T09:30:00.000Z",
  "updated_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "account_id": "acc_01kjdr7hbmxwc9att838g7qvrz",
  "email": "ben@example.com",
  "role": "member",
  "teams": [],
  "project_grants": [],
  "invited_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "expires_at": "2026-03-16T09:30:00.000Z",
  "rotation": 0,
  "status": "pending",
  "answered_by": null
}"#;

/// The default lifetime of an invitation: 14 days.
const LIFETIME: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// An invitation into an account. Its token is in the mail only.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Invitation")]
pub(crate) struct InvitationView {
    #[serde(flatten)]
    envelope: Envelope<InvitationId>,
    account_id: AccountId,
    /// The address that it was sent to.
    email: Email,
    /// The role in the account that it offers.
    role: crate::value::AccountRole,
    /// The teams that it offers.
    teams: Vec<TeamId>,
    /// The project roles that it offers.
    project_grants: Vec<OfferedGrant>,
    /// The person whose authority it rests on.
    invited_by: UserId,
    /// When its token stops working.
    expires_at: Timestamp,
    /// How often it was sent again.
    rotation: u32,
    status: InvitationStatus,
    /// The person who accepted or declined it.
    answered_by: Option<UserId>,
}

/// A project role that an invitation offers.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfferedGrant {
    project_id: ProjectId,
    role: ProjectRole,
}

impl From<&ProjectGrant> for OfferedGrant {
    fn from(grant: &ProjectGrant) -> Self {
        Self {
            project_id: grant.project_id,
            role: grant.role,
        }
    }
}

impl From<&Record<Invitation>> for InvitationView {
    fn from(record: &Record<Invitation>) -> Self {
        let body = &record.body;
        Self {
            envelope: Envelope::of(record),
            account_id: body.account_id,
            email: body.email.clone(),
            role: body.role,
            teams: body.teams.clone(),
            project_grants: body.project_grants.iter().map(OfferedGrant::from).collect(),
            invited_by: body.invited_by,
            expires_at: body.expires_at,
            rotation: body.rotation,
            status: body.status,
            answered_by: body.answered_by,
        }
    }
}

/// The caller's permit to manage invitations of the account.
fn permit(context: &Context<'_>, facts: &Facts, account: AccountId) -> Result<Permit, Problem> {
    let records = AccountRecords::load(facts, account, context.user())?;
    let access = records.access();
    Ok(access.permit(account, Capability::InviteManage)?)
}

/// The ids of an invitation in a path.
#[derive(Debug)]
struct PathIds {
    account: AccountId,
    invitation: InvitationId,
}

impl PathIds {
    fn parse(request: &Parsed<'_>) -> Result<Self, Problem> {
        Ok(Self {
            account: request.path("account")?,
            invitation: request.path("invitation")?,
        })
    }

    fn scope(&self) -> Scope {
        Scope::Account(self.account)
    }

    fn key(&self) -> Key {
        self.scope().key(Sort::invitation(self.invitation))
    }

    /// The first reads of a command: the head, before other facts of the account, and the
    /// invitation. The commit is conditional on the invitation, so it needs no second read.
    fn first_reads(&self) -> Vec<ReadRequest> {
        vec![
            ReadRequest::Get(head_key(self.scope())),
            ReadRequest::Get(self.key()),
        ]
    }

    fn head(&self, facts: &Facts) -> Result<Option<Record<Head>>, Problem> {
        Ok(facts.record(&head_key(self.scope()))?)
    }

    fn found(&self, facts: &Facts) -> Result<Option<Record<Invitation>>, Problem> {
        let invitation: Option<Record<Invitation>> = facts.record(&self.key())?;
        Ok(invitation.filter(|invitation| !invitation.deleted))
    }

    /// The invitation, with the caller's permit to manage it.
    fn load(
        &self,
        context: &Context<'_>,
        facts: &Facts,
    ) -> Result<(Permit, Record<Invitation>), Problem> {
        let permit = permit(context, facts, self.account)?;
        let invitation = self.found(facts)?.ok_or_else(Problem::not_found)?;
        Ok((permit, invitation))
    }
}

/// Checks that the invitation is still open.
fn check_pending(invitation: &Record<Invitation>) -> Result<(), Problem> {
    let what = match invitation.body.status {
        InvitationStatus::Pending => return Ok(()),
        InvitationStatus::Accepted => "the invitation was accepted; change the member instead",
        InvitationStatus::Declined => "the invitation was declined; make a new one",
        InvitationStatus::Revoked => "the invitation was revoked; make a new one",
    };
    Err(Problem::conflict(what))
}
