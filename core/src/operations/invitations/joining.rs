//! Joining an account by an invitation: the new membership and teams, and the remaining authority
//! of the inviter.

use alloc::vec::Vec;

use super::offer;
use crate::{
    operation::{
        Commit, Context, Facts, Problem, authority::AccountRecords,
        invitation_token::InvitationToken,
    },
    operations::{members, team_members},
    permission::AccountAccess,
    record::{
        Account, Invitation, InvitationStatus, Member, MemberStatus, Record, Team, TeamMember,
    },
    value::{Capability, TeamId, TeamRole},
};

/// The facts of a person who joins.
pub(super) struct Joining<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) invitation: &'a Record<Invitation>,
    pub(super) account: &'a Record<Account>,
    pub(super) present: &'a AccountRecords,
}

impl Joining<'_> {
    pub(super) fn check(&self) -> Result<(), Problem> {
        let Some(member) = &self.present.member else {
            return Ok(());
        };
        match member.body.status {
            // The invitation was accepted after it was read and before the member was read.
            MemberStatus::Active if member.body.invitation_id == Some(self.invitation.id) => {
                Err(InvitationToken::refused())
            }
            MemberStatus::Active => Err(Problem::conflict("you are a member of this account")),
            MemberStatus::Suspended => Err(Problem::conflict(
                "your membership of this account is suspended; ask its administrators",
            )),
            // An invitation from before the removal does not readmit the person.
            MemberStatus::Removed if self.invitation.updated_at < member.updated_at => {
                Err(InvitationToken::refused())
            }
            MemberStatus::Removed => Ok(()),
        }
    }

    /// Creates the membership. A former member gets a new membership id, so old grants and team
    /// rows stay without effect.
    pub(super) fn member(&self, commit: &mut Commit<'_>) -> Result<Record<Member>, Problem> {
        let user = self.context.user();
        let member = Member {
            account_id: self.account.id,
            membership_id: self.context.env.id("membership"),
            role: self.invitation.body.role,
            status: MemberStatus::Active,
            invitation_id: Some(self.invitation.id),
        };
        members::ensure_active_owner(commit, self.account, user, &member)?;
        Ok(match &self.present.member {
            Some(before) => commit.update(before, member),
            None => commit.create(user, member),
        })
    }

    pub(super) fn team(&self, commit: &mut Commit<'_>, member: &Record<Member>, team: TeamId) {
        let row = TeamMember {
            account_id: self.account.id,
            team_id: team,
            membership_id: member.body.membership_id,
            role: TeamRole::Member,
        };
        let mut rows = self.present.teams.iter();
        match rows.find(|row| row.body.team_id == team) {
            Some(before) => commit.update(before, row),
            None => commit.create(member.id, row),
        };
    }

    pub(super) fn answered(&self) -> Invitation {
        Invitation {
            status: InvitationStatus::Accepted,
            answered_by: Some(self.context.user()),
            pending_grants: self.invitation.body.project_grants.clone(),
            ..self.invitation.body.clone()
        }
    }
}

/// The account, if the inviter may still offer this role.
pub(super) fn account_offered<'a>(
    inviter: &'a AccountRecords,
    invitation: &Invitation,
) -> Result<&'a Record<Account>, Problem> {
    let access = inviter.access();
    let may = access.effective().has(Capability::InviteManage)
        && members::check_assignable(&access, invitation.role).is_ok();
    let account = inviter.account.as_ref().filter(|_| may);
    account.ok_or_else(InvitationToken::refused)
}

/// The existing teams that the inviter may still add people to.
pub(super) fn teams_offered(
    facts: &Facts,
    inviter: &AccountAccess<'_>,
    invitation: &Invitation,
) -> Result<Vec<TeamId>, Problem> {
    let mut teams = Vec::new();
    for id in &invitation.teams {
        let team = offer::team(facts, invitation.account_id, *id)?;
        let addable = |team: &Record<Team>| team_members::check_adding(inviter, team).is_ok();
        teams.extend(team.filter(addable).map(|team| team.id));
    }
    Ok(teams)
}
