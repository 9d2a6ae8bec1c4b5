//! `GET /v1/projects/{project}/access`

use alloc::{boxed::Box, vec::Vec};

use schemars::JsonSchema;
use serde::Serialize;

use super::ReasonView;
use crate::{
    operation::{
        Budget, Context, Example, Facts, Method, Outcome, Parsed, Problem, ProblemKind,
        QueryParameter, ReadRequest, Reply, Requires, Route, Success, UseCase,
        authority::{AccountRecords, ProjectRecords, past},
        schema,
    },
    permission::Access,
    value::{Capabilities, Capability, ProjectId, ProjectRole, Timestamp, UserId, canonical},
};

#[derive(Debug)]
struct ExplainAccess {
    project: ProjectId,
    user: Option<UserId>,
    at: Option<Timestamp>,
}

/// What a person may do on a project.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Access")]
struct AccessView {
    user: UserId,
    /// Everything that the person may do.
    capabilities: Capabilities,
    /// Every record that gives something.
    reasons: Vec<ReasonView>,
    /// The capabilities on projects that the person lacks. Absent if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<Capabilities>,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/access",
    "get_access",
    "Explain what a person may do on a project",
    parse,
)
.describes(
    "Lists each record that confers a role, with the capabilities it gives. Without `user` \
     the answer is about the caller; about others it needs `grant.view`. With `at` the answer \
     is about a past time.",
)
.requires(Requires::Project(Capability::ProjectView))
.budget(Budget::READ)
.query(&[
    QueryParameter::new(
        "user",
        "The person to explain. Default: the caller. Another person needs `grant.view`.",
        schema::<UserId>,
    ),
    QueryParameter::new(
        "at",
        "A time in the past. Default: now.",
        schema::<Timestamp>,
    ),
])
.answers(&[Success::ok(schema::<AccessView>, Example::Text(EXAMPLE))])
.refuses(&[(
    ProblemKind::Conflict,
    "too many changes lie between `at` and now",
)]);

const EXAMPLE: &str = r#"{
  "user": "usr_01ks8vcv05qe9yjnxn3y5pwjh8",
  "capabilities": [
    "project.view", "artifact.view", "artifact.download", "metadata.view", "event.view"
  ],
  "reasons": [{
    "source": "user_grant",
    "record_id": "grt_01kcs1z5k03awkvp6macd9fw22",
    "role": "viewer",
    "capabilities": [
      "project.view", "artifact.view", "artifact.download", "metadata.view", "event.view"
    ]
  }]
}"#;

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(ExplainAccess {
        project: request.path("project")?,
        user: request.query("user")?,
        at: request.query("at")?,
    }))
}

impl ExplainAccess {
    fn subject(&self, context: &Context<'_>) -> UserId {
        self.user.unwrap_or(context.user())
    }

    fn check_time(&self, context: &Context<'_>) -> Result<(), Problem> {
        if self.at.is_none_or(|at| at <= context.env.now) {
            return Ok(());
        }
        Err(Problem::field("at", "must not be in the future"))
    }

    /// The subject's present records. Checks that the caller may see the subject's present access.
    fn present(&self, context: &Context<'_>, facts: &Facts) -> Result<ProjectRecords, Problem> {
        let (caller, subject) = (context.user(), self.subject(context));
        let records = ProjectRecords::load(facts, self.project, caller)?;
        let access = records.access(context.env.now);
        if subject == caller {
            access.check(Capability::ProjectView)?;
            return Ok(records);
        }
        access.check(Capability::GrantView)?;
        let account = AccountRecords::load(facts, self.project.account(), subject)?;
        Ok(ProjectRecords {
            account_records: account,
            ..records
        })
    }
}

fn view(access: &Access<'_>) -> AccessView {
    let capabilities = access.effective();
    let missing = ProjectRole::Owner.capabilities().without(capabilities);
    AccessView {
        user: access.account.user,
        capabilities,
        reasons: ReasonView::all(access, access.reasons()),
        missing: (!missing.is_empty()).then_some(missing),
    }
}

impl UseCase for ExplainAccess {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        self.check_time(context)?;
        let subject = self.subject(context);
        let mut reads = ProjectRecords::reads(self.project, context.user());
        reads.extend(AccountRecords::reads(self.project.account(), subject));
        if self.at.is_none() || !facts.has_all(&reads) {
            return Ok(reads);
        }
        self.present(context, facts)?;
        Ok(past::reads(self.project, subject))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let mut records = self.present(context, facts)?;
        if let Some(at) = self.at {
            records = past::load(facts, records, self.project, at)?;
        }
        let access = records.access(self.at.unwrap_or(context.env.now));
        let body = canonical::to_value(&view(&access));
        Ok(Outcome::Reply(Reply::ok(body)))
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String, vec, vec::Vec};
    use core::time::Duration;

    use serde_json::{Value, json};

    use super::past;
    use crate::{
        operation::Batch,
        record::{Account, Member, MemberStatus, Project, Record, RetiredTeam},
        storage::{Condition, IndexKeys, Operation, Scope, Sort},
        testing::{Fixture, GrantFixture, Person, principal_of},
        value::{AccountRole, CommitId, ProjectRole, Timestamp, id::Id},
    };

    fn reasons(answer: &Value) -> Vec<[String; 3]> {
        let reasons = answer["reasons"].as_array().unwrap().iter();
        let text = |reason: &Value, name: &str| reason[name].as_str().unwrap().into();
        reasons
            .map(|reason| ["source", "record_id", "role"].map(|name| text(reason, name)))
            .collect()
    }

    /// Cyd's role at a time, as answered to Ana. `None` for no access.
    fn role_at(fixture: &mut GrantFixture, at: Timestamp) -> Option<String> {
        let path = format!(
            "{}/access?user={}&at={at}",
            fixture.path(),
            fixture.cyd.id()
        );
        let answer = fixture.base.get(&fixture.ana, &path).expect(200).body;
        assert_eq!(fixture.base.rounds, 2);
        reasons(&answer).pop().map(|[_, _, role]| role)
    }

    #[test]
    fn access_reasons_include_every_conferring_record() {
        let mut fixture = GrantFixture::new();
        let (ana, cyd) = (fixture.ana.clone(), fixture.cyd.clone());
        let team = fixture.base.team(&ana, &fixture.account);
        fixture.base.assign(&ana, &fixture.account, &team, &cyd);
        let own = fixture
            .base
            .grant(&ana, &fixture.project, &cyd.id(), "viewer");
        let shared = fixture
            .base
            .grant(&ana, &fixture.project, &team, "contributor");
        let open = json!({ "visibility": "account" });
        fixture.base.patch(&ana, &fixture.path(), open).expect(200);
        let path = format!("{}/access", fixture.path());
        let answer = fixture.base.get(&cyd, &path).expect(200).body;
        assert_eq!(fixture.base.rounds, 1);
        assert_eq!(answer["user"], cyd.id());
        let expected = [
            ["visibility", &fixture.project, "viewer"],
            ["user_grant", &own, "viewer"],
            ["team_grant", &shared, "contributor"],
        ];
        assert_eq!(reasons(&answer), expected);
        let missing = answer["missing"].as_array().unwrap();
        assert!(missing.contains(&json!("grant.view")));
        let total = missing.len() + answer["capabilities"].as_array().unwrap().len();
        assert_eq!(total, ProjectRole::Owner.capabilities().iter().count());
        let owner = fixture.base.get(&ana, &path).expect(200).body;
        assert_eq!(reasons(&owner)[0], ["account_role", &ana.id(), "owner"]);
        assert!(owner.get("missing").is_none());
    }

    #[test]
    fn access_of_others_requires_grant_view() {
        let mut fixture = GrantFixture::new();
        let (ben, cyd, eve) = (
            fixture.ben.clone(),
            fixture.cyd.clone(),
            fixture.base.person("eve"),
        );
        let path = format!("{}/access", fixture.path());
        let about = |person: &Person| format!("{path}?user={}", person.id());
        for person in [&cyd, &eve] {
            for path in [path.clone(), about(person), about(&ben)] {
                fixture.base.get(person, &path).expect_problem("not-found");
            }
        }
        let unknown = "usr_01h2xcejqtf2nbrexx3vqjhp41";
        let mut answers = vec![];
        for user in [&cyd.id(), &eve.id(), unknown] {
            let answer = fixture.base.get(&ben, &format!("{path}?user={user}"));
            let mut answer = answer.expect(200).body;
            assert_eq!(answer["user"], user);
            answer["user"] = json!(null);
            answers.push(answer);
        }
        assert_eq!(answers[0]["capabilities"], json!([]));
        assert_eq!(answers[0]["reasons"], json!([]));
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        let principal = principal_of(&cyd.id());
        let body = json!({ "principal": principal, "role": "viewer" });
        fixture.grant_by_ben(body).expect(201);
        fixture.base.get(&cyd, &about(&cyd)).expect(200);
        let refused = fixture.base.get(&cyd, &about(&ben)).expect(403);
        assert_eq!(refused.body["missing"], json!(["grant.view"]));
    }

    #[test]
    fn access_refuses_wrong_parameters_by_name() {
        let mut fixture = GrantFixture::new();
        let later = fixture.base.now.after(Duration::from_millis(1));
        for (query, field) in [
            (format!("at={later}"), "at"),
            ("at=yesterday".into(), "at"),
            ("user=ben".into(), "user"),
        ] {
            let path = format!("{}/access?{query}", fixture.path());
            let answer = fixture.base.get(&fixture.ben, &path).expect(400);
            assert_eq!(answer.body["errors"][0]["field"], field);
        }
    }

    #[test]
    fn access_to_archived_project_lists_possible_capabilities() {
        let mut fixture = GrantFixture::new();
        let archive = json!({ "archived": true });
        fixture
            .base
            .patch(&fixture.ana, &fixture.path(), archive)
            .expect(200);
        let path = format!("{}/access", fixture.path());
        let answer = fixture.base.get(&fixture.ben, &path).expect(200).body;
        assert_eq!(answer["reasons"][0]["capabilities"], answer["capabilities"]);
        let capabilities = answer["capabilities"].as_array().unwrap();
        assert!(capabilities.contains(&json!("grant.view")));
        assert!(!capabilities.contains(&json!("grant.manage")));
        assert!(
            answer["missing"]
                .as_array()
                .unwrap()
                .contains(&json!("grant.manage"))
        );
    }

    #[test]
    fn past_access_uses_every_state_of_a_grant() {
        let mut fixture = GrantFixture::new();
        let ana = fixture.ana.clone();
        let second = Duration::from_secs(1);
        let start = fixture.base.now;
        fixture.base.pass(second);
        let end = fixture.base.now.after(10 * second);
        let principal = principal_of(&fixture.cyd.id());
        let body = json!({ "principal": principal, "role": "viewer", "expires_at": end });
        let id = fixture.grant_by_ben(body).expect(201).id();
        let path = format!("{}/grants/{id}", fixture.path());
        fixture.base.pass(second);
        let change = json!({ "role": "contributor" });
        fixture.base.patch(&ana, &path, change).expect(200);
        fixture.base.pass(second);
        fixture.base.delete(&ana, &path).expect(204);
        fixture.base.pass(20 * second);
        let at = |seconds: u32| start.after(seconds * second);
        let instants = [
            (0, None),
            (1, Some("viewer")),
            (2, Some("contributor")),
            (3, None),
        ];
        for (seconds, role) in instants {
            assert_eq!(
                role_at(&mut fixture, at(seconds)).as_deref(),
                role,
                "{seconds}"
            );
        }
        assert_eq!(
            role_at(&mut fixture, at(2).before(Duration::from_millis(1))).as_deref(),
            Some("viewer")
        );
        let now = fixture.base.now;
        assert_eq!(role_at(&mut fixture, now), None);
    }

    #[test]
    fn case_33_past_access_respects_the_expiry_of_a_grant() {
        let mut fixture = GrantFixture::new();
        let end = fixture.base.now.after(Duration::from_secs(1));
        let principal = principal_of(&fixture.cyd.id());
        let body = json!({ "principal": principal, "role": "viewer", "expires_at": end });
        fixture.grant_by_ben(body).expect(201);
        fixture.base.pass(Duration::from_secs(60));
        let before = end.before(Duration::from_millis(1));
        assert_eq!(role_at(&mut fixture, before).as_deref(), Some("viewer"));
        assert_eq!(role_at(&mut fixture, end), None);
    }

    #[test]
    fn past_access_uses_memberships_teams_and_project_state() {
        let mut fixture = GrantFixture::new();
        let (ana, cyd) = (fixture.ana.clone(), fixture.cyd.clone());
        let mut times = vec![];
        let mut tick = |fixture: &mut Fixture| {
            times.push(fixture.now);
            fixture.pass(Duration::from_secs(1));
        };
        let path = fixture.path();
        tick(&mut fixture.base);
        let open = json!({ "visibility": "account" });
        fixture.base.patch(&ana, &path, open).expect(200);
        tick(&mut fixture.base);
        let close = json!({ "visibility": "private" });
        fixture.base.patch(&ana, &path, close).expect(200);
        let team = fixture.base.team(&ana, &fixture.account);
        fixture
            .base
            .grant(&ana, &fixture.project, &team, "commenter");
        tick(&mut fixture.base);
        fixture.base.assign(&ana, &fixture.account, &team, &cyd);
        tick(&mut fixture.base);
        let account = fixture.account_key(Sort::account());
        let retired = RetiredTeam(team.parse().unwrap());
        let retire = |account: &mut Account| {
            account.retired_teams.insert(retired);
        };
        fixture.base.amend(&ana, &account, retire);
        let member = fixture.account_key(Sort::member(cyd.actor.user));
        let promote = |member: &mut Member| member.role = AccountRole::Admin;
        fixture.base.amend(&ana, &member, promote);
        tick(&mut fixture.base);
        let suspend = |member: &mut Member| member.status = MemberStatus::Suspended;
        fixture.base.amend(&ana, &member, suspend);
        tick(&mut fixture.base);
        let found: Vec<_> = times.iter().map(|at| role_at(&mut fixture, *at)).collect();
        let found: Vec<_> = found.iter().map(|role| role.as_deref()).collect();
        let expected = [
            None,
            Some("viewer"),
            None,
            Some("commenter"),
            Some("manager"),
            None,
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn case_35_past_access_separates_two_stays() {
        let mut fixture = GrantFixture::new();
        let (ana, cyd) = (fixture.ana.clone(), fixture.cyd.clone());
        let second = Duration::from_secs(1);
        fixture
            .base
            .grant(&ana, &fixture.project, &cyd.id(), "viewer");
        let granted = fixture.base.now;
        fixture.base.pass(second);
        let member = format!("/v1/accounts/{}/members/{}", fixture.account, cyd.id());
        fixture.base.delete(&ana, &member).expect(204);
        let left = fixture.base.now;
        fixture.base.pass(second);
        fixture
            .base
            .join(&fixture.account, &cyd, AccountRole::Member);
        let back = fixture.base.now;
        let roles = [granted, left, back].map(|at| role_at(&mut fixture, at));
        assert_eq!(roles, [Some("viewer".into()), None, None]);
    }

    #[test]
    fn past_access_follows_a_clock_that_went_back() {
        let mut fixture = GrantFixture::new();
        let (ana, cyd) = (fixture.ana.clone(), fixture.cyd.clone());
        let start = fixture.base.now;
        fixture
            .base
            .pass(Duration::from_secs(10 * 365 * 24 * 60 * 60));
        let (project, path) = (fixture.project.clone(), fixture.path());
        let grant = fixture.base.grant(&ana, &project, &cyd.id(), "viewer");
        fixture.base.now = start.after(Duration::from_secs(1));
        let grant = format!("{path}/grants/{grant}");
        let role = json!({ "role": "contributor" });
        fixture.base.patch(&ana, &grant, role).expect(200);
        let now = fixture.base.now;
        let roles = [start, now].map(|at| role_at(&mut fixture, at));
        assert_eq!(roles, [None, Some("contributor".into())]);
    }

    #[test]
    fn past_access_refuses_too_much_history() {
        let mut fixture = GrantFixture::new();
        let ana = fixture.ana.clone();
        let scope = Scope::Project(fixture.project.parse().unwrap());
        let project: Record<Project> = fixture.base.record(&scope.key(Sort::project())).unwrap();
        let state = |version| {
            let key = scope.key(Sort::superseded("PROJECT", version));
            Operation::Put(
                project.encode_at(key, IndexKeys::default()),
                Condition::Absent,
            )
        };
        let commit_id = CommitId::from_ulid(ulid::Ulid::nil());
        let states = (0..=u64::from(past::ROWS)).map(state).collect();
        let history = Batch::unchecked(scope, commit_id, states);
        fixture.base.try_commit(&history).unwrap();
        let path = format!("{}/access?at={}", fixture.path(), fixture.base.now);
        fixture.base.get(&ana, &path).expect_problem("conflict");
        fixture
            .base
            .get(&ana, &format!("{}/access", fixture.path()))
            .expect(200);
    }
}
