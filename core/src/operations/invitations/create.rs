//! `POST /v1/accounts/{account}/invitations`

use alloc::{boxed::Box, format, vec, vec::Vec};
use core::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    InvitationView, LIFETIME, OfferedGrant,
    offer::{self, Offer},
};
use crate::{
    api::{Method, Parsed, Problem, ProblemKind, Route, schema, view},
    authority::{AccountRecords, head_key},
    commit::Commit,
    context::Context,
    env::Env,
    facts::{Ask, Facts},
    model::{EventType, Invitation, InvitationStatus, ProjectGrant, Record},
    permission::{AccountRole, Capability},
    storage::{Key, Scope},
    use_case::{Outcome, Reply, UseCase},
    value::{AccountId, Email, ProjectId, Sha256, TeamId, Timestamp},
};

/// The longest an invitation may stand: 90 days.
const LONGEST: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Invites an address into an account.
struct CreateInvitation {
    account: AccountId,
    input: Input,
}

/// The body.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewInvitation")]
struct Input {
    email: Email,
    role: AccountRole,
    #[serde(default)]
    #[schemars(length(max = 20))]
    teams: Vec<TeamId>,
    #[serde(default)]
    #[schemars(length(max = 10))]
    project_grants: Vec<OfferedGrant>,
    /// At most 90 days ahead; 14 days from now when left out.
    expires_at: Option<Timestamp>,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/accounts/{account}/invitations",
    "create_invitation",
    "Invites an address into the account; the token goes out by mail only",
    parse,
)
.takes(schema::<Input>)
.answers(&[(201, Some(schema::<InvitationView>))])
.refuses(&[ProblemKind::Escalation]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let input: Input = request.body()?;
    let account = request.path("account")?;
    let projects = input.project_grants.iter().map(|grant| grant.project_id);
    let projects: Vec<ProjectId> = projects.collect();
    offer::check_shape(account, &input.teams, &projects)?;
    Ok(Box::new(CreateInvitation { account, input }))
}

impl CreateInvitation {
    fn scope(&self) -> Scope {
        Scope::Account(self.account)
    }

    fn project_grants(&self, env: &Env) -> Vec<ProjectGrant> {
        let offered = self.input.project_grants.iter().enumerate();
        let grant = |(position, grant): (usize, &OfferedGrant)| ProjectGrant {
            project_id: grant.project_id,
            role: grant.role,
            grant_id: env.id(&format!("grant {position}")),
        };
        offered.map(grant).collect()
    }

    fn expires_at(&self, now: Timestamp) -> Result<Timestamp, Problem> {
        let end = self.input.expires_at.unwrap_or(now.after(LIFETIME));
        if now < end && end <= now.after(LONGEST) {
            return Ok(end);
        }
        let message = "must be in the future, at most 90 days ahead";
        Err(Problem::field("expires_at", message))
    }

    fn offer<'a>(&'a self, project_grants: &'a [ProjectGrant]) -> Offer<'a> {
        Offer {
            account: self.account,
            role: self.input.role,
            teams: &self.input.teams,
            project_grants,
        }
    }

    fn invitation(
        &self,
        context: &Context<'_>,
        project_grants: Vec<ProjectGrant>,
    ) -> Result<Invitation, Problem> {
        let email = self.input.email.clone();
        Ok(Invitation {
            account_id: self.account,
            email_hash: context.surface.email_hash(&email),
            email,
            role: self.input.role,
            teams: self.input.teams.clone(),
            project_grants,
            invited_by: context.user(),
            expires_at: self.expires_at(context.env.now)?,
            rotation: 0,
            status: InvitationStatus::Pending,
            answered_by: None,
            pending_grants: vec![],
            salt: Sha256::from_bytes(context.env.bytes("salt")),
        })
    }
}

fn reply(invitation: &Record<Invitation>) -> Reply {
    view::created(invitation, &InvitationView::from(invitation))
}

impl UseCase for CreateInvitation {
    fn needs(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<Ask>, Problem> {
        let head = Ask::Get(head_key(self.scope()));
        if !facts.has(&head) {
            return Ok(vec![head]);
        }
        let project_grants = self.project_grants(&context.env);
        Ok(self.offer(&project_grants).asks(context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let records = AccountRecords::load(facts, self.account, context.user())?;
        let access = records.access();
        let permit = access.permit(self.account, Capability::InviteManage)?;
        let project_grants = self.project_grants(&context.env);
        let offer = self.offer(&project_grants);
        offer.check_targets(context, facts)?;
        self.expires_at(context.env.now)?;
        offer.check_authority(context, facts, &access)?;
        let invitation = self.invitation(context, project_grants)?;
        let mut commit = Commit::open(context, permit, facts.record(&head_key(self.scope()))?);
        let invitation = commit.create(context.env.id("invitation"), invitation);
        commit.finish(EventType::InvitationCreated, reply(&invitation))
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.scope())
    }

    fn replay(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        records: &[Key],
    ) -> Result<Reply, Problem> {
        super::permit(context, facts, self.account)?;
        Ok(reply(&view::replayed(facts, records, 0)?))
    }
}
