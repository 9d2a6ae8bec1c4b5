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
    operation::{
        Budget, Commit, Context, Example, Facts, Method, Outcome, Parsed, Problem, ProblemKind,
        ReadRequest, Reply, Requires, Route, Success, UseCase,
        authority::{AccountRecords, head_key},
        schema, view,
    },
    record::{EventType, Invitation, InvitationStatus, ProjectGrant, Record},
    storage::{Key, Scope},
    value::{AccountId, AccountRole, Capability, Email, Env, ProjectId, Sha256, TeamId, Timestamp},
};

/// The maximum lifetime of an invitation: 90 days.
const LONGEST: Duration = Duration::from_secs(90 * 24 * 60 * 60);

struct CreateInvitation {
    account: AccountId,
    input: Input,
}

/// An invitation to send.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewInvitation")]
struct Input {
    email: Email,
    /// The role in the account.
    role: AccountRole,
    /// Teams of the account to join.
    #[serde(default)]
    #[schemars(length(max = 20))]
    teams: Vec<TeamId>,
    /// Roles on projects of the account.
    #[serde(default)]
    #[schemars(length(max = 10))]
    project_grants: Vec<OfferedGrant>,
    /// At most 90 days ahead. Default: 14 days from now.
    expires_at: Option<Timestamp>,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/accounts/{account}/invitations",
    "create_invitation",
    "Invite a person by e-mail address",
    parse,
)
.describes(
    "The token that accepts the invitation is sent by mail only. The invitation expires after \
     14 days unless `expires_at` says otherwise. The authority of the inviter is checked \
     again when the invitation is accepted.",
)
.requires(Requires::Account(Capability::InviteManage))
.budget(Budget::ORDERED_WRITE)
.takes(
    schema::<Input>,
    r#"{ "email": "ben.weber@example.com", "role": "member" }"#,
)
.answers(&[Success::created(
    schema::<InvitationView>,
    Example::Text(super::EXAMPLE),
)])
.refuses(&[(
    ProblemKind::Escalation,
    "the caller may not hand out the role, a team or a project role of the invitation",
)]);

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
            not_made: vec![],
            salt: Sha256::from_bytes(context.env.bytes("salt")),
        })
    }
}

fn reply(invitation: &Record<Invitation>) -> Reply {
    view::created(invitation, &InvitationView::from(invitation))
}

impl UseCase for CreateInvitation {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let head = ReadRequest::Get(head_key(self.scope()));
        if !facts.has(&head) {
            return Ok(vec![head]);
        }
        let project_grants = self.project_grants(&context.env);
        Ok(self.offer(&project_grants).reads(context.user()))
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
        let mut commit = Commit::open(context, permit, facts.record(&head_key(self.scope()))?)?;
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

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use serde_json::{Value, json};

    use super::*;
    use crate::{
        record::Team,
        storage::Sort,
        testing::{Fixture, Person},
    };

    fn account_of_ana() -> (Fixture, Person, String, String) {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let account = fixture.account(&ana);
        let path = format!("/v1/accounts/{account}/invitations");
        (fixture, ana, account, path)
    }

    fn body(role: &str) -> Value {
        json!({ "email": "Ben@Example.com", "role": role })
    }

    #[test]
    fn invitation_lasts_fourteen_days_and_hides_its_token() {
        let (mut fixture, ana, account, path) = account_of_ana();
        let (team, project) = (
            fixture.team(&ana, &account),
            fixture.project(&ana, &account),
        );
        let grants = json!([{ "project_id": project, "role": "viewer" }]);
        let mut body = body("guest");
        body["teams"] = json!([team]);
        body["project_grants"] = grants.clone();
        let made = fixture.post(&ana, &path, body).expect(201);
        assert_eq!(fixture.rounds, 2);
        assert_eq!(made.body["email"], "ben@example.com");
        assert_eq!(made.body["status"], "pending");
        assert_eq!(made.body["teams"], json!([team]));
        assert_eq!(made.body["project_grants"], grants);
        let expiry: Timestamp = made.text("expires_at").parse().unwrap();
        assert_eq!(expiry, fixture.now.after(LIFETIME));
        for hidden in ["token", "salt", "email_hash", "pending_grants"] {
            assert!(made.body.get(hidden).is_none(), "{hidden}");
        }
        let token = fixture.token(&account, &made.id());
        let stored = fixture.dump();
        assert!(stored.iter().all(|item| !item.body.contains(&token)));
        // The journal contains the invitation's id and no e-mail address.
        let journal = stored
            .iter()
            .filter(|item| item.key.sort.as_str().starts_with(Sort::JOURNAL));
        assert!(journal.into_iter().all(|item| !item.body.contains("ben@")));
    }

    #[test]
    fn invitation_create_repeated_answers_the_first_invitation() {
        let (mut fixture, ana, _, path) = account_of_ana();
        let headers = [("idempotency-key", "k1")];
        let mut send = |role| {
            let answer = fixture.send(&ana, "POST", &path, &headers, Some(body(role)));
            (answer, fixture.dump())
        };
        let (first, stored) = send("member");
        let (again, stored_then) = send("member");
        assert_eq!(again.expect(201).body, first.expect(201).body);
        assert_eq!(stored_then, stored);
        send("guest").0.expect_problem("idempotency-mismatch");
    }

    #[test]
    fn invitation_create_names_wrong_fields_and_changes_nothing() {
        let (mut fixture, ana, account, path) = account_of_ana();
        let project = fixture.project(&ana, &account);
        let grant = json!({ "project_id": project, "role": "viewer" });
        let missing = crate::value::ProjectId::new(account.parse().unwrap(), ulid::Ulid::nil());
        let foreign = "prj_01h2xcejqtf2nbrexx3vqjhp4101h2xcejqtf2nbrexx3vqjhp42";
        let team = "team_01h2xcejqtf2nbrexx3vqjhp41";
        let long = fixture.now.after(LONGEST + Duration::from_secs(1));
        let before = fixture.dump();
        for (field, value, named) in [
            ("email", json!("ben"), "email"),
            ("role", json!("king"), "role"),
            ("token", json!("x"), "token"),
            ("invited_by", json!(ana.id()), "invited_by"),
            ("expires_at", json!(fixture.now), "expires_at"),
            ("expires_at", json!(long), "expires_at"),
            ("teams", json!([team]), "teams[0]"),
            ("teams", json!([team, team]), "teams[1]"),
            ("teams", json!(alloc::vec![team; 21]), "teams"),
            (
                "project_grants",
                json!([grant, grant]),
                "project_grants[1].project_id",
            ),
            (
                "project_grants",
                json!([{ "project_id": foreign, "role": "viewer" }]),
                "project_grants[0].project_id",
            ),
            (
                "project_grants",
                json!([{ "project_id": missing, "role": "viewer" }]),
                "project_grants[0].project_id",
            ),
            (
                "project_grants",
                json!(alloc::vec![grant.clone(); 11]),
                "project_grants",
            ),
        ] {
            let mut body = body("member");
            body[field] = value;
            let answer = fixture.post(&ana, &path, body).expect(400);
            assert_eq!(answer.body["errors"][0]["field"], named);
        }
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn case_28_admin_cannot_offer_ownership() {
        let (mut fixture, ana, account, path) = account_of_ana();
        let ben = fixture.person("ben");
        fixture.join(&account, &ben, AccountRole::Admin);
        let project = fixture.project(&ana, &account);
        let before = fixture.dump();
        let answer = fixture.post(&ben, &path, body("owner")).expect(403);
        assert_eq!(
            answer.expect_problem("escalation").body["missing"][0],
            "project.archive"
        );
        let mut owning = body("guest");
        owning["project_grants"] = json!([{ "project_id": project, "role": "owner" }]);
        fixture
            .post(&ben, &path, owning)
            .expect(403)
            .expect_problem("escalation");
        assert_eq!(fixture.dump(), before);
        fixture.post(&ben, &path, body("admin")).expect(201);
        fixture.post(&ana, &path, body("owner")).expect(201);
    }

    #[test]
    fn case_29_owning_team_is_offered_by_owners_and_its_members() {
        let (mut fixture, ana, account, path) = account_of_ana();
        let ben = fixture.person("ben");
        fixture.join(&account, &ben, AccountRole::Admin);
        let team = fixture.team(&ana, &account);
        let key = Scope::Account(account.parse().unwrap()).key(Sort::team(team.parse().unwrap()));
        fixture.amend(&ana, &key, |team: &mut Team| team.may_own = true);
        let mut invited = body("guest");
        invited["teams"] = json!([team]);
        fixture
            .post(&ben, &path, invited.clone())
            .expect(403)
            .expect_problem("escalation");
        fixture.post(&ana, &path, invited.clone()).expect(201);
        fixture.assign(&ana, &account, &team, &ben);
        fixture.post(&ben, &path, invited).expect(201);
    }

    #[test]
    fn case_37_archived_project_cannot_be_offered() {
        let (mut fixture, ana, account, path) = account_of_ana();
        let project = fixture.project(&ana, &account);
        let archive = format!("/v1/projects/{project}");
        fixture
            .patch(&ana, &archive, json!({ "archived": true }))
            .expect(200);
        let before = fixture.dump();
        let mut invited = body("guest");
        invited["project_grants"] = json!([{ "project_id": project, "role": "viewer" }]);
        fixture.post(&ana, &path, invited).expect(409);
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn invitation_create_refuses_members_and_outsiders() {
        let (mut fixture, _, account, path) = account_of_ana();
        let (ben, eve) = (fixture.person("ben"), fixture.person("eve"));
        fixture.join(&account, &ben, AccountRole::Member);
        let before = fixture.dump();
        let answer = fixture.post(&ben, &path, body("guest")).expect(403);
        assert_eq!(answer.body["missing"], json!(["invite.manage"]));
        fixture
            .post(&eve, &path, body("guest"))
            .expect(404)
            .expect_problem("not-found");
        assert_eq!(fixture.dump(), before);
    }
}
