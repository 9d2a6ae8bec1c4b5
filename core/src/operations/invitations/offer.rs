//! The content of an invitation's offer, and the authority to make it.

use alloc::{collections::BTreeSet, format, vec::Vec};

use crate::{
    operation::{
        Context, Facts, Problem, ReadRequest,
        authority::{AccountRecords, ProjectRecords, in_order},
        grants,
    },
    operations::{members, team_members},
    permission::AccountAccess,
    record::{Invitation, ProjectGrant, Record, Team},
    storage::{Key, Scope, Sort},
    value::{AccountId, AccountRole, Capability, ProjectId, TeamId, UserId},
};

/// The maximum number of teams in one invitation.
pub(super) const TEAMS: usize = 20;
/// The maximum number of project grants in one invitation.
pub(super) const PROJECT_GRANTS: usize = 10;

/// A role, teams and project roles in one account.
pub(crate) struct Offer<'a> {
    pub(super) account: AccountId,
    pub(super) role: AccountRole,
    pub(super) teams: &'a [TeamId],
    pub(super) project_grants: &'a [ProjectGrant],
}

impl<'a> From<&'a Invitation> for Offer<'a> {
    fn from(invitation: &'a Invitation) -> Self {
        Self {
            account: invitation.account_id,
            role: invitation.role,
            teams: &invitation.teams,
            project_grants: &invitation.project_grants,
        }
    }
}

/// Checks the limits of an offer, that it names nothing twice, and that all projects belong to the
/// account.
///
/// # Errors
/// 400 naming the entry.
pub(super) fn check_shape(
    account: AccountId,
    teams: &[TeamId],
    projects: &[ProjectId],
) -> Result<(), Problem> {
    if teams.len() > TEAMS {
        return Err(Problem::field("teams", "may name at most 20 teams"));
    }
    if projects.len() > PROJECT_GRANTS {
        let message = "may hold at most 10 grants";
        return Err(Problem::field("project_grants", message));
    }
    let mut known = BTreeSet::new();
    if let Some(twice) = teams.iter().position(|team| !known.insert(team)) {
        return Err(Problem::field(format!("teams[{twice}]"), "is named twice"));
    }
    let mut known = BTreeSet::new();
    for (position, project) in projects.iter().enumerate() {
        if project.account() != account || !known.insert(project) {
            return Err(wrong_project(position));
        }
    }
    Ok(())
}

fn wrong_project(position: usize) -> Problem {
    Problem::field(
        format!("project_grants[{position}].project_id"),
        "must be a project of this account, named once",
    )
}

fn team_key(account: AccountId, team: TeamId) -> Key {
    Scope::Account(account).key(Sort::team(team))
}

/// The reads for the teams of an offer.
pub(super) fn team_reads(
    account: AccountId,
    teams: &[TeamId],
) -> impl Iterator<Item = ReadRequest> {
    teams
        .iter()
        .map(move |team| ReadRequest::Get(team_key(account, *team)))
}

/// The team, if people can be added to it.
pub(super) fn team(
    facts: &Facts,
    account: AccountId,
    team: TeamId,
) -> Result<Option<Record<Team>>, Problem> {
    let record: Option<Record<Team>> = facts.record(&team_key(account, team))?;
    Ok(record.filter(Record::<Team>::is_live))
}

impl Offer<'_> {
    /// The reads for checking this person's authority to make the offer.
    pub(super) fn reads(&self, user: UserId) -> Vec<ReadRequest> {
        let mut reads = AccountRecords::reads(self.account, user);
        reads.extend(team_reads(self.account, self.teams));
        let projects = self.project_grants.iter();
        reads.extend(projects.flat_map(|grant| ProjectRecords::reads(grant.project_id, user)));
        reads
    }

    /// Checks that the teams and projects of the offer exist.
    ///
    /// # Errors
    /// 400 naming the entry.
    pub(super) fn check_targets(
        &self,
        context: &Context<'_>,
        facts: &Facts,
    ) -> Result<(), Problem> {
        for (position, id) in self.teams.iter().enumerate() {
            if team(facts, self.account, *id)?.is_none() {
                let field = format!("teams[{position}]");
                return Err(Problem::field(field, "must be a team of this account"));
            }
        }
        for (position, grant) in self.project_grants.iter().enumerate() {
            let records = ProjectRecords::load(facts, grant.project_id, context.user())?;
            let access = records.access(context.env.now);
            if !access.effective().has(Capability::ProjectView) {
                return Err(wrong_project(position));
            }
        }
        Ok(())
    }

    /// Checks that the person has everything that the offer gives. Deleted teams and projects give
    /// nothing, so they are skipped.
    ///
    /// # Errors
    /// 403 `escalation` naming the missing capabilities, 409 for an archived project.
    pub(super) fn check_authority(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        access: &AccountAccess<'_>,
    ) -> Result<(), Problem> {
        members::check_assignable(access, self.role)?;
        for id in self.teams {
            if let Some(team) = team(facts, self.account, *id)? {
                team_members::check_adding(access, &team)?;
            }
        }
        for grant in self.project_grants {
            let records = ProjectRecords::load(facts, grant.project_id, context.user())?;
            let access = records.access(context.env.now);
            if access.reasons().next().is_some() {
                let decision = access.check(Capability::GrantManage);
                in_order(decision, grants::outranks(&access, grant.role))?;
            }
        }
        Ok(())
    }
}
