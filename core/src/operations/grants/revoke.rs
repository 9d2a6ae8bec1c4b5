//! `DELETE /v1/projects/{project}/grants/{grant}`

use alloc::{boxed::Box, vec::Vec};

use super::{may_revoke, reads};
use crate::{
    operation::{
        ARCHIVED, Budget, Commit, Context, Facts, IfMatch, Method, Outcome, Parsed, Precondition,
        Problem, ProblemKind, QueryParameter, ReadRequest, Reply, Requires, Route, Success,
        UseCase,
        authority::{ProjectRecords, head_first, head_key, in_order},
        grants::find,
        schema,
    },
    permission::Access,
    record::{EventType, Grant, Record, Revocation},
    storage::Scope,
    value::{Capability, GrantId, Principal, ProjectId, Reason},
};

/// The record stays, with the person, time and reason of the revocation.
#[derive(Debug)]
struct RevokeGrant {
    project: ProjectId,
    grant: GrantId,
    reason: Option<Reason>,
    if_match: IfMatch,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Delete,
    "/v1/projects/{project}/grants/{grant}",
    "revoke_grant",
    "Revoke a grant",
    parse,
)
.describes(
    "The record stays, with the caller, the time and the reason. Revoking it again changes \
     nothing.",
)
.requires(Requires::Project(Capability::GrantManage))
.unless("the grant is to the caller")
.budget(Budget::ORDERED_WRITE)
.query(&[QueryParameter::new(
    "reason",
    "The reason, kept with the grant.",
    schema::<Reason>,
)])
.precondition(Precondition::Optional)
.answers(&[Success::NO_CONTENT])
.refuses(&[
    (
        ProblemKind::Escalation,
        "the role confers a capability that the caller does not have",
    ),
    ARCHIVED,
]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(RevokeGrant {
        project: request.path("project")?,
        grant: request.path("grant")?,
        reason: request.query("reason")?,
        if_match: request.if_match()?,
    }))
}

impl RevokeGrant {
    fn check(
        &self,
        access: &Access<'_>,
        grant: Option<Record<Grant>>,
    ) -> Result<Record<Grant>, Problem> {
        let grant = grant.ok_or_else(Problem::not_found)?;
        may_revoke(access, &grant.body)?;
        self.if_match.check(Some(&grant.etag()))?;
        Ok(grant)
    }
}

impl UseCase for RevokeGrant {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let rest = reads(self.project, self.grant, context.user());
        Ok(head_first(facts, Scope::Project(self.project), rest))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let records = ProjectRecords::load(facts, self.project, context.user())?;
        let access = records.access(context.env.now);
        let grant = find(facts, &records, self.project, self.grant)?;
        let caller = Principal::User(context.user());
        let own = grant
            .as_ref()
            .is_some_and(|grant| grant.body.principal == caller);
        let decision = if own {
            access.permit_leaving(self.project)
        } else {
            access.permit(self.project, Capability::GrantManage)
        };
        let (permit, grant) = in_order(decision, self.check(&access, grant))?;
        if grant.body.revoked.is_some() {
            return Ok(Outcome::Reply(Reply::no_content()));
        }
        let head = facts.record(&head_key(permit.scope()))?;
        let mut commit = Commit::open(context, permit, head)?;
        let revocation = Revocation {
            at: commit.at(),
            by: Some(context.user()),
            reason: self.reason.clone(),
        };
        let body = grant.body.clone();
        let revoked = Some(revocation);
        commit.update(&grant, Grant { revoked, ..body });
        commit.finish(EventType::GrantRevoked, Reply::no_content())
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(Scope::Project(self.project))
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use crate::{testing::GrantFixture, testing::principal_of};

    #[test]
    fn revoked_grant_ends_at_once_and_keeps_its_reason() {
        let mut fixture = GrantFixture::new();
        let (ana, ben) = (fixture.ana.clone(), fixture.ben.clone());
        let path = fixture.ben_grant();
        fixture
            .base
            .delete(&ana, &format!("{path}?reason=left%20the%20survey"))
            .expect(204);
        assert_eq!(fixture.base.rounds, 2);
        fixture
            .base
            .get(&ben, &fixture.path())
            .expect_problem("not-found");
        let kept = fixture.base.get(&ana, &path).expect(200).body;
        assert_eq!(kept["status"], "revoked");
        assert_eq!(kept["reason"], "left the survey");
        assert_eq!(kept["revoked_by"], ana.id());
        assert_eq!(kept["revoked_at"], json!(fixture.base.now));
        assert_eq!(kept["role"], "manager");
        let before = fixture.base.dump();
        fixture.base.delete(&ana, &path).expect(204);
        assert_eq!(fixture.base.dump(), before);
    }

    #[test]
    fn grant_can_be_given_up_by_its_principal() {
        let mut fixture = GrantFixture::new();
        let cyd = fixture.cyd.clone();
        let body = json!({ "principal": principal_of(&cyd.id()), "role": "viewer" });
        let grant = fixture.grant_by_ben(body).expect(201).id();
        let path = format!("{}/grants/{grant}", fixture.path());
        fixture.base.delete(&cyd, &path).expect(204);
        fixture
            .base
            .get(&cyd, &fixture.path())
            .expect_problem("not-found");
    }

    #[test]
    fn case_29_grant_revoke_refuses_higher_roles() {
        let mut fixture = GrantFixture::new();
        let (ana, ben, cyd) = (
            fixture.ana.clone(),
            fixture.ben.clone(),
            fixture.cyd.clone(),
        );
        let owner = fixture
            .base
            .grant(&ana, &fixture.project, &cyd.id(), "owner");
        let viewer = fixture.base.person("dan");
        let role = crate::value::AccountRole::Guest;
        fixture.base.join(&fixture.account, &viewer, role);
        fixture
            .base
            .grant(&ana, &fixture.project, &viewer.id(), "viewer");
        let path = format!("{}/grants/{owner}", fixture.path());
        let eve = fixture.base.person("eve");
        let before = fixture.base.dump();
        let refused = fixture.base.delete(&ben, &path).expect(403);
        assert_eq!(
            refused.body["missing"],
            json!(["project.archive", "project.delete"])
        );
        let refused = fixture.base.delete(&viewer, &path).expect(403);
        assert_eq!(refused.body["missing"], json!(["grant.manage"]));
        fixture.base.delete(&eve, &path).expect_problem("not-found");
        let unknown = format!("{}/grants/grt_01h2xcejqtf2nbrexx3vqjhp41", fixture.path());
        fixture
            .base
            .delete(&ben, &unknown)
            .expect_problem("not-found");
        let answer = fixture
            .base
            .delete(&ana, &format!("{path}?reason="))
            .expect(400);
        assert_eq!(answer.body["errors"][0]["field"], "reason");
        let stale = [("if-match", "\"00000000000000000000000000000000\"")];
        fixture
            .base
            .send(&ana, "DELETE", &path, &stale, None)
            .expect_problem("precondition-failed");
        assert_eq!(fixture.base.dump(), before);
        fixture.base.delete(&ana, &path).expect(204);
    }

    #[test]
    fn removed_member_cannot_revoke_their_own_grant() {
        let mut fixture = GrantFixture::new();
        let (ana, ben) = (fixture.ana.clone(), fixture.ben.clone());
        let member = format!("/v1/accounts/{}/members/{}", fixture.account, ben.id());
        fixture.base.delete(&ana, &member).expect(204);
        let (path, before) = (fixture.ben_grant(), fixture.base.dump());
        fixture.base.delete(&ben, &path).expect_problem("not-found");
        assert_eq!(fixture.base.dump(), before);
    }
}
