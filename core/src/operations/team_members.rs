//! Routes and views of team members.

mod get;
mod list;
mod put;
mod remove;

use alloc::vec::Vec;

use schemars::JsonSchema;
use serde::Serialize;

use super::{members, teams};
use crate::{
    operation::{
        Context, FactError, Facts, Parsed, Problem, ReadRequest, Route, authority::head_first,
        view::Envelope,
    },
    permission::AccountAccess,
    record::{Member, Record, Team, TeamMember},
    storage::{Key, Sort},
    value::{
        AccountId, AccountRole, Capabilities, Capability, MembershipId, ProjectRole, TeamId,
        TeamRole, UserId,
    },
};

pub(super) const ROUTES: &[&Route] = &[&list::ROUTE, &get::ROUTE, &put::ROUTE, &remove::ROUTE];

const EXAMPLE: &str = r#"{
  "id": "usr_01ks8vcv05qe9yjnxn3y5pwjh8",
  "version": 1,
  "created_at": "2026-03-02T09:30:00.000Z",
  "created_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "updated_at": "2026-03-02T09:30:00.000Z",
  "updated_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "user_id": "usr_01ks8vcv05qe9yjnxn3y5pwjh8",
  "account_id": "acc_01kjdr7hbmxwc9att838g7qvrz",
  "team_id": "team_01kyqpgqqqx8rvd1jn7f9wsczf",
  "membership_id": "mbr_01k54v838m2x6306ev7cgrbpdt",
  "role": "member"
}"#;

/// A member of a team.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TeamMember")]
pub(crate) struct TeamMemberView {
    #[serde(flatten)]
    envelope: Envelope<UserId>,
    user_id: UserId,
    account_id: AccountId,
    team_id: TeamId,
    /// The person's stay in the account. The team membership ends with it.
    membership_id: MembershipId,
    /// The role in the team.
    role: TeamRole,
}

impl From<&Record<TeamMember>> for TeamMemberView {
    fn from(record: &Record<TeamMember>) -> Self {
        let row = &record.body;
        Self {
            envelope: Envelope::of(record),
            user_id: record.id,
            account_id: row.account_id,
            team_id: row.team_id,
            membership_id: row.membership_id,
            role: row.role,
        }
    }
}

/// The ids of a team member in a path.
#[derive(Debug)]
struct PathIds {
    team: teams::PathIds,
    user: UserId,
}

impl PathIds {
    fn parse(request: &Parsed<'_>) -> Result<Self, Problem> {
        Ok(Self {
            team: teams::PathIds::parse(request)?,
            user: request.path("user")?,
        })
    }

    fn row_key(&self) -> Key {
        let sort = Sort::team_member(self.user, self.team.team);
        self.team.scope().key(sort)
    }

    fn member_key(&self) -> Key {
        self.team.scope().key(Sort::member(self.user))
    }

    /// The reads for the caller's access, the team, the person's membership and the person's row.
    fn reads(&self, context: &Context<'_>) -> Vec<ReadRequest> {
        let mut reads = self.team.reads(context);
        reads.extend([self.row_key(), self.member_key()].map(ReadRequest::Get));
        reads
    }

    /// The reads of a command, which reads the head first.
    fn reads_to_change(&self, context: &Context<'_>, facts: &Facts) -> Vec<ReadRequest> {
        head_first(facts, self.team.scope(), self.reads(context))
    }

    /// The row as stored, valid or not.
    fn stored(&self, facts: &Facts) -> Result<Option<Record<TeamMember>>, FactError> {
        facts.record(&self.row_key())
    }

    /// The membership as stored.
    fn member(&self, facts: &Facts) -> Result<Option<Record<Member>>, FactError> {
        facts.record(&self.member_key())
    }

    /// The row, if it is valid.
    fn load(&self, facts: &Facts) -> Result<Option<Record<TeamMember>>, FactError> {
        let member = self.member(facts)?;
        let row = self.stored(facts)?;
        Ok(row.filter(|row| counts(row, member.as_ref())))
    }
}

/// Whether a row is valid: it belongs to the person's present stay in the account.
fn counts(row: &Record<TeamMember>, member: Option<&Record<Member>>) -> bool {
    let member = member.filter(|member| members::is_current(member));
    let stay = member.map(|member| member.body.membership_id);
    !row.deleted && stay == Some(row.body.membership_id)
}

/// Checks a change from or to these roles. A lead of the team manages plain members and may step
/// down. Every other change that involves a lead requires `team.manage`.
fn check_lead(access: &AccountAccess<'_>, user: UserId, roles: &[TeamRole]) -> Result<(), Problem> {
    let manages = access.effective().has(Capability::TeamManage);
    if manages || !roles.contains(&TeamRole::Lead) || user == access.user {
        return Ok(());
    }
    Err(Problem::forbidden(Capability::TeamManage))
}

/// Checks that the person may add people to the team. Members of a team receive its project roles.
/// If the team may own projects, the person must therefore have the capabilities of an owner.
/// Owners of the account have them, and so do members of the team.
///
/// # Errors
/// 403 `escalation` naming the missing capabilities.
pub(crate) fn check_adding(access: &AccountAccess<'_>, team: &Record<Team>) -> Result<(), Problem> {
    let own = access.role().and_then(AccountRole::project_role);
    let own = own.map_or(Capabilities::NONE, ProjectRole::capabilities);
    let lacking = ProjectRole::Owner.capabilities().without(own);
    let confers_more = team.body.may_own && !lacking.is_empty();
    if !confers_more || access.team_role(team.id).is_some() {
        return Ok(());
    }
    Err(Problem::escalation(
        "the team may own projects, so only owners of the account and members of the team can add people; ask one of them",
        lacking.iter().collect(),
    ))
}
