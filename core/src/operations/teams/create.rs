//! `POST /v1/accounts/{account}/teams`

use alloc::{boxed::Box, vec::Vec};

use schemars::JsonSchema;
use serde::Deserialize;

use super::TeamView;
use crate::{
    operation::{
        Budget, Commit, Context, Example, Facts, Method, Outcome, Parsed, Problem, ReadRequest,
        Reply, Requires, Route, Success, UseCase,
        authority::{AccountRecords, head_key},
        schema, view,
    },
    permission::Permit,
    record::{EventType, Record, Team},
    storage::{Key, Scope},
    value::{AccountId, Capability, Name},
};

#[derive(Debug)]
struct CreateTeam {
    account: AccountId,
    input: Input,
}

/// A team to create.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewTeam")]
struct Input {
    name: Name,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/accounts/{account}/teams",
    "create_team",
    "Create a team",
    parse,
)
.describes("The team has no members and no grants at first.")
.requires(Requires::Account(Capability::TeamManage))
.budget(Budget::WRITE)
.takes(schema::<Input>, r#"{ "name": "Structural review" }"#)
.answers(&[Success::created(
    schema::<TeamView>,
    Example::Text(super::EXAMPLE),
)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(CreateTeam {
        input: request.body()?,
        account: request.path("account")?,
    }))
}

impl CreateTeam {
    fn scope(&self) -> Scope {
        Scope::Account(self.account)
    }

    fn permit(&self, context: &Context<'_>, facts: &Facts) -> Result<Permit, Problem> {
        let records = AccountRecords::load(facts, self.account, context.user())?;
        Ok(records
            .access()
            .permit(self.account, Capability::TeamManage)?)
    }
}

fn reply(team: &Record<Team>) -> Reply {
    view::created(team, &TeamView::from(team))
}

impl UseCase for CreateTeam {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let mut reads = AccountRecords::reads(self.account, context.user());
        reads.push(ReadRequest::Get(head_key(self.scope())));
        Ok(reads)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let permit = self.permit(context, facts)?;
        let mut commit = Commit::open(context, permit, facts.record(&head_key(self.scope()))?)?;
        let team = Team {
            account_id: self.account,
            name: self.input.name.clone(),
            may_own: false,
            retiring: false,
        };
        let team = commit.create(context.env.id("team"), team);
        commit.finish(EventType::TeamCreated, reply(&team))
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.scope())
    }

    fn replay(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        records: &[Key],
    ) -> Result<Reply, Problem> {
        self.permit(context, facts)?;
        let team: Record<Team> = view::replayed(facts, records, 0)?;
        if team.is_live() {
            Ok(reply(&team))
        } else {
            Err(view::no_longer_exists(&team.key()))
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String};

    use serde_json::{Value, json};

    use crate::{
        testing::{Answered, Fixture, Person},
        value::AccountRole,
    };

    const FOREIGN: &str = "/v1/accounts/acc_01h2xcejqtf2nbrexx3vqjhp41/teams";

    /// Ana owns an account with Ben as a member in this role. Returns the path of its teams.
    fn account_with(role: AccountRole) -> (Fixture, Person, Person, String) {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, role);
        (fixture, ana, ben, format!("/v1/accounts/{account}/teams"))
    }

    fn repeatable(fixture: &mut Fixture, person: &Person, path: &str, body: Value) -> Answered {
        fixture.send(
            person,
            "POST",
            path,
            &[("idempotency-key", "k1")],
            Some(body),
        )
    }

    #[test]
    fn admin_creates_team() {
        let (mut fixture, ana, ben, path) = account_with(AccountRole::Admin);
        let made = fixture
            .post(&ben, &path, json!({ "name": " Review " }))
            .expect(201);
        assert_eq!(fixture.rounds, 1);
        assert_eq!(made.body["name"], "Review");
        assert_eq!(made.body["version"], 1);
        assert_eq!(made.body["created_by"], ben.id());
        let shown = fixture
            .get(&ana, &format!("{path}/{}", made.id()))
            .expect(200);
        assert_eq!((shown.body, shown.etag), (made.body, made.etag));
    }

    #[test]
    fn team_create_refuses_members() {
        let (mut fixture, _, ben, path) = account_with(AccountRole::Member);
        let before = fixture.dump();
        let refused = fixture
            .post(&ben, &path, json!({ "name": "Review" }))
            .expect(403);
        assert_eq!(refused.body["missing"], json!(["team.manage"]));
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn team_create_hides_account_from_outsiders() {
        let (mut fixture, _, _, path) = account_with(AccountRole::Member);
        let eve = fixture.person("eve");
        let before = fixture.dump();
        for path in [FOREIGN, &path] {
            let refused = fixture.post(&eve, path, json!({ "name": "Review" }));
            refused.expect_problem("not-found");
        }
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn case_26_wrong_field_is_named() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        for (body, field) in [
            (json!({}), "name"),
            (json!({ "name": "" }), "name"),
            (json!({ "name": "x", "version": 3 }), "version"),
            (json!({ "name": "x", "may_own": true }), "may_own"),
            (json!({ "name": "x", "account_id": "y" }), "account_id"),
        ] {
            let answer = fixture.post(&ana, FOREIGN, body).expect(400);
            assert_eq!(answer.body["errors"][0]["field"], field);
        }
    }

    #[test]
    fn team_create_repeated_answers_the_first_team() {
        let (mut fixture, ana, _, path) = account_with(AccountRole::Member);
        let body = json!({ "name": "Review" });
        let made = repeatable(&mut fixture, &ana, &path, body.clone()).expect(201);
        let stored = fixture.dump();
        let again = repeatable(&mut fixture, &ana, &path, body.clone()).expect(201);
        assert_eq!(again.body, made.body);
        let other = repeatable(&mut fixture, &ana, &path, json!({ "name": "Audit" }));
        other.expect_problem("idempotency-mismatch");
        assert_eq!(fixture.dump(), stored);
        fixture
            .delete(&ana, &format!("{path}/{}", made.id()))
            .expect(204);
        repeatable(&mut fixture, &ana, &path, body).expect_problem("conflict");
    }

    #[test]
    fn team_create_repeated_checks_permission_again() {
        let (mut fixture, ana, ben, path) = account_with(AccountRole::Admin);
        let body = json!({ "name": "Review" });
        repeatable(&mut fixture, &ben, &path, body.clone()).expect(201);
        let member = path.replace("teams", &format!("members/{}", ben.id()));
        fixture
            .patch(&ana, &member, json!({ "role": "member" }))
            .expect(200);
        repeatable(&mut fixture, &ben, &path, body).expect(403);
    }
}
