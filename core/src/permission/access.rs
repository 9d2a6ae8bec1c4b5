//! The evaluator of access to a project.

use alloc::{string::String, string::ToString, vec::Vec};

use schemars::JsonSchema;
use serde::Serialize;

use super::{AccountAccess, Permit, right::Right};
use crate::{
    record::{Grant, Member, Project, Record, Visibility},
    storage::Scope,
    value::{
        AccountRole, Capabilities, Capability, GrantId, Principal, ProjectId, ProjectRole,
        Timestamp, UserId,
    },
};

/// The access of one person to one project at one time: the union of the capabilities from account
/// role, visibility, direct grants and team grants.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    /// The person's access to the account of the project.
    pub account: AccountAccess<'a>,
    /// The project. `None` if it does not exist.
    pub project: Option<&'a Record<Project>>,
    /// The grants of the project, sorted by principal as in the database.
    pub grants: &'a [Record<Grant>],
    /// The time for which access is evaluated.
    pub now: Timestamp,
}

/// The reason for a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The person may not view the object. The answer equals that for a missing object.
    #[error("it does not exist, or you cannot see it")]
    Hidden,
    /// The person may view the object and lacks this capability.
    #[error("you lack the capability `{0}`")]
    Missing(Capability),
    /// The person has the capability, but the project is archived.
    #[error("the project is archived and read-only; take it out of the archive first")]
    Archived,
}

/// A record that gives access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// The kind and id of the record.
    pub source: Source,
    /// The project role that the record gives.
    pub role: ProjectRole,
}

/// The record that gives access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The membership with its account role.
    AccountRole(UserId),
    /// The project with its visibility to the account.
    Visibility(ProjectId),
    /// A grant to the person.
    UserGrant(GrantId),
    /// A grant to a team of the person.
    TeamGrant(GrantId),
}

/// The kind of record that gives access, as named in answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is documented by `Source`")]
pub enum SourceKind {
    AccountRole,
    Visibility,
    UserGrant,
    TeamGrant,
}

impl Source {
    /// The kind of the record.
    #[must_use]
    pub fn kind(self) -> SourceKind {
        match self {
            Self::AccountRole(_) => SourceKind::AccountRole,
            Self::Visibility(_) => SourceKind::Visibility,
            Self::UserGrant(_) => SourceKind::UserGrant,
            Self::TeamGrant(_) => SourceKind::TeamGrant,
        }
    }

    /// The id of the record. For an account role it is the member's user id.
    #[must_use]
    pub fn record_id(self) -> String {
        match self {
            Self::AccountRole(id) => id.to_string(),
            Self::Visibility(id) => id.to_string(),
            Self::UserGrant(id) | Self::TeamGrant(id) => id.to_string(),
        }
    }
}

/// Capabilities on an archived project: reading and unarchiving.
pub(crate) const READ_ONLY: Capabilities = Capabilities::of(&[
    Capability::ProjectView,
    Capability::ArtifactView,
    Capability::ArtifactDownload,
    Capability::MetadataView,
    Capability::EventView,
    Capability::GrantView,
    Capability::AuditView,
    Capability::ProjectArchive,
    Capability::ProjectDelete,
]);

/// The project role that an active membership gives without a grant.
fn by_membership(
    member: &Record<Member>,
    project: &Record<Project>,
) -> impl Iterator<Item = Reason> + use<> {
    let role = member.body.role.project_role();
    let by_role = role.map(|role| Reason {
        source: Source::AccountRole(member.id),
        role,
    });
    let open =
        project.body.visibility == Visibility::Account && member.body.role >= AccountRole::Member;
    let by_visibility = open.then_some(Reason {
        source: Source::Visibility(project.id),
        role: ProjectRole::Viewer,
    });
    by_role.into_iter().chain(by_visibility)
}

impl<'a> Access<'a> {
    /// The access of another person of the account to the same project.
    #[must_use]
    pub fn of(self, account: AccountAccess<'a>) -> Self {
        Self { account, ..self }
    }

    /// All records that give access, in this order: account role, visibility, grants to the person,
    /// grants to their teams.
    pub fn reasons(&self) -> impl Iterator<Item = Reason> + use<'a> {
        self.reasons_with(|_| true)
    }

    /// The reasons whose role is wanted. The role of a grant is checked first, so a refusal of a
    /// person with many grants needs no further checks of them.
    fn reasons_with<F>(&self, wanted: F) -> impl Iterator<Item = Reason> + use<'a, F>
    where
        F: Fn(ProjectRole) -> bool + Copy,
    {
        let access = *self;
        let project = access.project.filter(|project| !project.deleted);
        let member_and_project = access.account.membership().zip(project);
        member_and_project
            .into_iter()
            .flat_map(move |(member, project)| {
                by_membership(member, project)
                    .filter(move |reason| wanted(reason.role))
                    .chain(access.by_grants_to_the_person(member, wanted))
                    .chain(access.by_grants_to_teams(wanted))
            })
    }

    fn by_grants_to_the_person<F>(
        self,
        member: &'a Record<Member>,
        wanted: F,
    ) -> impl Iterator<Item = Reason> + use<'a, F>
    where
        F: Fn(ProjectRole) -> bool + Copy,
    {
        let membership = Some(member.body.membership_id);
        self.live_grants(Principal::User(self.account.user), wanted)
            .filter(move |grant| grant.body.membership_id == membership)
            .map(|grant| Reason {
                source: Source::UserGrant(grant.id),
                role: grant.body.role,
            })
    }

    fn by_grants_to_teams<F>(self, wanted: F) -> impl Iterator<Item = Reason> + use<'a, F>
    where
        F: Fn(ProjectRole) -> bool + Copy,
    {
        let teams = self.account.current_teams();
        teams
            .flat_map(move |row| self.live_grants(Principal::Team(row.team_id), wanted))
            .map(|grant| Reason {
                source: Source::TeamGrant(grant.id),
                role: grant.body.role,
            })
    }

    fn live_grants<F>(
        self,
        principal: Principal,
        wanted: F,
    ) -> impl Iterator<Item = &'a Record<Grant>> + use<'a, F>
    where
        F: Fn(ProjectRole) -> bool,
    {
        self.grants_to(principal).iter().filter(move |grant| {
            wanted(grant.body.role) && !grant.deleted && grant.body.is_live(self.now)
        })
    }

    fn grants_to(self, principal: Principal) -> &'a [Record<Grant>] {
        let first = self
            .grants
            .partition_point(|grant| grant.body.principal < principal);
        let rest = self.grants.get(first..).unwrap_or_default();
        let count = rest.partition_point(|grant| grant.body.principal == principal);
        rest.get(..count).unwrap_or_default()
    }

    /// All capabilities of the person, before archiving is considered.
    #[must_use]
    pub fn conferred(&self) -> Capabilities {
        self.reasons().fold(Capabilities::NONE, |sum, reason| {
            sum.union(reason.role.capabilities())
        })
    }

    /// The capabilities that the person has now.
    #[must_use]
    pub fn effective(&self) -> Capabilities {
        self.conferred().intersection(self.possible())
    }

    /// The capabilities that the state of the project allows anyone.
    #[must_use]
    pub fn possible(&self) -> Capabilities {
        match self.project {
            Some(project) if project.body.archived => READ_ONLY,
            _ => ProjectRole::Owner.capabilities(),
        }
    }

    /// The strongest role, for display only.
    #[must_use]
    pub fn role(&self) -> Option<ProjectRole> {
        self.reasons().map(|reason| reason.role).max()
    }

    /// The first record that gives the capability.
    ///
    /// # Errors
    /// The reason for the refusal.
    pub fn check(&self, capability: Capability) -> Result<Reason, Refusal> {
        let suffices = |role: ProjectRole| role.capabilities().has(capability);
        match self.reasons_with(suffices).next() {
            Some(reason) if self.possible().has(capability) => Ok(reason),
            Some(_) => Err(Refusal::Archived),
            None if self.reasons().next().is_none() => Err(Refusal::Hidden),
            None => Err(Refusal::Missing(capability)),
        }
    }

    /// All records that give the capability, for an explanation.
    #[must_use]
    pub fn explain(&self, capability: Capability) -> Vec<Reason> {
        let possible = self.possible().has(capability);
        self.reasons_with(|role| possible && role.capabilities().has(capability))
            .collect()
    }

    /// A permit for a capability on the project.
    ///
    /// # Errors
    /// The reason for the refusal.
    pub fn permit(&self, project: ProjectId, capability: Capability) -> Result<Permit, Refusal> {
        self.check_project(project)?;
        self.check(capability)?;
        let scope = Scope::Project(project);
        Ok(Permit::granted(self.account.user, scope, capability))
    }

    /// A permit to give up one's own grant, which needs no capability.
    ///
    /// # Errors
    /// [`Refusal::Hidden`] if the person may not view the project, [`Refusal::Archived`] if it is
    /// archived.
    pub fn permit_leaving(&self, project: ProjectId) -> Result<Permit, Refusal> {
        self.check_project(project)?;
        self.check(Capability::ProjectView)?;
        if !self.possible().has(Capability::GrantManage) {
            return Err(Refusal::Archived);
        }
        let scope = Scope::Project(project);
        Ok(Permit::of(self.account.user, scope, Right::GiveUpGrant))
    }

    /// A permit to mark in the account that a team may own projects. The mark precedes a grant that
    /// makes the team an owner of this project, and needs the same authority.
    ///
    /// # Errors
    /// As [`Access::permit`], with a capability of owners that the person lacks.
    pub fn permit_owning_team(&self, project: ProjectId) -> Result<Permit, Refusal> {
        self.check_project(project)?;
        self.check(Capability::GrantManage)?;
        let lacked = ProjectRole::Owner.capabilities().without(self.effective());
        if let Some(capability) = lacked.iter().next() {
            return Err(Refusal::Missing(capability));
        }
        let scope = Scope::Account(project.account());
        Ok(Permit::of(self.account.user, scope, Right::MarkOwningTeam))
    }

    /// Access was evaluated for one project. A permit for another would be unfounded.
    fn check_project(&self, project: ProjectId) -> Result<(), Refusal> {
        let same = self
            .project
            .is_some_and(|requested| requested.id == project);
        if same { Ok(()) } else { Err(Refusal::Hidden) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::GrantFixture;

    #[test]
    fn permit_names_the_project_of_its_records() {
        let mut fixture = GrantFixture::new();
        let (ana, account) = (fixture.ana.clone(), fixture.account.clone());
        let other: ProjectId = fixture.base.project(&ana, &account).parse().unwrap();
        let requested: ProjectId = fixture.project.parse().unwrap();
        let records = fixture.base.project_records(requested, ana.actor.user);
        let access = records.access(fixture.base.now);
        let permits = |project| {
            [
                access.permit(project, Capability::GrantManage),
                access.permit_leaving(project),
                access.permit_owning_team(project),
            ]
        };
        assert!(permits(requested).iter().all(Result::is_ok));
        assert!(
            permits(other)
                .iter()
                .all(|permit| *permit == Err(Refusal::Hidden))
        );
    }

    #[test]
    fn owning_team_permit_needs_grant_manage_and_ownership() {
        let fixture = GrantFixture::new();
        let project: ProjectId = fixture.project.parse().unwrap();
        let requested = |user, archived| {
            let mut records = fixture.base.project_records(project, user);
            records.project.as_mut().unwrap().body.archived = archived;
            let permit = records.access(fixture.base.now).permit_owning_team(project);
            permit.map(drop)
        };
        let [ana, ben, cyd] = [&fixture.ana, &fixture.ben, &fixture.cyd].map(|who| who.actor.user);
        assert_eq!(requested(ana, false), Ok(()));
        assert_eq!(requested(ana, true), Err(Refusal::Archived));
        assert_eq!(
            requested(ben, false),
            Err(Refusal::Missing(Capability::ProjectArchive))
        );
        assert_eq!(requested(cyd, false), Err(Refusal::Hidden));
    }
}
