//! `POST /v1/invitations/accept`

use alloc::{boxed::Box, vec::Vec};

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    answer::{AnsweredView, Input},
    offer,
};
use crate::{
    api::{Method, Parsed, Problem, ProblemKind, Route, schema, view},
    authority::{AccountRecords, head_key},
    canonical,
    commit::Commit,
    context::Context,
    facts::{Ask, Facts},
    invitation_token::InvitationToken,
    model::{
        Account, EventType, Invitation, InvitationStatus, Member, MemberStatus, Record, Team,
        TeamMember,
    },
    operations::{
        members::{self, MemberView},
        team_members,
    },
    permission::{AccountAccess, Capability, TeamRole},
    storage::{Key, Scope},
    use_case::{Outcome, Reply, UseCase},
    value::{ProjectId, TeamId},
};

/// Accepts an invitation: the caller joins the account.
///
/// One commit decides: the membership, its teams and the invitation's answer. Project grants, which
/// live in other scopes, are listed in the invitation and made after it, each under the inviter's
/// authority of that moment; see [`AcceptGrants`](crate::operations::system::accept_grants).
/// The inviter's authority is checked again here: without it for the role there is no invitation, and
/// teams they could not add to any more are left out.
struct AcceptInvitation {
    input: Input,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/invitations/accept",
    "accept_invitation",
    "Accepts an invitation sent to the caller's address",
    parse,
)
.takes(schema::<Input>)
.answers(&[(200, Some(schema::<AcceptedView>))])
.refuses(&[
    ProblemKind::InvitationInvalid,
    ProblemKind::Forbidden,
    ProblemKind::Conflict,
]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let input = request.body()?;
    Ok(Box::new(AcceptInvitation { input }))
}

/// What came of accepting.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AcceptedInvitation")]
struct AcceptedView {
    account_id: crate::value::AccountId,
    member: MemberView,
    invitation: AnsweredView,
    /// The projects whose grants are still to be made.
    pending: Vec<ProjectId>,
}

fn reply(member: &Record<Member>, invitation: &Record<Invitation>) -> Reply {
    let pending = &invitation.body.pending_grants;
    let view = AcceptedView {
        account_id: invitation.body.account_id,
        member: MemberView::from(member),
        invitation: AnsweredView::from(invitation),
        pending: pending.iter().map(|grant| grant.project_id).collect(),
    };
    Reply {
        finish: (!pending.is_empty()).then(|| invitation.key()),
        records: Vec::from([member.key(), invitation.key()]),
        ..Reply::ok(canonical::to_value(&view))
    }
}

/// Everything a decision needs to know about who joins.
struct Joining<'a> {
    context: &'a Context<'a>,
    invitation: &'a Record<Invitation>,
    account: &'a Record<Account>,
    present: &'a AccountRecords,
}

impl Joining<'_> {
    fn check(&self) -> Result<(), Problem> {
        let Some(member) = &self.present.member else {
            return Ok(());
        };
        match member.body.status {
            MemberStatus::Active => Err(Problem::conflict("you are a member of this account")),
            MemberStatus::Suspended => Err(Problem::conflict(
                "your membership of this account is suspended; ask its administrators",
            )),
            // Whatever was sent before someone left does not let them in again.
            MemberStatus::Removed if self.invitation.updated_at < member.updated_at => {
                Err(InvitationToken::refused())
            }
            MemberStatus::Removed => Ok(()),
        }
    }

    /// Joins, or rejoins under a new membership, which revives nothing of the one before.
    fn member(&self, commit: &mut Commit<'_>) -> Result<Record<Member>, Problem> {
        let user = self.context.user();
        let member = Member {
            account_id: self.account.id,
            membership_id: self.context.env.id("membership"),
            role: self.invitation.body.role,
            status: MemberStatus::Active,
            invitation_id: Some(self.invitation.id),
        };
        members::keep_owners(commit, self.account, user, &member)?;
        Ok(match &self.present.member {
            Some(before) => commit.update(before, member),
            None => commit.create(user, member),
        })
    }

    fn team(&self, commit: &mut Commit<'_>, member: &Record<Member>, team: TeamId) {
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

    fn answered(&self) -> Invitation {
        Invitation {
            status: InvitationStatus::Accepted,
            answered_by: Some(self.context.user()),
            pending_grants: self.invitation.body.project_grants.clone(),
            ..self.invitation.body.clone()
        }
    }
}

/// The account, if the inviter could make this offer of a role today.
fn account_offered<'a>(
    inviter: &'a AccountRecords,
    invitation: &Invitation,
) -> Result<&'a Record<Account>, Problem> {
    let access = inviter.access();
    let may = access.effective().has(Capability::InviteManage)
        && members::check_handing_out(&access, invitation.role).is_ok();
    let account = inviter.account.as_ref().filter(|_| may);
    account.ok_or_else(InvitationToken::refused)
}

/// The teams that are still there and that the inviter could add somebody to today.
fn teams_offered(
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

impl UseCase for AcceptInvitation {
    fn needs(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<Ask>, Problem> {
        let mut asks = self.input.first_asks(context)?;
        if !facts.has_all(&asks) {
            return Ok(asks);
        }
        if let Some(invitation) = self.input.stored(context, facts)? {
            let Invitation {
                account_id,
                teams,
                invited_by,
                ..
            } = &invitation.body;
            asks.extend(AccountRecords::asks(*account_id, context.user()));
            asks.extend(AccountRecords::asks(*account_id, *invited_by));
            asks.extend(offer::team_asks(*account_id, teams));
        }
        Ok(asks)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (permit, invitation) = self.input.open(context, facts)?;
        let account_id = invitation.body.account_id;
        let inviter = AccountRecords::load(facts, account_id, invitation.body.invited_by)?;
        let account = account_offered(&inviter, &invitation.body)?;
        let present = AccountRecords::load(facts, account_id, context.user())?;
        let joining = Joining {
            context,
            invitation: &invitation,
            account,
            present: &present,
        };
        joining.check()?;
        let head = facts.record(&head_key(permit.scope()))?;
        let mut commit = Commit::open(context, permit, head);
        let member = joining.member(&mut commit)?;
        for team in teams_offered(facts, &inviter.access(), &invitation.body)? {
            joining.team(&mut commit, &member, team);
        }
        let answered = commit.update(&invitation, joining.answered());
        commit.finish(EventType::InvitationAccepted, reply(&member, &answered))
    }

    fn writes(&self, context: &Context<'_>) -> Option<Scope> {
        self.input.scope(context)
    }

    fn replay(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        records: &[Key],
    ) -> Result<Reply, Problem> {
        let token = self.input.token(context)?;
        let present = AccountRecords::load(facts, token.account, context.user())?;
        let access = present.access();
        access.permit(token.account, Capability::AccountView)?;
        let member = view::replayed(facts, records, 0)?;
        Ok(reply(&member, &view::replayed(facts, records, 1)?))
    }
}
