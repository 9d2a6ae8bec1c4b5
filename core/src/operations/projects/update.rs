//! `PATCH /v1/projects/{project}`

use alloc::{boxed::Box, vec::Vec};

use schemars::JsonSchema;
use serde::Deserialize;

use super::ProjectView;
use crate::{
    operation::{
        Budget, Commit, Context, Example, Facts, IfMatch, Method, Outcome, Parsed, Precondition,
        Problem, ProblemKind, ReadRequest, Requires, Route, Success, UseCase,
        authority::{ProjectRecords, in_order},
        nullable, schema, view,
    },
    permission::{Access, Permit, Refusal},
    record::{EventType, Project, Visibility},
    storage::Scope,
    value::{Capability, Description, Name, ProjectId},
};

#[derive(Debug)]
struct UpdateProject {
    project: ProjectId,
    if_match: IfMatch,
    input: Input,
}

/// A change of a project. Members left out stay as they are.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ProjectChange")]
struct Input {
    name: Option<Name>,
    /// Null removes the description.
    #[serde(default, deserialize_with = "nullable")]
    #[schemars(with = "Option<Description>", skip_serializing_if = "Option::is_none")]
    description: Option<Option<Description>>,
    visibility: Option<Visibility>,
    /// True makes the project read-only. Nothing else may change until it is false again.
    archived: Option<bool>,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Patch,
    "/v1/projects/{project}",
    "update_project",
    "Rename, describe, open, close or archive a project",
    parse,
)
.describes(
    "Members left out stay as they are. `archived` needs `project.archive` and makes the \
     project read-only; no other member may change while the project is archived.",
)
.requires(Requires::Project(Capability::ProjectEdit))
.budget(Budget::WRITE)
.takes(schema::<Input>, r#"{ "name": "House at the lake" }"#)
.precondition(Precondition::Required)
.answers(&[Success::ok(
    schema::<ProjectView>,
    Example::Text(super::EXAMPLE),
)])
.refuses(&[(
    ProblemKind::Conflict,
    "the project is archived and the request does not take it out of the archive",
)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(UpdateProject {
        project: request.path("project")?,
        if_match: request.if_match()?,
        input: request.body()?,
    }))
}

impl Input {
    fn only_archives(&self) -> bool {
        let edits = self.name.is_some() || self.description.is_some() || self.visibility.is_some();
        self.archived.is_some() && !edits
    }

    fn applied_to(&self, project: &Project) -> Project {
        let Self {
            name,
            description,
            visibility,
            archived,
        } = self;
        Project {
            name: name.as_ref().unwrap_or(&project.name).clone(),
            description: description.as_ref().unwrap_or(&project.description).clone(),
            visibility: visibility.unwrap_or(project.visibility),
            archived: archived.unwrap_or(project.archived),
            ..project.clone()
        }
    }
}

impl UpdateProject {
    /// Editing and archiving require different capabilities. Opening the project to the account
    /// gives every member the role of a viewer, and a caller who may edit has all capabilities of a
    /// viewer.
    fn permit(&self, access: &Access<'_>) -> Result<Permit, Refusal> {
        let archive = || access.permit(self.project, Capability::ProjectArchive);
        if self.input.only_archives() {
            return archive();
        }
        let edit = || access.permit(self.project, Capability::ProjectEdit);
        if self.input.archived.is_none() {
            return edit();
        }
        let permit = archive()?;
        edit()?;
        Ok(permit)
    }
}

fn event(before: &Project, after: &Project) -> EventType {
    match (before.archived, after.archived) {
        (false, true) => EventType::ProjectArchived,
        (true, false) => EventType::ProjectUnarchived,
        _ => EventType::ProjectUpdated,
    }
}

impl UseCase for UpdateProject {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(ProjectRecords::reads(self.project, context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let mut records = ProjectRecords::load(facts, self.project, context.user())?;
        let access = records.access(context.env.now);
        let project = access.project.ok_or_else(Problem::not_found)?.clone();
        let precondition = self.if_match.require(&project.etag());
        let (permit, ()) = in_order(self.permit(&access), precondition)?;
        let after = self.input.applied_to(&project.body);
        if project.body.archived && after.archived {
            return Err(Refusal::Archived.into());
        }
        if after == project.body {
            let view = ProjectView::with_access(&project, &access);
            return Ok(Outcome::Reply(view::shown(&project, &view)));
        }
        let mut commit = Commit::open(context, permit, records.head.take())?;
        let event = event(&project.body, &after);
        let project = commit.update(&project, after);
        records.project = Some(project.clone());
        let view = ProjectView::with_access(&project, &records.access(context.env.now));
        commit.finish(event, view::shown(&project, &view))
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(Scope::Project(self.project))
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String};

    use serde_json::json;

    use crate::{
        testing::{Fixture, Person},
        value::AccountRole,
    };

    /// Ana owns an account and a project. Ben has `role` on the project. Returns the paths of the
    /// project and of Ben's grant.
    fn project_with(role: &str) -> (Fixture, Person, Person, [String; 2]) {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Member);
        let project = fixture.project(&ana, &account);
        let grant = fixture.grant(&ana, &project, &ben.id(), role);
        let path = format!("/v1/projects/{project}");
        let grant = format!("{path}/grants/{grant}");
        (fixture, ana, ben, [path, grant])
    }

    #[test]
    fn manager_renames_describes_and_opens_project() {
        let (mut fixture, _, ben, [path, _]) = project_with("manager");
        let body = json!({ "name": "Census", "description": "South", "visibility": "account" });
        let changed = fixture.patch(&ben, &path, body).expect(200);
        assert_eq!(fixture.rounds, 1);
        assert_eq!(changed.body["name"], "Census");
        assert_eq!(changed.body["description"], "South");
        assert_eq!(changed.body["visibility"], "account");
        assert_eq!(changed.body["version"], 2);
        let body = json!({ "description": null });
        let changed = fixture.patch(&ben, &path, body).expect(200);
        assert_eq!(changed.body["description"], json!(null));
        assert_eq!(changed.body["name"], "Census");
        let before = fixture.dump();
        let same = fixture
            .patch(&ben, &path, json!({ "name": "Census" }))
            .expect(200);
        assert_eq!((same.body, same.etag), (changed.body, changed.etag));
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn project_update_refuses_in_order_and_changes_nothing() {
        let (mut fixture, ana, ben, [path, _]) = project_with("contributor");
        let stranger = fixture.person("eve");
        let stale = fixture.get(&ana, &path).etag.unwrap();
        fixture
            .patch(&ana, &path, json!({ "name": "Census" }))
            .expect(200);
        let before = fixture.dump();
        let mut send = |person: &Person, etag: Option<&str>, body| {
            let headers: &[(&str, &str)] = &etag.map_or([("x", "")], |etag| [("if-match", etag)]);
            fixture.send(person, "PATCH", &path, headers, Some(body))
        };
        let body = json!({ "name": "Other" });
        send(&stranger, None, body.clone()).expect_problem("not-found");
        let refused = send(&ben, None, body.clone()).expect(403);
        assert_eq!(refused.body["missing"], json!(["project.edit"]));
        send(&ana, None, body.clone()).expect_problem("precondition-required");
        send(&ana, Some(&stale), body).expect_problem("precondition-failed");
        for (field, value) in [
            ("name", json!("")),
            ("archived", json!("yes")),
            ("id", json!(1)),
        ] {
            let answer = send(&ana, None, json!({ field: value })).expect(400);
            assert_eq!(answer.body["errors"][0]["field"], field);
        }
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn project_archiving_requires_owner() {
        let (mut fixture, ana, ben, [path, _]) = project_with("manager");
        for body in [
            json!({ "archived": true }),
            json!({ "archived": true, "name": "Old" }),
        ] {
            let refused = fixture.patch(&ben, &path, body).expect(403);
            assert_eq!(refused.body["missing"], json!(["project.archive"]));
        }
        let body = json!({ "archived": true, "name": "Old" });
        let archived = fixture.patch(&ana, &path, body).expect(200);
        assert_eq!(archived.body["name"], "Old");
        let left = archived.body["capabilities"].as_array().unwrap();
        assert!(left.contains(&json!("project.archive")));
        assert!(!left.contains(&json!("project.edit")));
        let refused = fixture
            .patch(&ben, &path, json!({ "archived": false }))
            .expect(403);
        assert_eq!(refused.body["missing"], json!(["project.archive"]));
        fixture
            .patch(&ana, &path, json!({ "archived": false }))
            .expect(200);
        fixture
            .patch(&ben, &path, json!({ "name": "New" }))
            .expect(200);
    }

    #[test]
    fn case_37_archived_project_can_only_be_unarchived() {
        let (mut fixture, ana, ben, [path, grant]) = project_with("viewer");
        fixture
            .patch(&ana, &path, json!({ "archived": true }))
            .expect(200);
        let before = fixture.dump();
        for body in [
            json!({ "name": "Other" }),
            json!({ "visibility": "account" }),
            json!({ "archived": true }),
            json!({ "archived": false, "name": "Other" }),
            json!({}),
        ] {
            fixture.patch(&ana, &path, body).expect_problem("conflict");
        }
        let stale = [("if-match", "\"00000000000000000000000000000000\"")];
        fixture
            .send(&ana, "PATCH", &path, &stale, Some(json!({ "name": "x" })))
            .expect_problem("precondition-failed");
        let add = json!({ "principal": { "type": "user", "id": ben.id() }, "role": "viewer" });
        fixture
            .post(&ana, &format!("{path}/grants"), add.clone())
            .expect_problem("conflict");
        fixture
            .post(
                &ana,
                &format!("{path}/access/preview"),
                json!({ "add": [add] }),
            )
            .expect_problem("conflict");
        fixture
            .patch(&ana, &grant, json!({ "role": "manager" }))
            .expect_problem("conflict");
        for person in [&ana, &ben] {
            fixture.delete(person, &grant).expect_problem("conflict");
        }
        assert_eq!(fixture.dump(), before);
        fixture.get(&ben, &path).expect(200);
    }

    #[test]
    fn case_38_change_does_not_commit_after_a_revocation() {
        let (mut fixture, ana, ben, [path, grant]) = project_with("manager");
        let body = json!({ "name": "Mine" });
        let decided = fixture.outcome(&ben, "PATCH", &path, Some(body.clone()));
        let Ok(crate::operation::Outcome::Commit(batch, _)) = decided else {
            panic!("a manager may rename")
        };
        fixture.delete(&ana, &grant).expect(204);
        assert!(fixture.try_commit(&batch).is_err());
        fixture.patch(&ben, &path, body).expect_problem("not-found");
    }
}
