//! `POST /v1/accounts/{account}/teams`

use alloc::{boxed::Box, vec::Vec};

use schemars::JsonSchema;
use serde::Deserialize;

use super::TeamView;
use crate::{
    api::{Method, Parsed, Problem, Route, schema, view},
    authority::{AccountRecords, head_key},
    commit::Commit,
    context::Context,
    facts::{Ask, Facts},
    model::{EventType, Record, Team},
    permission::{Capability, Permit},
    storage::{Key, Scope},
    use_case::{Outcome, Reply, UseCase},
    value::{AccountId, Name},
};

/// Creates a team.
#[derive(Debug)]
struct CreateTeam {
    account: AccountId,
    input: Input,
}

/// The body.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewTeam")]
struct Input {
    name: Name,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/accounts/{account}/teams",
    "create_team",
    "Creates a team",
    parse,
)
.takes(schema::<Input>)
.answers(&[(201, Some(schema::<TeamView>))]);

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
    fn needs(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<Ask>, Problem> {
        let mut asks = AccountRecords::asks(self.account, context.user());
        asks.push(Ask::Get(head_key(self.scope())));
        Ok(asks)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let permit = self.permit(context, facts)?;
        let mut commit = Commit::open(context, permit, facts.record(&head_key(self.scope()))?);
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
        Ok(reply(&view::replayed(facts, records, 0)?))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::World;

    #[test]
    fn an_outsider_sees_no_account_and_changes_nothing() {
        let mut world = World::new();
        let ana = world.person("ana");
        let before = world.dump();
        let account = "acc_01h2xcejqtf2nbrexx3vqjhp41";
        let path = alloc::format!("/v1/accounts/{account}/teams");
        world
            .post(&ana, &path, json!({ "name": "Review" }))
            .expect_problem("not-found");
        assert_eq!(world.dump(), before);
    }

    #[test]
    fn bad_input_names_the_field() {
        let mut world = World::new();
        let ana = world.person("ana");
        let path = "/v1/accounts/acc_01h2xcejqtf2nbrexx3vqjhp41/teams";
        let answer = world.post(&ana, path, json!({ "name": "" })).expect(400);
        assert_eq!(answer.body["errors"][0]["field"], "name");
        let answer = world
            .post(&ana, path, json!({ "name": "x", "version": 3 }))
            .expect(400);
        assert_eq!(answer.body["errors"][0]["field"], "version");
    }
}
