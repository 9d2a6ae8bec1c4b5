//! `PATCH /v1/accounts/{account}/teams/{team}`

use alloc::{boxed::Box, vec::Vec};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{PathIds, TeamView};
use crate::{
    operation::{
        Budget, Commit, Context, Example, Facts, IfMatch, Method, Outcome, Parsed, Precondition,
        Problem, ReadRequest, Requires, Route, Success, UseCase, authority::AccountRecords, schema,
        view,
    },
    record::{EventType, Team},
    storage::Scope,
    value::{Capability, Name},
};

#[derive(Debug)]
struct UpdateTeam {
    ids: PathIds,
    if_match: IfMatch,
    input: Input,
}

/// A change of a team.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TeamChange")]
struct Input {
    name: Name,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Patch,
    "/v1/accounts/{account}/teams/{team}",
    "update_team",
    "Rename a team",
    parse,
)
.describes("Changes the name. Members and grants of the team stay as they are.")
.requires(Requires::Account(Capability::TeamManage))
.budget(Budget::WRITE)
.takes(schema::<Input>, r#"{ "name": "Structural review" }"#)
.precondition(Precondition::Required)
.answers(&[Success::ok(
    schema::<TeamView>,
    Example::Text(super::EXAMPLE),
)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(UpdateTeam {
        input: request.body()?,
        if_match: request.if_match()?,
        ids: PathIds::parse(request)?,
    }))
}

impl UseCase for UpdateTeam {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let mut reads = self.ids.reads(context);
        reads.push(ReadRequest::Get(self.ids.head()));
        Ok(reads)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let records = AccountRecords::load(facts, self.ids.account, context.user())?;
        let (permit, team) = self.ids.manage(&records.access(), facts)?;
        self.if_match.require(&team.etag())?;
        let mut commit = Commit::open(context, permit, facts.record(&self.ids.head())?)?;
        let body = Team {
            name: self.input.name.clone(),
            ..team.body.clone()
        };
        let team = commit.update(&team, body);
        let reply = view::shown(&team, &TeamView::from(&team));
        commit.finish(EventType::TeamUpdated, reply)
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.ids.scope())
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use crate::{testing::Fixture, value::AccountRole};

    #[test]
    fn admin_renames_team() {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Admin);
        let path = format!(
            "/v1/accounts/{account}/teams/{}",
            fixture.team(&ana, &account)
        );
        let renamed = fixture
            .patch(&ben, &path, json!({ "name": "Audit" }))
            .expect(200);
        assert_eq!(fixture.rounds, 1);
        assert_eq!(renamed.body["name"], "Audit");
        let shown = fixture.get(&ana, &path).expect(200);
        assert_eq!((shown.body, shown.etag), (renamed.body, renamed.etag));
    }

    #[test]
    fn team_update_refuses_callers_without_permission() {
        let mut fixture = Fixture::new();
        let [ana, ben, cyd, eve] = ["ana", "ben", "cyd", "eve"].map(|name| fixture.person(name));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Member);
        fixture.join(&account, &cyd, AccountRole::Guest);
        let path = format!(
            "/v1/accounts/{account}/teams/{}",
            fixture.team(&ana, &account)
        );
        let before = fixture.dump();
        for person in [&ben, &cyd] {
            let refused = fixture
                .patch(person, &path, json!({ "name": "Audit" }))
                .expect(403);
            assert_eq!(refused.body["missing"], json!(["team.manage"]));
        }
        fixture
            .patch(&eve, &path, json!({ "name": "Audit" }))
            .expect_problem("not-found");
        let none = format!("/v1/accounts/{account}/teams/team_01h2xcejqtf2nbrexx3vqjhp41");
        fixture
            .patch(&ben, &none, json!({ "name": "Audit" }))
            .expect_problem("not-found");
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn case_26_team_update_accepts_only_the_name() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let account = fixture.account(&ana);
        let path = format!(
            "/v1/accounts/{account}/teams/{}",
            fixture.team(&ana, &account)
        );
        let before = fixture.dump();
        for field in ["may_own", "retiring", "account_id", "created_by"] {
            let mut body = json!({ "name": "Audit" });
            body[field] = json!(true);
            let answer = fixture.patch(&ana, &path, body).expect(400);
            assert_eq!(answer.body["errors"][0]["field"], field);
        }
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn case_51_one_of_two_concurrent_team_updates_wins() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let account = fixture.account(&ana);
        let path = format!(
            "/v1/accounts/{account}/teams/{}",
            fixture.team(&ana, &account)
        );
        let etag = fixture.get(&ana, &path).expect(200).etag.unwrap();
        let mut rename = |name: &str, headers: &[(&str, &str)]| {
            fixture.send(&ana, "PATCH", &path, headers, Some(json!({ "name": name })))
        };
        rename("One", &[("if-match", &etag)]).expect(200);
        rename("Two", &[("if-match", &etag)]).expect_problem("precondition-failed");
        rename("Two", &[]).expect_problem("precondition-required");
        assert_eq!(fixture.get(&ana, &path).body["name"], "One");
    }
}
