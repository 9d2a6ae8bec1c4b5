//! `GET /v1/projects/{project}/access`

use alloc::{boxed::Box, vec::Vec};

use schemars::JsonSchema;
use serde::Serialize;

use super::ReasonView;
use crate::{
    api::{Method, Parsed, Problem, ProblemKind, QueryParameter, Route, schema},
    authority::{AccountRecords, ProjectRecords, past},
    canonical,
    context::Context,
    facts::{Ask, Facts},
    permission::{Access, Capabilities, Capability, ProjectRole},
    use_case::{Outcome, Reply, UseCase},
    value::{ProjectId, Timestamp, UserId},
};

/// Explains what one person may do on a project, now or at a past time.
#[derive(Debug)]
struct ExplainAccess {
    project: ProjectId,
    user: Option<UserId>,
    at: Option<Timestamp>,
}

/// What a person may do on a project, as answered.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Access")]
struct AccessView {
    user: UserId,
    capabilities: Capabilities,
    /// Every record that gives something.
    reasons: Vec<ReasonView>,
    /// The capabilities on projects that the person lacks; absent if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<Capabilities>,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/access",
    "get_access",
    "Explains what the caller, or another person, may do on a project, and which records say so",
    parse,
)
.query(&[
    QueryParameter {
        name: "user",
        description: "whose access, if not the caller's own; needs `grant.view`",
        schema: schema::<UserId>,
    },
    QueryParameter {
        name: "at",
        description: "as of this time, not in the future",
        schema: schema::<Timestamp>,
    },
])
.answers(&[(200, Some(schema::<AccessView>))])
.refuses(&[ProblemKind::Conflict]);

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

    /// The subject's records as they are now, if the caller may ask for them now.
    fn present(&self, context: &Context<'_>, facts: &Facts) -> Result<ProjectRecords, Problem> {
        let (caller, subject) = (context.user(), self.subject(context));
        let records = ProjectRecords::load(facts, self.project, caller)?;
        let access = records.access(context.env.now);
        if subject == caller {
            access.check(Capability::ProjectView)?;
            return Ok(records);
        }
        access.check(Capability::GrantView)?;
        let standing = AccountRecords::load(facts, self.project.account(), subject)?;
        Ok(ProjectRecords {
            standing,
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
    fn needs(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<Ask>, Problem> {
        self.check_time(context)?;
        let subject = self.subject(context);
        let mut asks = ProjectRecords::asks(self.project, context.user());
        asks.extend(AccountRecords::asks(self.project.account(), subject));
        if self.at.is_none() || !facts.has_all(&asks) {
            return Ok(asks);
        }
        self.present(context, facts)?;
        Ok(past::asks(self.project, subject))
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
        model::{Account, Member, MemberStatus, Project, Record, RetiredTeam},
        operations::grants::stage::Stage,
        permission::{AccountRole, ProjectRole},
        storage::{Batch, Condition, IndexKeys, Operation, Scope, Sort},
        testing::{Person, World, principal_of},
        value::{CommitId, Timestamp, id::Id},
    };

    fn reasons(answer: &Value) -> Vec<[String; 3]> {
        let reasons = answer["reasons"].as_array().unwrap().iter();
        let text = |reason: &Value, name: &str| reason[name].as_str().unwrap().into();
        reasons
            .map(|reason| ["source", "record_id", "role"].map(|name| text(reason, name)))
            .collect()
    }

    /// The role that Ana's question finds Cyd had at a time; `None` for no access.
    fn role_at(stage: &mut Stage, at: Timestamp) -> Option<String> {
        let path = format!("{}/access?user={}&at={at}", stage.path(), stage.cyd.id());
        let answer = stage.world.get(&stage.ana, &path).expect(200).body;
        assert_eq!(stage.world.waves, 2);
        reasons(&answer).pop().map(|[_, _, role]| role)
    }

    #[test]
    fn every_record_that_gives_something_is_a_reason() {
        let mut stage = Stage::new();
        let (ana, cyd) = (stage.ana.clone(), stage.cyd.clone());
        let team = stage.world.team(&ana, &stage.account);
        stage.world.assign(&ana, &stage.account, &team, &cyd);
        let own = stage.world.grant(&ana, &stage.project, &cyd.id(), "viewer");
        let shared = stage
            .world
            .grant(&ana, &stage.project, &team, "contributor");
        let open = json!({ "visibility": "account" });
        stage.world.patch(&ana, &stage.path(), open).expect(200);
        let path = format!("{}/access", stage.path());
        let answer = stage.world.get(&cyd, &path).expect(200).body;
        assert_eq!(stage.world.waves, 1);
        assert_eq!(answer["user"], cyd.id());
        let expected = [
            ["visibility", &stage.project, "viewer"],
            ["user_grant", &own, "viewer"],
            ["team_grant", &shared, "contributor"],
        ];
        assert_eq!(reasons(&answer), expected);
        let missing = answer["missing"].as_array().unwrap();
        assert!(missing.contains(&json!("grant.view")));
        let total = missing.len() + answer["capabilities"].as_array().unwrap().len();
        assert_eq!(total, ProjectRole::Owner.capabilities().iter().count());
        let owner = stage.world.get(&ana, &path).expect(200).body;
        assert_eq!(reasons(&owner)[0], ["account_role", &ana.id(), "owner"]);
        assert!(owner.get("missing").is_none());
    }

    #[test]
    fn asking_about_others_needs_grant_view_and_about_oneself_nothing() {
        let mut stage = Stage::new();
        let (ben, cyd, eve) = (
            stage.ben.clone(),
            stage.cyd.clone(),
            stage.world.person("eve"),
        );
        let path = format!("{}/access", stage.path());
        let about = |person: &Person| format!("{path}?user={}", person.id());
        for person in [&cyd, &eve] {
            for path in [path.clone(), about(person), about(&ben)] {
                stage.world.get(person, &path).expect_problem("not-found");
            }
        }
        let nobody = "usr_01h2xcejqtf2nbrexx3vqjhp41";
        let mut answers = vec![];
        for user in [&cyd.id(), &eve.id(), nobody] {
            let answer = stage.world.get(&ben, &format!("{path}?user={user}"));
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
        stage.grant_by_ben(body).expect(201);
        stage.world.get(&cyd, &about(&cyd)).expect(200);
        let refused = stage.world.get(&cyd, &about(&ben)).expect(403);
        assert_eq!(refused.body["missing"], json!(["grant.view"]));
    }

    #[test]
    fn what_cannot_be_asked_is_named() {
        let mut stage = Stage::new();
        let later = stage.world.now.after(Duration::from_millis(1));
        for (query, field) in [
            (format!("at={later}"), "at"),
            ("at=yesterday".into(), "at"),
            ("user=ben".into(), "user"),
        ] {
            let path = format!("{}/access?{query}", stage.path());
            let answer = stage.world.get(&stage.ben, &path).expect(400);
            assert_eq!(answer.body["errors"][0]["field"], field);
        }
    }

    #[test]
    fn an_archived_project_lets_one_do_what_is_still_possible() {
        let mut stage = Stage::new();
        let archive = json!({ "archived": true });
        stage
            .world
            .patch(&stage.ana, &stage.path(), archive)
            .expect(200);
        let path = format!("{}/access", stage.path());
        let answer = stage.world.get(&stage.ben, &path).expect(200).body;
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
    fn the_past_is_answered_from_every_state_a_grant_had() {
        let mut stage = Stage::new();
        let ana = stage.ana.clone();
        let second = Duration::from_secs(1);
        let start = stage.world.now;
        stage.world.pass(second);
        let end = stage.world.now.after(10 * second);
        let principal = principal_of(&stage.cyd.id());
        let body = json!({ "principal": principal, "role": "viewer", "expires_at": end });
        let id = stage.grant_by_ben(body).expect(201).id();
        let path = format!("{}/grants/{id}", stage.path());
        stage.world.pass(second);
        let change = json!({ "role": "contributor" });
        stage.world.patch(&ana, &path, change).expect(200);
        stage.world.pass(second);
        stage.world.delete(&ana, &path).expect(204);
        stage.world.pass(20 * second);
        let at = |seconds: u32| start.after(seconds * second);
        let instants = [
            (0, None),
            (1, Some("viewer")),
            (2, Some("contributor")),
            (3, None),
        ];
        for (seconds, role) in instants {
            assert_eq!(
                role_at(&mut stage, at(seconds)).as_deref(),
                role,
                "{seconds}"
            );
        }
        assert_eq!(
            role_at(&mut stage, at(2).before(Duration::from_millis(1))).as_deref(),
            Some("viewer")
        );
        let now = stage.world.now;
        assert_eq!(role_at(&mut stage, now), None);
    }

    #[test]
    fn case_33_the_past_knows_when_a_grant_ran_out() {
        let mut stage = Stage::new();
        let end = stage.world.now.after(Duration::from_secs(1));
        let principal = principal_of(&stage.cyd.id());
        let body = json!({ "principal": principal, "role": "viewer", "expires_at": end });
        stage.grant_by_ben(body).expect(201);
        stage.world.pass(Duration::from_secs(60));
        let before = end.before(Duration::from_millis(1));
        assert_eq!(role_at(&mut stage, before).as_deref(), Some("viewer"));
        assert_eq!(role_at(&mut stage, end), None);
    }

    #[test]
    fn the_past_knows_memberships_teams_visibility_and_archive() {
        let mut stage = Stage::new();
        let (ana, cyd) = (stage.ana.clone(), stage.cyd.clone());
        let mut times = vec![];
        let mut tick = |world: &mut World| {
            times.push(world.now);
            world.pass(Duration::from_secs(1));
        };
        let path = stage.path();
        tick(&mut stage.world);
        let open = json!({ "visibility": "account" });
        stage.world.patch(&ana, &path, open).expect(200);
        tick(&mut stage.world);
        let close = json!({ "visibility": "private" });
        stage.world.patch(&ana, &path, close).expect(200);
        let team = stage.world.team(&ana, &stage.account);
        stage.world.grant(&ana, &stage.project, &team, "commenter");
        tick(&mut stage.world);
        stage.world.assign(&ana, &stage.account, &team, &cyd);
        tick(&mut stage.world);
        let account = stage.account_key(Sort::account());
        let retired = RetiredTeam(team.parse().unwrap());
        let retire = |account: &mut Account| account.retired_teams.push(retired);
        stage.world.amend(&ana, &account, retire);
        let member = stage.account_key(Sort::member(cyd.actor.user));
        let promote = |member: &mut Member| member.role = AccountRole::Admin;
        stage.world.amend(&ana, &member, promote);
        tick(&mut stage.world);
        let suspend = |member: &mut Member| member.status = MemberStatus::Suspended;
        stage.world.amend(&ana, &member, suspend);
        tick(&mut stage.world);
        let found: Vec<_> = times.iter().map(|at| role_at(&mut stage, *at)).collect();
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
    fn case_35_the_past_keeps_two_stays_apart() {
        let mut stage = Stage::new();
        let (ana, cyd) = (stage.ana.clone(), stage.cyd.clone());
        let second = Duration::from_secs(1);
        stage.world.grant(&ana, &stage.project, &cyd.id(), "viewer");
        let granted = stage.world.now;
        stage.world.pass(second);
        let member = format!("/v1/accounts/{}/members/{}", stage.account, cyd.id());
        stage.world.delete(&ana, &member).expect(204);
        let left = stage.world.now;
        stage.world.pass(second);
        stage.world.join(&stage.account, &cyd, AccountRole::Member);
        let back = stage.world.now;
        let roles = [granted, left, back].map(|at| role_at(&mut stage, at));
        assert_eq!(roles, [Some("viewer".into()), None, None]);
    }

    #[test]
    fn more_history_than_is_read_is_said_and_not_cut_off() {
        let mut stage = Stage::new();
        let ana = stage.ana.clone();
        let scope = Scope::Project(stage.project.parse().unwrap());
        let project: Record<Project> = stage.world.record(&scope.key(Sort::project())).unwrap();
        let state = |version| {
            let key = scope.key(Sort::superseded("PROJECT", version));
            Operation::Put(
                project.encode_at(key, IndexKeys::default()),
                Condition::Absent,
            )
        };
        let history = Batch {
            scope,
            commit_id: CommitId::from_ulid(ulid::Ulid::nil()),
            operations: (0..=u64::from(past::ROWS)).map(state).collect(),
        };
        stage.world.store.commit(&history).unwrap();
        let path = format!("{}/access?at={}", stage.path(), stage.world.now);
        stage.world.get(&ana, &path).expect_problem("conflict");
        stage
            .world
            .get(&ana, &format!("{}/access", stage.path()))
            .expect(200);
    }
}
