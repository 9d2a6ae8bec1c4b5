//! Routes and views of teams.

mod create;
mod delete;
mod get;
mod list;
mod update;

use alloc::vec::Vec;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    operation::{
        Context, FactError, Facts, Parsed, Problem, ReadRequest, Route,
        authority::{AccountRecords, act_on, head_key},
        view::Envelope,
    },
    permission::{AccountAccess, Permit},
    record::{Record, Team},
    storage::{Key, Scope, Sort},
    value::{AccountId, Capability, Name, TeamId},
};

pub(super) const ROUTES: &[&Route] = &[
    &create::ROUTE,
    &list::ROUTE,
    &get::ROUTE,
    &update::ROUTE,
    &delete::ROUTE,
];

const EXAMPLE: &str = r#"{
  "id": "team_01kyqpgqqqx8rvd1jn7f9wsczf",
  "version": 1,
  "created_at": "2026-03-02T09:30:00.000Z",
  "created_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "updated_at": "2026-03-02T09:30:00.000Z",
  "updated_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "account_id": "acc_01kjdr7hbmxwc9att838g7qvrz",
  "name": "Structural review"
}"#;

/// A team of an account.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Team")]
pub(crate) struct TeamView {
    #[serde(flatten)]
    envelope: Envelope<TeamId>,
    account_id: AccountId,
    name: Name,
}

impl From<&Record<Team>> for TeamView {
    fn from(record: &Record<Team>) -> Self {
        Self {
            envelope: Envelope::of(record),
            account_id: record.body.account_id,
            name: record.body.name.clone(),
        }
    }
}

/// The ids of a team in a path.
#[derive(Debug)]
pub(super) struct PathIds {
    pub(super) account: AccountId,
    pub(super) team: TeamId,
}

impl PathIds {
    pub(super) fn parse(request: &Parsed<'_>) -> Result<Self, Problem> {
        Ok(Self {
            account: request.path("account")?,
            team: request.path("team")?,
        })
    }

    pub(super) fn scope(&self) -> Scope {
        Scope::Account(self.account)
    }

    pub(super) fn head(&self) -> Key {
        head_key(self.scope())
    }

    fn key(&self) -> Key {
        self.scope().key(Sort::team(self.team))
    }

    /// The reads for the caller's access and the team.
    pub(super) fn reads(&self, context: &Context<'_>) -> Vec<ReadRequest> {
        let mut reads = AccountRecords::reads(self.account, context.user());
        reads.push(ReadRequest::Get(self.key()));
        reads
    }

    pub(super) fn load(&self, facts: &Facts) -> Result<Option<Record<Team>>, FactError> {
        let team: Option<Record<Team>> = facts.record(&self.key())?;
        Ok(team.filter(Record::is_live))
    }

    /// Whether the person may view the team, by `team.view` or as its member.
    pub(super) fn is_seen_by(&self, access: &AccountAccess<'_>) -> bool {
        access.effective().has(Capability::TeamView) || access.team_role(self.team).is_some()
    }

    /// The team, if the caller may view it.
    pub(super) fn show(
        &self,
        access: &AccountAccess<'_>,
        facts: &Facts,
    ) -> Result<Record<Team>, Problem> {
        if !self.is_seen_by(access) {
            access.permit(self.account, Capability::TeamView)?;
        }
        self.load(facts)?.ok_or_else(Problem::not_found)
    }

    /// The team with the permit to manage it.
    fn manage(
        &self,
        access: &AccountAccess<'_>,
        facts: &Facts,
    ) -> Result<(Permit, Record<Team>), Problem> {
        act_on(
            self.is_seen_by(access),
            access.permit(self.account, Capability::TeamManage),
            self.load(facts)?,
        )
    }
}
