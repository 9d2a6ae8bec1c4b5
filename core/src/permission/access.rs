//! Access to a project: the one evaluator.

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

/// What one person may do on one project at one time: the union of what account role, visibility,
/// direct grants and team grants confer.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    /// Their standing in the project's account.
    pub account: AccountAccess<'a>,
    /// The project; `None` if there is none.
    pub project: Option<&'a Record<Project>>,
    /// The project's grants, sorted by principal, as the database keeps them.
    pub grants: &'a [Record<Grant>],
    /// The time the question is asked for.
    pub now: Timestamp,
}

/// Why something is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The person does not see the thing, so it does not exist for them.
    #[error("there is no such thing, or you cannot see it")]
    Hidden,
    /// The person sees it and lacks this capability.
    #[error("you lack the capability `{0}`")]
    Missing(Capability),
    /// The person has the capability, but the project is archived.
    #[error("the project is archived and read-only; take it out of the archive first")]
    Archived,
}

/// One record that confers something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// Which kind of record.
    pub source: Source,
    /// The project role it amounts to.
    pub role: ProjectRole,
}

/// The record behind a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The role in the account.
    AccountRole(UserId),
    /// The project is open to the account.
    Visibility(ProjectId),
    /// A grant to the person.
    UserGrant(GrantId),
    /// A grant to a team they are in.
    TeamGrant(GrantId),
}

/// The kind of record behind a reason, as answers name it.
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
    /// The kind, as answers name it.
    #[must_use]
    pub fn kind(self) -> SourceKind {
        match self {
            Self::AccountRole(_) => SourceKind::AccountRole,
            Self::Visibility(_) => SourceKind::Visibility,
            Self::UserGrant(_) => SourceKind::UserGrant,
            Self::TeamGrant(_) => SourceKind::TeamGrant,
        }
    }

    /// The id of the record: the member's user, the project or the grant.
    #[must_use]
    pub fn record_id(self) -> String {
        match self {
            Self::AccountRole(id) => id.to_string(),
            Self::Visibility(id) => id.to_string(),
            Self::UserGrant(id) | Self::TeamGrant(id) => id.to_string(),
        }
    }
}

/// What is still possible on an archived project: reading, and taking it out of the archive.
const READ_ONLY: Capabilities = Capabilities::of(&[
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

/// What an active membership confers on a project by itself.
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
    /// The same question about another person of the account.
    #[must_use]
    pub fn of(self, account: AccountAccess<'a>) -> Self {
        Self { account, ..self }
    }

    /// Every record that confers something, strongest standing first: account role, visibility,
    /// grants to the person, grants to their teams.
    pub fn reasons(&self) -> impl Iterator<Item = Reason> + use<'a> {
        self.reasons_with(|_| true)
    }

    /// The reasons whose role is wanted. A grant's role is looked at before anything else of it: whoever
    /// holds many grants and lacks a capability is refused without their being read any further.
    fn reasons_with<F>(&self, wanted: F) -> impl Iterator<Item = Reason> + use<'a, F>
    where
        F: Fn(ProjectRole) -> bool + Copy,
    {
        let access = *self;
        let project = access.project.filter(|project| !project.deleted);
        let standing = access.account.membership().zip(project);
        standing.into_iter().flat_map(move |(member, project)| {
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

    /// Everything the person may do, archiving aside.
    #[must_use]
    pub fn conferred(&self) -> Capabilities {
        self.reasons().fold(Capabilities::NONE, |sum, reason| {
            sum.union(reason.role.capabilities())
        })
    }

    /// Everything the person may do now.
    #[must_use]
    pub fn effective(&self) -> Capabilities {
        self.conferred().intersection(self.possible())
    }

    /// What the project's state allows anybody.
    #[must_use]
    pub fn possible(&self) -> Capabilities {
        match self.project {
            Some(project) if project.body.archived => READ_ONLY,
            _ => ProjectRole::Owner.capabilities(),
        }
    }

    /// The strongest role, for display.
    #[must_use]
    pub fn role(&self) -> Option<ProjectRole> {
        self.reasons().map(|reason| reason.role).max()
    }

    /// The first record that confers the capability.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn check(&self, capability: Capability) -> Result<Reason, Refusal> {
        let suffices = |role: ProjectRole| role.capabilities().has(capability);
        match self.reasons_with(suffices).next() {
            Some(reason) if self.possible().has(capability) => Ok(reason),
            Some(_) => Err(Refusal::Archived),
            None if self.reasons().next().is_none() => Err(Refusal::Hidden),
            None => Err(Refusal::Missing(capability)),
        }
    }

    /// Every record that confers the capability, for an explanation.
    #[must_use]
    pub fn explain(&self, capability: Capability) -> Vec<Reason> {
        let possible = self.possible().has(capability);
        self.reasons_with(|role| possible && role.capabilities().has(capability))
            .collect()
    }

    /// Asks for a capability and gets the witness that it was allowed.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn permit(&self, project: ProjectId, capability: Capability) -> Result<Permit, Refusal> {
        self.check_place(project)?;
        self.check(capability)?;
        let scope = Scope::Project(project);
        Ok(Permit::granted(self.account.user, scope, capability))
    }

    /// Asks to give up a grant of one's own, which needs no capability.
    ///
    /// # Errors
    /// [`Refusal::Hidden`] to whoever does not see the project, [`Refusal::Archived`] as ever.
    pub fn permit_leaving(&self, project: ProjectId) -> Result<Permit, Refusal> {
        self.check_place(project)?;
        self.check(Capability::ProjectView)?;
        if !self.possible().has(Capability::GrantManage) {
            return Err(Refusal::Archived);
        }
        let scope = Scope::Project(project);
        Ok(Permit::of(self.account.user, scope, Right::GiveUpGrant))
    }

    /// Asks to note in the account that a team may own projects, which must precede making it the
    /// owner of this one: whoever may hand out ownership here may note it.
    ///
    /// # Errors
    /// As [`Access::permit`], naming an owner's capability that the person lacks.
    pub fn permit_owning_team(&self, project: ProjectId) -> Result<Permit, Refusal> {
        self.check_place(project)?;
        self.check(Capability::GrantManage)?;
        let lacked = ProjectRole::Owner.capabilities().without(self.effective());
        if let Some(capability) = lacked.iter().next() {
            return Err(Refusal::Missing(capability));
        }
        let scope = Scope::Account(project.account());
        Ok(Permit::of(self.account.user, scope, Right::MarkOwningTeam))
    }

    /// A permit is for the project whose records were asked, and for no other.
    fn check_place(&self, project: ProjectId) -> Result<(), Refusal> {
        let same = self.project.is_some_and(|asked| asked.id == project);
        if same { Ok(()) } else { Err(Refusal::Hidden) }
    }
}
