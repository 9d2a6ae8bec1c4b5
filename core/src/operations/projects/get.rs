//! `GET /v1/projects/{project}`

use alloc::{boxed::Box, vec::Vec};

use super::ProjectView;
use crate::{
    operation::{
        Budget, Context, Example, Facts, Method, Outcome, Parsed, Problem, ReadRequest, Requires,
        Route, Success, UseCase, authority::ProjectRecords, schema, view,
    },
    value::{Capability, ProjectId},
};

#[derive(Debug)]
struct GetProject {
    project: ProjectId,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}",
    "get_project",
    "Show a project",
    parse,
)
.describes("With the role and the capabilities of the caller.")
.requires(Requires::Project(Capability::ProjectView))
.budget(Budget::READ)
.answers(&[Success::ok(
    schema::<ProjectView>,
    Example::Text(super::EXAMPLE),
)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(GetProject {
        project: request.path("project")?,
    }))
}

impl UseCase for GetProject {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(ProjectRecords::reads(self.project, context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let records = ProjectRecords::load(facts, self.project, context.user())?;
        let access = records.access(context.env.now);
        access.check(Capability::ProjectView)?;
        let project = access.project.ok_or_else(Problem::not_found)?;
        let view = ProjectView::with_access(project, &access);
        Ok(Outcome::Reply(view::shown(project, &view)))
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use crate::{testing::Fixture, value::AccountRole};

    #[test]
    fn project_shows_each_member_their_own_role() {
        let mut fixture = Fixture::new();
        let [ana, ben, cyd] = ["ana", "ben", "cyd"].map(|name| fixture.person(name));
        let account = fixture.account(&ana);
        for person in [&ben, &cyd] {
            fixture.join(&account, person, AccountRole::Member);
        }
        let project = fixture.project(&ana, &account);
        fixture.grant(&ana, &project, &ben.id(), "commenter");
        let path = format!("/v1/projects/{project}");
        let shown = fixture.get(&ben, &path).expect(200);
        assert_eq!(fixture.rounds, 1);
        assert_eq!(shown.body["role"], "commenter");
        let capabilities = shown.body["capabilities"].as_array().unwrap();
        assert!(capabilities.contains(&json!("event.append")));
        assert!(!capabilities.contains(&json!("artifact.create")));
        fixture.get(&cyd, &path).expect_problem("not-found");
        fixture
            .patch(&ana, &path, json!({ "visibility": "account" }))
            .expect(200);
        assert_eq!(fixture.get(&cyd, &path).expect(200).body["role"], "viewer");
    }
}
