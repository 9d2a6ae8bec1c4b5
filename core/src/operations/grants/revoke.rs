//! `DELETE /v1/projects/{project}/grants/{grant}`

use alloc::{boxed::Box, vec::Vec};

use super::{asks, find, may_revoke};
use crate::{
    api::{
        IfMatch, Method, Parsed, Precondition, Problem, ProblemKind, QueryParameter, Route, schema,
    },
    authority::{ProjectRecords, head_first, head_key, settle},
    commit::Commit,
    context::Context,
    facts::{Ask, Facts},
    model::{EventType, Grant, Principal, Record, Revocation},
    permission::{Access, Capability},
    storage::Scope,
    use_case::{Outcome, Reply, UseCase},
    value::{GrantId, ProjectId, Reason},
};

/// Revokes a grant. The record stays, with who did it, when and why.
#[derive(Debug)]
struct RevokeGrant {
    project: ProjectId,
    grant: GrantId,
    reason: Option<Reason>,
    if_match: IfMatch,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Delete,
    "/v1/projects/{project}/grants/{grant}",
    "revoke_grant",
    "Revokes a grant, for good; everyone may give up their own. Revoking again changes nothing",
    parse,
)
.query(&[QueryParameter {
    name: "reason",
    description: "why, kept with the grant",
    schema: schema::<Reason>,
}])
.answers(&[(204, None)])
.precondition(Precondition::Optional)
.refuses(&[ProblemKind::Escalation, ProblemKind::Conflict]);

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
        self.if_match.honour(Some(&grant.etag()))?;
        Ok(grant)
    }
}

impl UseCase for RevokeGrant {
    fn needs(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<Ask>, Problem> {
        let rest = asks(self.project, self.grant, context.user());
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
        let asked = if own {
            access.permit_leaving(self.project)
        } else {
            access.permit(self.project, Capability::GrantManage)
        };
        let (permit, grant) = settle(asked, self.check(&access, grant))?;
        if grant.body.revoked.is_some() {
            return Ok(Outcome::Reply(Reply::no_content()));
        }
        let head = facts.record(&head_key(permit.scope()))?;
        let mut commit = Commit::open(context, permit, head);
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

    use crate::{operations::grants::stage::Stage, testing::principal_of};

    #[test]
    fn a_revoked_grant_ends_at_once_and_is_kept_with_its_reason() {
        let mut stage = Stage::new();
        let (ana, ben) = (stage.ana.clone(), stage.ben.clone());
        let path = stage.ben_grant();
        stage
            .world
            .delete(&ana, &format!("{path}?reason=left%20the%20survey"))
            .expect(204);
        assert_eq!(stage.world.waves, 2);
        stage
            .world
            .get(&ben, &stage.path())
            .expect_problem("not-found");
        let kept = stage.world.get(&ana, &path).expect(200).body;
        assert_eq!(kept["status"], "revoked");
        assert_eq!(kept["reason"], "left the survey");
        assert_eq!(kept["revoked_by"], ana.id());
        assert_eq!(kept["revoked_at"], json!(stage.world.now));
        assert_eq!(kept["role"], "manager");
        let before = stage.world.dump();
        stage.world.delete(&ana, &path).expect(204);
        assert_eq!(stage.world.dump(), before);
    }

    #[test]
    fn everyone_may_give_up_their_own_grant() {
        let mut stage = Stage::new();
        let cyd = stage.cyd.clone();
        let body = json!({ "principal": principal_of(&cyd.id()), "role": "viewer" });
        let grant = stage.grant_by_ben(body).expect(201).id();
        let path = format!("{}/grants/{grant}", stage.path());
        stage.world.delete(&cyd, &path).expect(204);
        stage
            .world
            .get(&cyd, &stage.path())
            .expect_problem("not-found");
    }

    #[test]
    fn case_29_nobody_revokes_what_is_above_them() {
        let mut stage = Stage::new();
        let (ana, ben, cyd) = (stage.ana.clone(), stage.ben.clone(), stage.cyd.clone());
        let owner = stage.world.grant(&ana, &stage.project, &cyd.id(), "owner");
        let viewer = stage.world.person("dan");
        let role = crate::permission::AccountRole::Guest;
        stage.world.join(&stage.account, &viewer, role);
        stage
            .world
            .grant(&ana, &stage.project, &viewer.id(), "viewer");
        let path = format!("{}/grants/{owner}", stage.path());
        let eve = stage.world.person("eve");
        let before = stage.world.dump();
        let refused = stage.world.delete(&ben, &path).expect(403);
        assert_eq!(
            refused.body["missing"],
            json!(["project.archive", "project.delete"])
        );
        let refused = stage.world.delete(&viewer, &path).expect(403);
        assert_eq!(refused.body["missing"], json!(["grant.manage"]));
        stage.world.delete(&eve, &path).expect_problem("not-found");
        let unknown = format!("{}/grants/grt_01h2xcejqtf2nbrexx3vqjhp41", stage.path());
        stage
            .world
            .delete(&ben, &unknown)
            .expect_problem("not-found");
        let answer = stage
            .world
            .delete(&ana, &format!("{path}?reason="))
            .expect(400);
        assert_eq!(answer.body["errors"][0]["field"], "reason");
        let stale = [("if-match", "\"00000000000000000000000000000000\"")];
        stage
            .world
            .send(&ana, "DELETE", &path, &stale, None)
            .expect_problem("precondition-failed");
        assert_eq!(stage.world.dump(), before);
        stage.world.delete(&ana, &path).expect(204);
    }
}
