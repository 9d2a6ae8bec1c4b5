//! `DELETE /v1/projects/{project}`

use alloc::{boxed::Box, vec::Vec};

use crate::{
    operation::{
        Budget, Commit, Context, Facts, IfMatch, Method, Outcome, Parsed, Precondition, Problem,
        ReadRequest, Reply, Requires, Route, Success, UseCase, authority::ProjectRecords,
    },
    record::{EventType, Project},
    storage::Scope,
    value::{Capability, ProjectId},
};

/// Decisions treat a deleted project as missing, so this commit hides it from every caller.
#[derive(Debug)]
struct DeleteProject {
    project: ProjectId,
    if_match: IfMatch,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Delete,
    "/v1/projects/{project}",
    "delete_project",
    "Delete a project with everything in it",
    parse,
)
.describes(
    "Afterwards every caller gets 404 for the project. There is no operation that brings it back.",
)
.requires(Requires::Project(Capability::ProjectDelete))
.budget(Budget::WRITE)
.precondition(Precondition::Optional)
.answers(&[Success::NO_CONTENT]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(DeleteProject {
        project: request.path("project")?,
        if_match: request.if_match()?,
    }))
}

impl UseCase for DeleteProject {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(ProjectRecords::reads(self.project, context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let records = ProjectRecords::load(facts, self.project, context.user())?;
        let access = records.access(context.env.now);
        let permit = access.permit(self.project, Capability::ProjectDelete)?;
        let project = access.project.ok_or_else(Problem::not_found)?;
        self.if_match.check(Some(&project.etag()))?;
        let mut commit = Commit::open(context, permit, records.head.clone())?;
        let body = Project {
            deleted_at: Some(context.env.now),
            ..project.body.clone()
        };
        commit.delete_as(project, body);
        commit.finish(EventType::ProjectDeleted, Reply::no_content())
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(Scope::Project(self.project))
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use crate::{
        record::Head,
        storage::{Scope, Sort},
        testing::Fixture,
        value::AccountRole,
    };

    #[test]
    fn deleted_project_is_not_found() {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Member);
        let project = fixture.project(&ana, &account);
        fixture.grant(&ana, &project, &ben.id(), "owner");
        let path = format!("/v1/projects/{project}");
        let account_head = Scope::Account(account.parse().unwrap()).key(Sort::head());
        let before: Head = fixture.record(&account_head).unwrap().body;
        fixture.delete(&ben, &path).expect(204);
        assert_eq!(fixture.rounds, 1);
        for person in [&ana, &ben] {
            for path in [
                path.clone(),
                format!("{path}/grants"),
                format!("{path}/access"),
            ] {
                fixture.get(person, &path).expect_problem("not-found");
            }
            fixture
                .patch(person, &path, json!({ "name": "x" }))
                .expect_problem("not-found");
            fixture.delete(person, &path).expect_problem("not-found");
            let list = format!("/v1/accounts/{account}/projects");
            assert_eq!(
                fixture.get(person, &list).expect(200).body["items"],
                json!([])
            );
        }
        assert_eq!(fixture.record::<Head>(&account_head).unwrap().body, before);
    }

    #[test]
    fn project_delete_refuses_managers_and_stale_etags() {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Member);
        let project = fixture.project(&ana, &account);
        fixture.grant(&ana, &project, &ben.id(), "manager");
        let path = format!("/v1/projects/{project}");
        let stale = fixture.get(&ana, &path).etag.unwrap();
        fixture
            .patch(&ana, &path, json!({ "name": "Other" }))
            .expect(200);
        let before = fixture.dump();
        let refused = fixture.delete(&ben, &path).expect(403);
        assert_eq!(refused.body["missing"], json!(["project.delete"]));
        let headers = [("if-match", stale.as_str())];
        fixture
            .send(&ana, "DELETE", &path, &headers, None)
            .expect_problem("precondition-failed");
        assert_eq!(fixture.dump(), before);
    }
}
