//! `POST /v1/invitations/accept`

use alloc::{boxed::Box, vec::Vec};

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    answer::{self, AnsweredView, Input},
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

/// One commit creates the membership, adds the teams and records the answer. Project grants are in
/// other scopes, so a job makes them after the commit. The inviter's authority is checked again.
/// Without authority for the role, the invitation is refused. Teams that the inviter may no longer
/// add people to are left out. The job checks each project grant in the same way.
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
        ("invitation", Example::Text(answer::ACCEPTED)),
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
        "the caller is a member of the account already, active or suspended",
    ),
]);

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
        let mut reads = self.input.first_reads(context)?;
        if !facts.has_all(&reads) {
            return Ok(reads);
        }
        if let Some(invitation) = self.input.stored(context, facts)? {
            let Invitation {
                account_id,
                teams,
                invited_by,
                ..
            } = &invitation.body;
            reads.extend(AccountRecords::reads(*account_id, context.user()));
            reads.extend(AccountRecords::reads(*account_id, *invited_by));
            reads.extend(offer::team_reads(*account_id, teams));
        }
        Ok(reads)
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

    struct InvitationFixture {
        base: Fixture,
        ana: Person,
        ben: Person,
        account: String,
    }

    impl InvitationFixture {
        fn new() -> Self {
            let mut fixture = Fixture::new();
            let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
            let account = fixture.account(&ana);
            Self {
                base: fixture,
                ana,
                ben,
                account,
            }
        }

        /// Invites Ben. Returns the id of the invitation and its token.
        fn invite(&mut self, by: &Person, offer: Value) -> (String, String) {
            let mut body = json!({ "email": "ben@example.com", "role": "member" });
            if let (Value::Object(body), Value::Object(offer)) = (&mut body, offer) {
                body.extend(offer);
            }
            let id = self.base.invite(by, &self.account, body);
            let token = self.base.token(&self.account, &id);
            (id, token)
        }

        fn accept(&mut self, token: &str) -> Answered {
            let ben = self.ben.clone();
            self.base.post(&ben, PATH, json!({ "token": token }))
        }

        fn member_path(&self, person: &Person) -> String {
            format!("/v1/accounts/{}/members/{}", self.account, person.id())
        }

        /// Asserts that the token is refused with the common answer and that nothing changes.
        fn refused(&mut self, token: &str) {
            let before = self.base.dump();
            let answer = self.accept(token).expect(400);
            let answer = answer.expect_problem("invitation-invalid");
            let expected = InvitationToken::refused().detail;
            assert_eq!(answer.body["detail"], expected.as_ref());
            assert_eq!(self.base.dump(), before);
        }
    }

    #[test]
    fn acceptance_joins_account_teams_and_projects() {
        let mut fixture = InvitationFixture::new();
        let (ana, ben, account) = (
            fixture.ana.clone(),
            fixture.ben.clone(),
            fixture.account.clone(),
        );
        let team = fixture.base.team(&ana, &account);
        let project = fixture.base.project(&ana, &account);
        let grants = json!([{ "project_id": project, "role": "contributor" }]);
        let offer = json!({ "role": "guest", "teams": [team], "project_grants": grants });
        let (id, token) = fixture.invite(&ana, offer);
        let answer = fixture.accept(&token).expect(200);
        assert_eq!(fixture.base.rounds, 2);
        assert_eq!(answer.body["account_id"], account);
        assert_eq!(answer.body["member"]["role"], "guest");
        assert_eq!(answer.body["member"]["invitation_id"], id);
        assert_eq!(answer.body["invitation"]["status"], "accepted");
        assert_eq!(answer.body["pending"], json!([]));
        let row = format!("/v1/accounts/{account}/teams/{team}/members/{}", ben.id());
        fixture.base.get(&ana, &row).expect(200);
        let seen = fixture.base.get(&ben, &format!("/v1/projects/{project}"));
        assert_eq!(seen.expect(200).body["role"], "contributor");
    }

    #[test]
    fn case_34_used_token_is_refused() {
        let mut fixture = InvitationFixture::new();
        let ana = fixture.ana.clone();
        let (_, token) = fixture.invite(&ana, json!({}));
        fixture.accept(&token).expect(200);
        fixture.refused(&token);
        let (ben, path) = (fixture.ben.clone(), fixture.member_path(&fixture.ben));
        fixture.base.delete(&ben, &path).expect(204);
        fixture.refused(&token);
    }

    #[test]
    fn case_34_acceptance_repeated_under_its_key_is_the_same() {
        let mut fixture = InvitationFixture::new();
        let (ana, ben) = (fixture.ana.clone(), fixture.ben.clone());
        let (_, token) = fixture.invite(&ana, json!({}));
        let headers = [("idempotency-key", "k1")];
        let mut send = || {
            let body = json!({ "token": token });
            let answer = fixture.base.send(&ben, "POST", PATH, &headers, Some(body));
            (answer.expect(200).body, fixture.base.dump())
        };
        assert_eq!(send(), send());
        // A repetition does not readmit a former member.
        let path = fixture.member_path(&ben);
        fixture.base.delete(&ben, &path).expect(204);
        let body = json!({ "token": token });
        let answer = fixture.base.send(&ben, "POST", PATH, &headers, Some(body));
        answer.expect_problem("not-found");
    }

    #[test]
    fn case_34_other_address_is_forbidden() {
        let mut fixture = InvitationFixture::new();
        let ana = fixture.ana.clone();
        let (_, token) = fixture.invite(&ana, json!({}));
        let eve = fixture.base.person("eve");
        let before = fixture.base.dump();
        fixture
            .base
            .post(&eve, PATH, json!({ "token": token }))
            .expect(403)
            .expect_problem("forbidden");
        assert_eq!(fixture.base.dump(), before);
        fixture.accept(&token).expect(200);
    }

    #[test]
    fn case_15_unverified_address_cannot_accept() {
        let mut fixture = InvitationFixture::new();
        let ana = fixture.ana.clone();
        let (_, token) = fixture.invite(&ana, json!({}));
        let mut ben = fixture.ben.clone();
        ben.actor.claims.verified_email = None;
        let profile = Scope::User(ben.actor.user).key(crate::storage::Sort::user());
        fixture
            .base
            .amend(&ana, &profile, |user: &mut crate::record::User| {
                user.email = None;
            });
        let body = json!({ "token": token });
        fixture.base.post(&ben, PATH, body).expect(403);
    }

    #[test]
    fn case_34_concurrent_acceptances_join_once() {
        let mut fixture = InvitationFixture::new();
        let (ana, ben) = (fixture.ana.clone(), fixture.ben.clone());
        let (_, token) = fixture.invite(&ana, json!({}));
        let body = Some(json!({ "token": token }));
        let mut decide = || fixture.base.outcome(&ben, "POST", PATH, body.clone());
        let (first, second) = (decide().unwrap(), decide().unwrap());
        let (Outcome::Commit(first, _), Outcome::Commit(second, _)) = (first, second) else {
            panic!("both decide to join")
        };
        fixture.base.commit(&first);
        assert!(fixture.base.try_commit(&second).is_err());
        fixture.refused(&token);
    }

    #[test]
    fn case_34_ended_invitations_refuse_their_tokens() {
        let mut fixture = InvitationFixture::new();
        let (ana, ben) = (fixture.ana.clone(), fixture.ben.clone());
        let base = format!("/v1/accounts/{}/invitations", fixture.account);
        let (revoked, token) = fixture.invite(&ana, json!({}));
        let path = format!("{base}/{revoked}");
        fixture.base.delete(&ana, &path).expect(204);
        fixture.refused(&token);
        let (resent, old) = fixture.invite(&ana, json!({}));
        let path = format!("{base}/{resent}/resend");
        fixture.base.post(&ana, &path, json!({})).expect(200);
        fixture.refused(&old);
        let (_, token) = fixture.invite(&ana, json!({}));
        let body = json!({ "token": token });
        fixture
            .base
            .post(&ben, "/v1/invitations/decline", body)
            .expect(200);
        fixture.refused(&token);
        fixture.refused("");
        fixture.refused("AQ");
        let new = fixture.base.token(&fixture.account, &resent);
        fixture.accept(&new).expect(200);
    }

    #[test]
    fn case_33_invitation_ends_at_the_exact_instant() {
        let mut fixture = InvitationFixture::new();
        let ana = fixture.ana.clone();
        let end = fixture.base.now.after(Duration::from_secs(60));
        let (_, token) = fixture.invite(&ana, json!({ "expires_at": end }));
        fixture.base.pass(Duration::from_secs(60));
        fixture.refused(&token);
        fixture.base.now = end.before(Duration::from_millis(1));
        fixture.accept(&token).expect(200);
    }

    #[test]
    fn case_35_rejoining_restores_no_old_access() {
        let mut fixture = InvitationFixture::new();
        let (ana, ben, account) = (
            fixture.ana.clone(),
            fixture.ben.clone(),
            fixture.account.clone(),
        );
        let team = fixture.base.team(&ana, &account);
        let project = fixture.base.project(&ana, &account);
        let grants = json!([{ "project_id": project, "role": "viewer" }]);
        let (_, unused) = fixture.invite(&ana, json!({}));
        let (_, token) = fixture.invite(&ana, json!({ "teams": [team], "project_grants": grants }));
        let first = fixture.accept(&token).expect(200);
        let project = format!("/v1/projects/{project}");
        fixture.base.get(&ben, &project).expect(200);
        fixture.base.pass(Duration::from_secs(1));
        let path = fixture.member_path(&ben);
        fixture.base.delete(&ana, &path).expect(204);
        // An invitation from before the removal does not readmit a former member.
        fixture.refused(&unused);
        let (_, token) = fixture.invite(&ana, json!({}));
        let again = fixture.accept(&token).expect(200);
        let stay = |answer: &Answered| answer.body["member"]["membership_id"].clone();
        assert_ne!(stay(&first), stay(&again));
        fixture.base.get(&ben, &project).expect(404);
        let row = format!("/v1/accounts/{account}/teams/{team}/members/{}", ben.id());
        fixture.base.get(&ana, &row).expect(404);
    }

    #[test]
    fn active_and_suspended_members_cannot_accept() {
        let mut fixture = InvitationFixture::new();
        let (ana, ben, account) = (
            fixture.ana.clone(),
            fixture.ben.clone(),
            fixture.account.clone(),
        );
        let (_, token) = fixture.invite(&ana, json!({ "role": "admin" }));
        fixture.base.join(&account, &ben, AccountRole::Guest);
        for status in ["active", "suspended"] {
            let path = fixture.member_path(&ben);
            let body = json!({ "status": status });
            fixture.base.patch(&ana, &path, body).expect(200);
            let before = fixture.base.dump();
            fixture
                .accept(&token)
                .expect(409)
                .expect_problem("conflict");
            assert_eq!(fixture.base.dump(), before);
        }
    }

    #[test]
    fn case_29_inviters_present_authority_limits_the_offer() {
        let mut fixture = InvitationFixture::new();
        let (ana, account) = (fixture.ana.clone(), fixture.account.clone());
        let eve = fixture.base.person("eve");
        fixture.base.join(&account, &eve, AccountRole::Owner);
        let team = fixture.base.team(&ana, &account);
        let project = fixture.base.project(&ana, &account);
        let grants = json!([{ "project_id": project, "role": "owner" }]);
        let offer = json!({ "role": "admin", "teams": [team], "project_grants": grants });
        let (_, as_owner) = fixture.invite(&eve, json!({ "role": "owner" }));
        let (_, as_admin) = fixture.invite(&eve, offer);
        let path = fixture.member_path(&eve);
        let demote = |role: &str| json!({ "role": role });
        fixture
            .base
            .patch(&ana, &path, demote("member"))
            .expect(200);
        fixture.refused(&as_owner);
        fixture.refused(&as_admin);
        fixture.base.patch(&ana, &path, demote("admin")).expect(200);
        fixture.refused(&as_owner);
        let key = Scope::Account(account.parse().unwrap());
        let key = key.key(crate::storage::Sort::team(team.parse().unwrap()));
        fixture
            .base
            .amend(&ana, &key, |team: &mut Team| team.may_own = true);
        fixture.accept(&as_admin).expect(200);
        // The inviter had lost the authority over the team and the ownership.
        let ben = fixture.ben.clone();
        let row = format!("/v1/accounts/{account}/teams/{team}/members/{}", ben.id());
        fixture.base.get(&ana, &row).expect(404);
        let seen = fixture.base.get(&ben, &format!("/v1/projects/{project}"));
        assert_eq!(seen.expect(200).body["role"], "manager");
    }

    #[test]
    fn case_30_invited_owner_counts_as_owner() {
        let mut fixture = InvitationFixture::new();
        let ana = fixture.ana.clone();
        let (_, token) = fixture.invite(&ana, json!({ "role": "owner" }));
        let path = fixture.member_path(&ana);
        fixture
            .base
            .delete(&ana, &path)
            .expect(409)
            .expect_problem("last-owner");
        fixture.accept(&token).expect(200);
        fixture.base.delete(&ana, &path).expect(204);
    }

    #[test]
    fn closed_account_refuses_acceptance() {
        let mut fixture = InvitationFixture::new();
        let ana = fixture.ana.clone();
        let (_, token) = fixture.invite(&ana, json!({}));
        let path = format!("/v1/accounts/{}", fixture.account);
        fixture.base.delete(&ana, &path).expect(204);
        fixture.refused(&token);
    }
}
