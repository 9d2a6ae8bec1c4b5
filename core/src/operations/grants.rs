//! Routes and views of grants.

mod create;
mod get;
mod list;
mod proposal;
mod revoke;
mod update;

use alloc::vec::Vec;

pub(super) use proposal::{Proposal, Recipient};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    operation::{
        Problem, ReadRequest, Route,
        authority::ProjectRecords,
        grants::{outranks, revoked_key},
        view::Envelope,
    },
    permission::Access,
    record::{Grant, Record},
    value::{GrantId, Principal, ProjectId, ProjectRole, Reason, Timestamp, UserId},
};

pub(super) const ROUTES: &[&Route] = &[
    &create::ROUTE,
    &list::ROUTE,
    &get::ROUTE,
    &update::ROUTE,
    &revoke::ROUTE,
];

pub(super) const EXAMPLE: &str = r#"{
  "id": "grt_01kcs1z5k03awkvp6macd9fw22",
  "version": 1,
  "created_at": "2026-03-02T09:30:00.000Z",
  "created_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "updated_at": "2026-03-02T09:30:00.000Z",
  "updated_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "project_id": "prj_01kjdr7hbmxwc9att838g7qvrz01k43rchcznn1s8g39607h9k3k",
  "principal": { "type": "user", "id": "usr_01ks8vcv05qe9yjnxn3y5pwjh8" },
  "role": "viewer",
  "expires_at": null,
  "status": "live"
}"#;

/// A grant: a role of a person or a team on a project.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Grant")]
pub(crate) struct GrantView {
    #[serde(flatten)]
    envelope: Envelope<GrantId>,
    project_id: ProjectId,
    principal: Principal,
    role: ProjectRole,
    /// When it ends. Null if it does not expire.
    expires_at: Option<Timestamp>,
    status: GrantStatus,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<Timestamp>,
    /// The person who revoked it. Absent if the grant ended because its team was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_by: Option<UserId>,
    /// The reason given when it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
}

/// Whether a grant confers its role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum GrantStatus {
    Live,
    Expired,
    Revoked,
}

impl GrantView {
    /// The state of the grant at this time.
    #[must_use]
    pub(crate) fn at(record: &Record<Grant>, now: Timestamp) -> Self {
        let grant = &record.body;
        let status = match grant.revoked {
            Some(_) => GrantStatus::Revoked,
            None if grant.is_live(now) => GrantStatus::Live,
            None => GrantStatus::Expired,
        };
        let revoked = grant.revoked.as_ref();
        Self {
            envelope: Envelope::of(record),
            project_id: grant.project_id,
            principal: grant.principal,
            role: grant.role,
            expires_at: grant.expires_at,
            status,
            revoked_at: revoked.map(|revoked| revoked.at),
            revoked_by: revoked.and_then(|revoked| revoked.by),
            reason: revoked.and_then(|revoked| revoked.reason.clone()),
        }
    }
}

/// The reads for one grant: the caller's access, which includes all live grants, and the revoked
/// grant with this id.
fn reads(project: ProjectId, grant: GrantId, user: UserId) -> Vec<ReadRequest> {
    let mut reads = ProjectRecords::reads(project, user);
    reads.push(ReadRequest::Get(revoked_key(project, grant)));
    reads
}

/// Checks that the caller may revoke the grant. People may give up their own grants. Other grants
/// require every capability of the role.
pub(super) fn may_revoke(access: &Access<'_>, grant: &Grant) -> Result<(), Problem> {
    if grant.principal == Principal::User(access.account.user) {
        return Ok(());
    }
    outranks(access, grant.role)
}
