//! Access to an account.

use super::{Permit, Refusal, right::Right};
use crate::{
    record::{Account, AccountStatus, Member, MemberStatus, Record, TeamMember},
    storage::Scope,
    value::{
        AccountId, AccountRole, Capabilities, Capability, ProjectId, TeamId, TeamRole, UserId,
    },
};

/// The access of one person to one account, from the account, the membership and the team rows.
#[derive(Debug, Clone, Copy)]
pub struct AccountAccess<'a> {
    /// The person.
    pub user: UserId,
    /// The account. `None` if it does not exist.
    pub account: Option<&'a Record<Account>>,
    /// The membership of the person. `None` if there never was one.
    pub member: Option<&'a Record<Member>>,
    /// The team rows of the person.
    pub teams: &'a [Record<TeamMember>],
}

impl<'a> AccountAccess<'a> {
    /// The membership, if both it and the account are active. Without it, the person has no access.
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

    /// The account role of an active member.
    #[must_use]
    pub fn role(&self) -> Option<AccountRole> {
        self.membership().map(|member| member.body.role)
    }

    /// The capabilities that the person has in the account now.
    #[must_use]
    pub fn effective(&self) -> Capabilities {
        self.role()
            .map_or(Capabilities::NONE, AccountRole::capabilities)
    }

    /// The person's memberships in existing teams that belong to the current stay in the account.
    pub fn current_teams(&self) -> impl Iterator<Item = &'a TeamMember> + use<'a> {
        let account_and_member = self.account.zip(self.membership());
        let rows = self.teams;
        account_and_member
            .into_iter()
            .flat_map(move |(account, member)| {
                let current = move |row: &&Record<TeamMember>| {
                    !row.deleted
                        && row.body.membership_id == member.body.membership_id
                        && !account.body.has_retired(row.body.team_id)
                };
                rows.iter().filter(current).map(|row| &row.body)
            })
    }

    /// The role of the person in the team. `None` without a current membership in it.
    #[must_use]
    pub fn team_role(&self, team: TeamId) -> Option<TeamRole> {
        let mut teams = self.current_teams();
        teams.find(|row| row.team_id == team).map(|row| row.role)
    }

    /// The capabilities of the role that the person lacks. A person who lacks any of them cannot
    /// give the role to another person.
    #[must_use]
    pub fn lacking_capabilities(&self, role: AccountRole) -> Capabilities {
        let own = self
            .role()
            .map_or(Capabilities::NONE, AccountRole::conferred);
        role.conferred().without(own)
    }

    /// Whether the person may change or remove members with this role. The role must be weaker than
    /// theirs, or both must be owners.
    #[must_use]
    pub fn outranks(&self, role: AccountRole) -> bool {
        self.role()
            .is_some_and(|own| role < own || own == AccountRole::Owner)
    }

    /// A permit for a capability in the account.
    ///
    /// # Errors
    /// [`Refusal::Hidden`] if the person may not view the account, otherwise [`Refusal::Missing`].
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

    /// A permit to create a project in the account, and the scope of the project with it.
    ///
    /// # Errors
    /// As [`AccountAccess::permit`].
    pub fn permit_new_project(&self, project: ProjectId) -> Result<Permit, Refusal> {
        let create = Capability::ProjectCreate;
        self.permit(project.account(), create)?;
        let scope = Scope::Project(project);
        Ok(Permit::granted(self.user, scope, create))
    }

    /// A permit to leave the account. Every active member has it.
    ///
    /// # Errors
    /// [`Refusal::Hidden`] if the person is not an active member.
    pub fn permit_leaving(&self, account: AccountId) -> Result<Permit, Refusal> {
        if !self.is_about(account) || self.membership().is_none() {
            return Err(Refusal::Hidden);
        }
        let scope = Scope::Account(account);
        Ok(Permit::of(self.user, scope, Right::Leave))
    }

    /// Access was evaluated for one account. A permit for another would be unfounded.
    fn is_about(&self, account: AccountId) -> bool {
        self.account
            .is_some_and(|requested| requested.id == account)
    }

    /// A permit to manage the members of one team: with `team.manage`, or as a lead of the team.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::GrantFixture;

    #[test]
    fn permit_names_the_account_of_its_records() {
        let mut fixture = GrantFixture::new();
        let ana = fixture.ana.clone();
        let team = fixture.base.team(&ana, &fixture.account);
        let path = alloc::format!(
            "/v1/accounts/{}/teams/{team}/members/{}",
            fixture.account,
            ana.id()
        );
        let lead = serde_json::json!({ "role": "lead" });
        fixture.base.put(&ana, &path, lead).expect(201);
        let requested: AccountId = fixture.account.parse().unwrap();
        let other: AccountId = fixture.base.account(&ana).parse().unwrap();
        let project: ProjectId = fixture.project.parse().unwrap();
        let account_records = fixture
            .base
            .project_records(project, ana.actor.user)
            .account_records;
        let access = account_records.access();
        let permits = |account| {
            [
                access.permit(account, Capability::AccountView),
                access.permit_leaving(account),
                access.permit_team(account, team.parse().unwrap()),
            ]
        };
        assert!(permits(requested).iter().all(Result::is_ok));
        assert!(
            permits(other)
                .iter()
                .all(|permit| *permit == Err(Refusal::Hidden))
        );
    }
}
