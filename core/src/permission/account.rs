//! Access to an account.

use super::{Permit, Refusal, right::Right};
use crate::{
    record::{Account, AccountStatus, Member, MemberStatus, Record, TeamMember},
    storage::Scope,
    value::{
        AccountId, AccountRole, Capabilities, Capability, ProjectId, TeamId, TeamRole, UserId,
    },
};

/// What one person may do in one account, from the account, their membership and their team rows.
#[derive(Debug, Clone, Copy)]
pub struct AccountAccess<'a> {
    /// The person.
    pub user: UserId,
    /// The account; `None` if there is none.
    pub account: Option<&'a Record<Account>>,
    /// Their membership; `None` if there never was one.
    pub member: Option<&'a Record<Member>>,
    /// Their team rows.
    pub teams: &'a [Record<TeamMember>],
}

impl<'a> AccountAccess<'a> {
    /// The membership, if both it and the account are active: without it nothing is allowed.
    #[must_use]
    pub fn membership(&self) -> Option<&'a Record<Member>> {
        let account = self.account?;
        let member = self.member?;
        let active = account.body.status == AccountStatus::Active
            && !account.deleted
            && member.body.status == MemberStatus::Active
            && !member.deleted;
        active.then_some(member)
    }

    /// The role in the account.
    #[must_use]
    pub fn role(&self) -> Option<AccountRole> {
        self.membership().map(|member| member.body.role)
    }

    /// What the person may do in the account.
    #[must_use]
    pub fn effective(&self) -> Capabilities {
        self.role()
            .map_or(Capabilities::NONE, AccountRole::capabilities)
    }

    /// The person's places in teams that still exist, as of this stay in the account.
    pub fn current_teams(&self) -> impl Iterator<Item = &'a TeamMember> + use<'a> {
        let standing = self.account.zip(self.membership());
        let rows = self.teams;
        standing.into_iter().flat_map(move |(account, member)| {
            let current = move |row: &&Record<TeamMember>| {
                !row.deleted
                    && row.body.membership_id == member.body.membership_id
                    && !account.body.has_retired(row.body.team_id)
            };
            rows.iter().filter(current).map(|row| &row.body)
        })
    }

    /// The person's role in the team, if they are in it.
    #[must_use]
    pub fn team_role(&self, team: TeamId) -> Option<TeamRole> {
        let mut teams = self.current_teams();
        teams.find(|row| row.team_id == team).map(|row| row.role)
    }

    /// What the role would hand out beyond what the person has: whoever lacks any of it cannot make
    /// anyone that.
    #[must_use]
    pub fn beyond(&self, role: AccountRole) -> Capabilities {
        let own = self
            .role()
            .map_or(Capabilities::NONE, AccountRole::conferred);
        role.conferred().without(own)
    }

    /// Whether the person may act on others of this role: a weaker one or, among owners, the same.
    #[must_use]
    pub fn outranks(&self, role: AccountRole) -> bool {
        self.role()
            .is_some_and(|own| role < own || own == AccountRole::Owner)
    }

    /// Asks for one capability in the account.
    ///
    /// # Errors
    /// [`Refusal::Hidden`] to whoever does not see the account, else [`Refusal::Missing`].
    pub fn permit(&self, account: AccountId, capability: Capability) -> Result<Permit, Refusal> {
        let effective = self.effective();
        if !self.is_about(account) || !effective.has(Capability::AccountView) {
            Err(Refusal::Hidden)
        } else if effective.has(capability) {
            Ok(Permit::granted(
                self.user,
                Scope::Account(account),
                capability,
            ))
        } else {
            Err(Refusal::Missing(capability))
        }
    }

    /// Asks to create a project in the account, and thereby its scope.
    ///
    /// # Errors
    /// As [`AccountAccess::permit`].
    pub fn permit_new_project(&self, project: ProjectId) -> Result<Permit, Refusal> {
        let create = Capability::ProjectCreate;
        self.permit(project.account(), create)?;
        let scope = Scope::Project(project);
        Ok(Permit::granted(self.user, scope, create))
    }

    /// Asks to leave the account, which every active member may.
    ///
    /// # Errors
    /// [`Refusal::Hidden`] to whoever is not an active member.
    pub fn permit_leaving(&self, account: AccountId) -> Result<Permit, Refusal> {
        if !self.is_about(account) || self.membership().is_none() {
            return Err(Refusal::Hidden);
        }
        let scope = Scope::Account(account);
        Ok(Permit::of(self.user, scope, Right::Leave))
    }

    /// A permit is for the account whose records were asked, and for no other.
    fn is_about(&self, account: AccountId) -> bool {
        self.account.is_some_and(|asked| asked.id == account)
    }

    /// Asks to manage the members of one team: with `team.manage`, or as its lead.
    ///
    /// # Errors
    /// As [`AccountAccess::permit`].
    pub fn permit_team(&self, account: AccountId, team: TeamId) -> Result<Permit, Refusal> {
        let manage = Capability::TeamManage;
        if self.is_about(account) && self.team_role(team) == Some(TeamRole::Lead) {
            return Ok(Permit::granted(self.user, Scope::Account(account), manage));
        }
        self.permit(account, manage)
    }
}
