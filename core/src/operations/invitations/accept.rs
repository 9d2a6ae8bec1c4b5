//! `POST /v1/invitations/accept`

use alloc::{boxed::Box, vec::Vec};

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    answer::{AnsweredView, Input},
    joining::{Joining, account_offered, teams_offered},
    offer,
};
use crate::{
    operation::{
        Budget, Commit, Context, Continuation, Example, Facts, Method, Outcome, Parsed, Problem,
        ProblemKind, ReadRequest, Reply, Route, Success, UseCase,
        authority::{AccountRecords, head_key},
        schema, view,
    },
    operations::members::MemberView,
    record::{EventType, Invitation, Member, Record},
    storage::{Key, Scope},
    value::{Capability, ProjectId, canonical},
};

/// Accepts an invitation: the caller joins the account.
///
/// One commit decides: the membership, its teams and the invitation's answer. Project grants, which
/// live in other scopes, are listed in the invitation and made after it, each under the inviter's
/// authority of that moment, by a job.
/// The inviter's authority is checked again here: without it for the role there is no invitation, and
/// teams they could not add to any more are left out.
struct AcceptInvitation {
    input: Input,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/invitations/accept",
    "accept_invitation",
    "Accept an invitation",
    parse,
)
.describes(
    "The caller joins the account with the role and the teams of the invitation. The grants \
     on projects are made afterwards; `pending` lists the projects that still wait for \
     theirs.",
)
.budget(Budget::ORDERED_WRITE)
.takes(schema::<Input>, r#"{ "token": "b3Blbi1zZXNhbWU" }"#)
.answers(&[Success::ok(
    schema::<AcceptedView>,
    Example::Members(&[
        ("account_id", Example::Text(ACCOUNT_ID)),
        ("member", Example::Text(crate::operations::members::EXAMPLE)),
        ("invitation", Example::Text(ACCEPTED)),
        ("pending", Example::Text("[]")),
    ]),
)])
.refuses(&[
    (
        ProblemKind::InvitationInvalid,
        "the token is unknown, expired, revoked, replaced or used",
    ),
    (
        ProblemKind::Forbidden,
        "the invitation was sent to another address than the caller's verified one",
    ),
    (
        ProblemKind::Conflict,
        "the caller is a member of the account already",
    ),
]);

const ACCEPTED: &str = r#"{
  "id": "inv_01keavqf4ybmjx3vzcjzmzg8e2",
  "account_id": "acc_01kjdr7hbmxwc9att838g7qvrz",
  "role": "member",
  "status": "accepted"
}"#;

const ACCOUNT_ID: &str = r#""acc_01kjdr7hbmxwc9att838g7qvrz""#;

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let input = request.body()?;
    Ok(Box::new(AcceptInvitation { input }))
}

/// The membership that accepting made.
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
    let mut view = AcceptedView {
        account_id: invitation.body.account_id,
        member: MemberView::from(member),
        invitation: AnsweredView::from(invitation),
        pending: pending.iter().map(|grant| grant.project_id).collect(),
    };
    let shown = Reply::ok(canonical::to_value(&view));
    view.pending.clear();
    let finish = Continuation {
        key: invitation.key(),
        body: Some(canonical::to_value(&view)),
    };
    Reply {
        finish: (!pending.is_empty()).then_some(finish),
        records: Vec::from([member.key(), invitation.key()]),
        ..shown
    }
}

impl UseCase for AcceptInvitation {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
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
            asks.extend(AccountRecords::reads(*account_id, context.user()));
            asks.extend(AccountRecords::reads(*account_id, *invited_by));
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
        let mut commit = Commit::open(context, permit, head)?;
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

#[cfg(test)]
mod tests {
    use alloc::{format, string::String};
    use core::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::{
        operation::invitation_token::InvitationToken,
        record::Team,
        testing::{Answered, Fixture, Person},
        value::AccountRole,
    };

    const PATH: &str = "/v1/invitations/accept";

    struct Setting {
        world: Fixture,
        ana: Person,
        ben: Person,
        account: String,
    }

    impl Setting {
        fn new() -> Self {
            let mut world = Fixture::new();
            let (ana, ben) = (world.person("ana"), world.person("ben"));
            let account = world.account(&ana);
            Self {
                world,
                ana,
                ben,
                account,
            }
        }

        /// Invites ben; answers the invitation and its token.
        fn invite(&mut self, by: &Person, offer: Value) -> (String, String) {
            let mut body = json!({ "email": "ben@example.com", "role": "member" });
            if let (Value::Object(body), Value::Object(offer)) = (&mut body, offer) {
                body.extend(offer);
            }
            let id = self.world.invite(by, &self.account, body);
            let token = self.world.token(&self.account, &id);
            (id, token)
        }

        fn accept(&mut self, token: &str) -> Answered {
            let ben = self.ben.clone();
            self.world.post(&ben, PATH, json!({ "token": token }))
        }

        fn member_path(&self, person: &Person) -> String {
            format!("/v1/accounts/{}/members/{}", self.account, person.id())
        }

        /// Asserts that the token opens nothing, with the one answer there is, and changes nothing.
        fn refused(&mut self, token: &str) {
            let before = self.world.dump();
            let answer = self.accept(token).expect(400);
            let answer = answer.expect_problem("invitation-invalid");
            let expected = InvitationToken::refused().detail;
            assert_eq!(answer.body["detail"], expected.as_ref());
            assert_eq!(self.world.dump(), before);
        }
    }

    #[test]
    fn joins_the_account_its_teams_and_its_projects() {
        let mut scene = Setting::new();
        let (ana, ben, account) = (scene.ana.clone(), scene.ben.clone(), scene.account.clone());
        let team = scene.world.team(&ana, &account);
        let project = scene.world.project(&ana, &account);
        let grants = json!([{ "project_id": project, "role": "contributor" }]);
        let offer = json!({ "role": "guest", "teams": [team], "project_grants": grants });
        let (id, token) = scene.invite(&ana, offer);
        let answer = scene.accept(&token).expect(200);
        assert_eq!(scene.world.rounds, 2);
        assert_eq!(answer.body["account_id"], account);
        assert_eq!(answer.body["member"]["role"], "guest");
        assert_eq!(answer.body["member"]["invitation_id"], id);
        assert_eq!(answer.body["invitation"]["status"], "accepted");
        assert_eq!(answer.body["pending"], json!([]));
        let row = format!("/v1/accounts/{account}/teams/{team}/members/{}", ben.id());
        scene.world.get(&ana, &row).expect(200);
        let seen = scene.world.get(&ben, &format!("/v1/projects/{project}"));
        assert_eq!(seen.expect(200).body["role"], "contributor");
    }

    #[test]
    fn case_34_a_used_token_opens_nothing() {
        let mut scene = Setting::new();
        let ana = scene.ana.clone();
        let (_, token) = scene.invite(&ana, json!({}));
        scene.accept(&token).expect(200);
        scene.refused(&token);
        let (ben, path) = (scene.ben.clone(), scene.member_path(&scene.ben));
        scene.world.delete(&ben, &path).expect(204);
        scene.refused(&token);
    }

    #[test]
    fn case_34_a_repetition_under_its_key_answers_the_same() {
        let mut scene = Setting::new();
        let (ana, ben) = (scene.ana.clone(), scene.ben.clone());
        let (_, token) = scene.invite(&ana, json!({}));
        let headers = [("idempotency-key", "k1")];
        let mut send = || {
            let body = json!({ "token": token });
            let answer = scene.world.send(&ben, "POST", PATH, &headers, Some(body));
            (answer.expect(200).body, scene.world.dump())
        };
        assert_eq!(send(), send());
        // Nor does a repetition let in whoever has left.
        let path = scene.member_path(&ben);
        scene.world.delete(&ben, &path).expect(204);
        let body = json!({ "token": token });
        let answer = scene.world.send(&ben, "POST", PATH, &headers, Some(body));
        answer.expect_problem("not-found");
    }

    #[test]
    fn case_34_another_address_is_forbidden() {
        let mut scene = Setting::new();
        let ana = scene.ana.clone();
        let (_, token) = scene.invite(&ana, json!({}));
        let eve = scene.world.person("eve");
        let before = scene.world.dump();
        scene
            .world
            .post(&eve, PATH, json!({ "token": token }))
            .expect(403)
            .expect_problem("forbidden");
        assert_eq!(scene.world.dump(), before);
        scene.accept(&token).expect(200);
    }

    #[test]
    fn case_15_an_address_that_is_not_verified_accepts_nothing() {
        let mut scene = Setting::new();
        let ana = scene.ana.clone();
        let (_, token) = scene.invite(&ana, json!({}));
        let mut ben = scene.ben.clone();
        ben.actor.claims.verified_email = None;
        let profile = Scope::User(ben.actor.user).key(crate::storage::Sort::user());
        scene
            .world
            .amend(&ana, &profile, |user: &mut crate::record::User| {
                user.email = None;
            });
        let body = json!({ "token": token });
        scene.world.post(&ben, PATH, body).expect(403);
    }

    #[test]
    fn case_34_accepted_twice_at_once_joins_once() {
        let mut scene = Setting::new();
        let (ana, ben) = (scene.ana.clone(), scene.ben.clone());
        let (_, token) = scene.invite(&ana, json!({}));
        let body = Some(json!({ "token": token }));
        let mut decide = || scene.world.outcome(&ben, "POST", PATH, body.clone());
        let (first, second) = (decide().unwrap(), decide().unwrap());
        let (Outcome::Commit(first, _), Outcome::Commit(second, _)) = (first, second) else {
            panic!("both decide to join")
        };
        scene.world.commit(&first);
        assert!(scene.world.try_commit(&second).is_err());
        scene.refused(&token);
    }

    #[test]
    fn case_34_revoked_resent_declined_and_expired_tokens_open_nothing() {
        let mut scene = Setting::new();
        let (ana, ben) = (scene.ana.clone(), scene.ben.clone());
        let base = format!("/v1/accounts/{}/invitations", scene.account);
        let (revoked, token) = scene.invite(&ana, json!({}));
        let path = format!("{base}/{revoked}");
        scene.world.delete(&ana, &path).expect(204);
        scene.refused(&token);
        let (resent, old) = scene.invite(&ana, json!({}));
        let path = format!("{base}/{resent}/resend");
        scene.world.post(&ana, &path, json!({})).expect(200);
        scene.refused(&old);
        let (_, token) = scene.invite(&ana, json!({}));
        let body = json!({ "token": token });
        scene
            .world
            .post(&ben, "/v1/invitations/decline", body)
            .expect(200);
        scene.refused(&token);
        scene.refused("");
        scene.refused("AQ");
        let new = scene.world.token(&scene.account, &resent);
        scene.accept(&new).expect(200);
    }

    #[test]
    fn case_33_an_invitation_ends_at_the_exact_instant() {
        let mut scene = Setting::new();
        let ana = scene.ana.clone();
        let end = scene.world.now.after(Duration::from_secs(60));
        let (_, token) = scene.invite(&ana, json!({ "expires_at": end }));
        scene.world.pass(Duration::from_secs(60));
        scene.refused(&token);
        scene.world.now = end.before(Duration::from_millis(1));
        scene.accept(&token).expect(200);
    }

    #[test]
    fn case_35_rejoining_is_another_membership_and_revives_nothing() {
        let mut scene = Setting::new();
        let (ana, ben, account) = (scene.ana.clone(), scene.ben.clone(), scene.account.clone());
        let team = scene.world.team(&ana, &account);
        let project = scene.world.project(&ana, &account);
        let grants = json!([{ "project_id": project, "role": "viewer" }]);
        let (_, unused) = scene.invite(&ana, json!({}));
        let (_, token) = scene.invite(&ana, json!({ "teams": [team], "project_grants": grants }));
        let first = scene.accept(&token).expect(200);
        let project = format!("/v1/projects/{project}");
        scene.world.get(&ben, &project).expect(200);
        scene.world.pass(Duration::from_secs(1));
        let path = scene.member_path(&ben);
        scene.world.delete(&ana, &path).expect(204);
        // What was sent before they left does not let them in again.
        scene.refused(&unused);
        let (_, token) = scene.invite(&ana, json!({}));
        let again = scene.accept(&token).expect(200);
        let stay = |answer: &Answered| answer.body["member"]["membership_id"].clone();
        assert_ne!(stay(&first), stay(&again));
        scene.world.get(&ben, &project).expect(404);
        let row = format!("/v1/accounts/{account}/teams/{team}/members/{}", ben.id());
        scene.world.get(&ana, &row).expect(404);
    }

    #[test]
    fn members_and_suspended_members_cannot_join() {
        let mut scene = Setting::new();
        let (ana, ben, account) = (scene.ana.clone(), scene.ben.clone(), scene.account.clone());
        let (_, token) = scene.invite(&ana, json!({ "role": "admin" }));
        scene.world.join(&account, &ben, AccountRole::Guest);
        for status in ["active", "suspended"] {
            let path = scene.member_path(&ben);
            let body = json!({ "status": status });
            scene.world.patch(&ana, &path, body).expect(200);
            let before = scene.world.dump();
            scene.accept(&token).expect(409).expect_problem("conflict");
            assert_eq!(scene.world.dump(), before);
        }
    }

    #[test]
    fn case_29_the_inviters_authority_at_acceptance_caps_what_is_given() {
        let mut scene = Setting::new();
        let (ana, account) = (scene.ana.clone(), scene.account.clone());
        let eve = scene.world.person("eve");
        scene.world.join(&account, &eve, AccountRole::Owner);
        let team = scene.world.team(&ana, &account);
        let project = scene.world.project(&ana, &account);
        let grants = json!([{ "project_id": project, "role": "owner" }]);
        let offer = json!({ "role": "admin", "teams": [team], "project_grants": grants });
        let (_, as_owner) = scene.invite(&eve, json!({ "role": "owner" }));
        let (_, as_admin) = scene.invite(&eve, offer);
        let path = scene.member_path(&eve);
        let demote = |role: &str| json!({ "role": role });
        scene.world.patch(&ana, &path, demote("member")).expect(200);
        scene.refused(&as_owner);
        scene.refused(&as_admin);
        scene.world.patch(&ana, &path, demote("admin")).expect(200);
        scene.refused(&as_owner);
        let key = Scope::Account(account.parse().unwrap());
        let key = key.key(crate::storage::Sort::team(team.parse().unwrap()));
        scene
            .world
            .amend(&ana, &key, |team: &mut Team| team.may_own = true);
        scene.accept(&as_admin).expect(200);
        // Neither the team nor the ownership was theirs to give any more.
        let ben = scene.ben.clone();
        let row = format!("/v1/accounts/{account}/teams/{team}/members/{}", ben.id());
        scene.world.get(&ana, &row).expect(404);
        let seen = scene.world.get(&ben, &format!("/v1/projects/{project}"));
        assert_eq!(seen.expect(200).body["role"], "manager");
    }

    #[test]
    fn case_30_an_invited_owner_counts_as_one() {
        let mut scene = Setting::new();
        let ana = scene.ana.clone();
        let (_, token) = scene.invite(&ana, json!({ "role": "owner" }));
        let path = scene.member_path(&ana);
        scene
            .world
            .delete(&ana, &path)
            .expect(409)
            .expect_problem("last-owner");
        scene.accept(&token).expect(200);
        scene.world.delete(&ana, &path).expect(204);
    }

    #[test]
    fn a_closed_account_takes_nobody_in() {
        let mut scene = Setting::new();
        let ana = scene.ana.clone();
        let (_, token) = scene.invite(&ana, json!({}));
        let path = format!("/v1/accounts/{}", scene.account);
        scene.world.delete(&ana, &path).expect(204);
        scene.refused(&token);
    }
}
