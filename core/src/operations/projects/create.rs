//! `POST /v1/accounts/{account}/projects`

use alloc::{boxed::Box, vec, vec::Vec};

use schemars::JsonSchema;
use serde::Deserialize;

use super::ProjectView;
use crate::{
    operation::{
        Budget, Commit, Context, Example, Facts, Method, Outcome, Parsed, Problem, ProblemKind,
        ReadRequest, Reply, Requires, Route, Success, UseCase, authority::ProjectRecords, schema,
        view,
    },
    permission::Access,
    record::{EventType, Grant, Member, Project, Record, Visibility},
    storage::{Key, Scope},
    value::{AccountId, Capability, Description, Name, Principal, ProjectId, ProjectRole},
};

#[derive(Debug)]
struct CreateProject {
    account: AccountId,
    input: Input,
}

/// A project to create.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewProject")]
struct Input {
    name: Name,
    description: Option<Description>,
    visibility: Visibility,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/accounts/{account}/projects",
    "create_project",
    "Create a project",
    parse,
)
.describes("The caller receives a grant as its owner.")
.requires(Requires::Account(Capability::ProjectCreate))
.budget(Budget::WRITE)
.takes(
    schema::<Input>,
    r#"{ "name": "House at the lake", "visibility": "private" }"#,
)
.answers(&[Success::created(
    schema::<ProjectView>,
    Example::Text(super::EXAMPLE),
)])
.refuses(&[(
    ProblemKind::Conflict,
    "the `Idempotency-Key` created a project more than a day ago",
)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(CreateProject {
        account: request.path("account")?,
        input: request.body()?,
    }))
}

fn reply(project: &Record<Project>, access: &Access<'_>) -> Reply {
    view::created(project, &ProjectView::with_access(project, access))
}

impl CreateProject {
    fn id(&self, context: &Context<'_>) -> ProjectId {
        ProjectId::new(self.account, context.new_scope_ulid())
    }

    fn project(&self) -> Project {
        let input = &self.input;
        let (name, description) = (input.name.clone(), input.description.clone());
        Project::new(name, description, input.visibility)
    }
}

/// The grant that makes the creator the owner of the new project.
fn ownership(project: ProjectId, member: &Record<Member>) -> Grant {
    Grant {
        project_id: project,
        principal: Principal::User(member.id),
        membership_id: Some(member.body.membership_id),
        role: ProjectRole::Owner,
        expires_at: None,
        revoked: None,
    }
}

impl UseCase for CreateProject {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(ProjectRecords::reads(self.id(context), context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let id = self.id(context);
        let mut records = ProjectRecords::load(facts, id, context.user())?;
        let access = records.account_records.access();
        let permit = access.permit_new_project(id)?;
        let member = access.membership().ok_or_else(Problem::not_found)?;
        if records.head.is_some() {
            return Err(Problem::conflict(
                "this `Idempotency-Key` made a project more than a day ago; send a new key",
            ));
        }
        let mut commit = Commit::open(context, permit, None)?;
        let project = commit.create(id, self.project());
        let grant = commit.create(context.env.id("grant"), ownership(id, member));
        records.project = Some(project.clone());
        records.grants = vec![grant];
        let reply = reply(&project, &records.access(context.env.now));
        commit.finish(EventType::ProjectCreated, reply)
    }

    fn writes(&self, context: &Context<'_>) -> Option<Scope> {
        Some(Scope::Project(self.id(context)))
    }

    fn replay(&self, context: &Context<'_>, facts: &Facts, made: &[Key]) -> Result<Reply, Problem> {
        let id = self.id(context);
        let records = ProjectRecords::load(facts, id, context.user())?;
        records.account_records.access().permit_new_project(id)?;
        let project = view::replayed(facts, made, 0)?;
        let access = records.access(context.env.now);
        access.check(Capability::ProjectView)?;
        Ok(reply(&project, &access))
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use crate::{operation::commit::IDEMPOTENCY_RETENTION, testing::Fixture, value::AccountRole};

    #[test]
    fn project_creator_becomes_owner() {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Member);
        let path = format!("/v1/accounts/{account}/projects");
        let body = json!({ "name": "Survey", "description": "North", "visibility": "private" });
        let made = fixture.post(&ben, &path, body).expect(201);
        assert_eq!(fixture.rounds, 1);
        assert_eq!(made.body["account_id"], account);
        assert_eq!(made.body["description"], "North");
        assert_eq!(made.body["visibility"], "private");
        assert_eq!(made.body["archived"], false);
        assert_eq!(made.body["role"], "owner");
        assert_eq!(made.body["created_by"], ben.id());
        let path = format!("/v1/projects/{}", made.id());
        let shown = fixture.get(&ben, &path).expect(200);
        assert_eq!((shown.body, shown.etag), (made.body, made.etag));
        let grants = fixture.get(&ben, &format!("{path}/grants")).expect(200);
        assert_eq!(grants.body["items"][0]["principal"]["id"], ben.id());
        assert_eq!(grants.body["items"][0]["role"], "owner");
    }

    #[test]
    fn project_create_refuses_callers_without_permission() {
        let mut fixture = Fixture::new();
        let [ana, ben, eve] = ["ana", "ben", "eve"].map(|name| fixture.person(name));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Guest);
        let path = format!("/v1/accounts/{account}/projects");
        let body = json!({ "name": "Survey", "visibility": "account" });
        let before = fixture.dump();
        let refused = fixture.post(&ben, &path, body.clone()).expect(403);
        assert_eq!(refused.body["missing"], json!(["project.create"]));
        fixture.post(&eve, &path, body).expect_problem("not-found");
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn case_26_project_create_names_wrong_and_unknown_fields() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let path = format!("/v1/accounts/{}/projects", fixture.account(&ana));
        let before = fixture.dump();
        for (field, value) in [
            ("name", json!("")),
            ("visibility", json!("public")),
            ("description", json!("x".repeat(2001))),
            ("account_id", json!("acc_01h2xcejqtf2nbrexx3vqjhp41")),
            ("archived", json!(true)),
            ("version", json!(7)),
            ("created_by", json!(ana.id())),
        ] {
            let mut body = json!({ "name": "Survey", "visibility": "private" });
            body[field] = value;
            let answer = fixture.post(&ana, &path, body).expect(400);
            assert_eq!(answer.body["errors"][0]["field"], field);
        }
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn project_create_repeated_answers_the_first_project() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let path = format!("/v1/accounts/{}/projects", fixture.account(&ana));
        let body = json!({ "name": "Survey", "visibility": "private" });
        let send = |fixture: &mut Fixture, body: &serde_json::Value| {
            let headers = [("idempotency-key", "k1")];
            fixture.send(&ana, "POST", &path, &headers, Some(body.clone()))
        };
        let first = send(&mut fixture, &body).expect(201);
        let before = fixture.dump();
        assert_eq!(send(&mut fixture, &body).expect(201).body, first.body);
        let other = json!({ "name": "Other", "visibility": "private" });
        send(&mut fixture, &other).expect_problem("idempotency-mismatch");
        assert_eq!(fixture.dump(), before);
        fixture
            .delete(&ana, &format!("/v1/projects/{}", first.id()))
            .expect(204);
        send(&mut fixture, &body).expect_problem("conflict");
        fixture.pass(IDEMPOTENCY_RETENTION);
        fixture.collect_garbage();
        let before = fixture.dump();
        send(&mut fixture, &body).expect_problem("conflict");
        assert_eq!(fixture.dump(), before);
    }
}
