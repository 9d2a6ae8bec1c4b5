//! `GET /v1/projects/{project}/grants/{grant}`

use alloc::{boxed::Box, vec::Vec};

use super::{GrantView, reads};
use crate::{
    operation::{
        Budget, Context, Example, Facts, Method, Outcome, Parsed, Problem, ReadRequest, Requires,
        Route, Success, UseCase, authority::ProjectRecords, grants::find, schema, view,
    },
    value::{Capability, GrantId, Principal, ProjectId},
};

#[derive(Debug)]
struct GetGrant {
    project: ProjectId,
    grant: GrantId,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/grants/{grant}",
    "get_grant",
    "Show a grant",
    parse,
)
.describes("Answers live, expired and revoked grants.")
.requires(Requires::Project(Capability::GrantView))
.unless("the grant is to the caller")
.budget(Budget::READ)
.answers(&[Success::ok(
    schema::<GrantView>,
    Example::Text(super::EXAMPLE),
)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(GetGrant {
        project: request.path("project")?,
        grant: request.path("grant")?,
    }))
}

impl UseCase for GetGrant {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(reads(self.project, self.grant, context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let records = ProjectRecords::load(facts, self.project, context.user())?;
        let access = records.access(context.env.now);
        let grant = find(facts, &records, self.project, self.grant)?;
        let caller = Principal::User(context.user());
        let own = grant
            .as_ref()
            .is_some_and(|grant| grant.body.principal == caller);
        access.check(if own {
            Capability::ProjectView
        } else {
            Capability::GrantView
        })?;
        let grant = grant.ok_or_else(Problem::not_found)?;
        let view = GrantView::at(&grant, access.now);
        Ok(Outcome::Reply(view::shown(&grant, &view)))
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use crate::{testing::GrantFixture, testing::principal_of};

    #[test]
    fn grant_is_shown_to_managers_and_its_principal() {
        let mut fixture = GrantFixture::new();
        let cyd = fixture.cyd.clone();
        let body = json!({ "principal": principal_of(&cyd.id()), "role": "viewer" });
        let made = fixture.grant_by_ben(body).expect(201);
        let path = format!("{}/grants/{}", fixture.path(), made.id());
        for person in [&fixture.ana, &fixture.ben, &cyd] {
            let shown = fixture.base.get(person, &path).expect(200);
            assert_eq!(fixture.base.rounds, 1);
            assert_eq!(
                (shown.body, shown.etag),
                (made.body.clone(), made.etag.clone())
            );
        }
        let refused = fixture.base.get(&cyd, &fixture.ben_grant()).expect(403);
        assert_eq!(refused.body["missing"], json!(["grant.view"]));
        let unknown = format!("{}/grants/grt_01h2xcejqtf2nbrexx3vqjhp41", fixture.path());
        assert_eq!(
            fixture.base.get(&cyd, &unknown).expect(403).body["detail"],
            refused.body["detail"]
        );
        fixture
            .base
            .get(&fixture.ben, &unknown)
            .expect_problem("not-found");
    }

    #[test]
    fn case_18_grant_of_another_project_is_not_found() {
        let mut fixture = GrantFixture::new();
        let ana = fixture.ana.clone();
        let other = fixture.base.project(&ana, &fixture.account);
        let path = format!("/v1/projects/{other}/grants/{}", fixture.management);
        let before = fixture.base.dump();
        fixture.base.get(&ana, &path).expect_problem("not-found");
        fixture.base.delete(&ana, &path).expect_problem("not-found");
        fixture
            .base
            .patch(&ana, &path, json!({ "role": "viewer" }))
            .expect_problem("not-found");
        let body = json!({ "revoke": [fixture.management] });
        let answer = fixture
            .base
            .post(&ana, &format!("/v1/projects/{other}/access/preview"), body)
            .expect(400);
        assert_eq!(answer.body["errors"][0]["field"], "revoke[0]");
        assert_eq!(fixture.base.dump(), before);
    }
}
