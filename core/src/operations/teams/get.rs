//! `GET /v1/accounts/{account}/teams/{team}`

use alloc::{boxed::Box, vec::Vec};

use super::{PathIds, TeamView};
use crate::{
    operation::{
        Budget, Context, Example, Facts, Method, Outcome, Parsed, Problem, ReadRequest, Requires,
        Route, Success, UseCase, authority::AccountRecords, schema, view,
    },
    value::Capability,
};

#[derive(Debug)]
struct GetTeam(PathIds);

pub(super) const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/accounts/{account}/teams/{team}",
    "get_team",
    "Show a team",
    parse,
)
.describes("Answers the name of the team. Another operation lists its members.")
.requires(Requires::TeamMember(Capability::TeamView))
.budget(Budget::READ)
.answers(&[Success::ok(
    schema::<TeamView>,
    Example::Text(super::EXAMPLE),
)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(GetTeam(PathIds::parse(request)?)))
}

impl UseCase for GetTeam {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(self.0.reads(context))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let records = AccountRecords::load(facts, self.0.account, context.user())?;
        let team = self.0.show(&records.access(), facts)?;
        Ok(Outcome::Reply(view::shown(&team, &TeamView::from(&team))))
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use crate::{testing::Fixture, value::AccountRole};

    #[test]
    fn team_is_shown_to_members() {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Member);
        let team = fixture.team(&ana, &account);
        let path = format!("/v1/accounts/{account}/teams/{team}");
        let shown = fixture.get(&ben, &path).expect(200);
        assert_eq!(fixture.rounds, 1);
        assert_eq!(shown.id(), team);
        assert_eq!(shown.text("account_id"), account);
        assert!(shown.etag.is_some());
        for hidden in ["may_own", "retiring"] {
            assert!(shown.body.get(hidden).is_none(), "{hidden}");
        }
    }

    #[test]
    fn guest_sees_own_teams() {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Guest);
        let path = format!(
            "/v1/accounts/{account}/teams/{}",
            fixture.team(&ana, &account)
        );
        let refused = fixture.get(&ben, &path).expect(403);
        assert_eq!(refused.body["missing"], json!(["team.view"]));
        let row = format!("{path}/members/{}", ben.id());
        fixture
            .put(&ana, &row, json!({ "role": "member" }))
            .expect(201);
        fixture.get(&ben, &path).expect(200);
    }

    #[test]
    fn case_17_and_18_team_of_another_account_is_not_found() {
        let mut fixture = Fixture::new();
        let (ana, eve) = (fixture.person("ana"), fixture.person("eve"));
        let (account, other) = (fixture.account(&ana), fixture.account(&eve));
        let team = fixture.team(&ana, &account);
        for account in [account, other] {
            let path = format!("/v1/accounts/{account}/teams/{team}");
            fixture.get(&eve, &path).expect_problem("not-found");
        }
    }

    #[test]
    fn case_24_team_id_with_key_characters_is_not_found() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let account = fixture.account(&ana);
        let team = fixture.team(&ana, &account);
        for id in [
            format!("{team}#"),
            format!("{team}\0"),
            ana.id(),
            "TEAM#".into(),
        ] {
            let path = format!("/v1/accounts/{account}/teams/{id}");
            fixture.get(&ana, &path).expect_problem("not-found");
        }
    }
}
