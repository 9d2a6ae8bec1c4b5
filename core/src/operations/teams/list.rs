//! `GET /v1/accounts/{account}/teams`

use alloc::{boxed::Box, vec::Vec};

use super::TeamView;
use crate::{
    operation::{
        Budget, Context, Example, Facts, Listing, Method, Outcome, PAGE, PageRequest, Parsed,
        Problem, ReadRequest, Requires, Route, Success, UseCase, authority::AccountRecords, schema,
        view::ListView,
    },
    storage::IndexRows,
    value::{AccountId, Capability},
};

#[derive(Debug)]
struct ListTeams {
    account: AccountId,
    page: PageRequest,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/accounts/{account}/teams",
    "list_teams",
    "List the teams of an account",
    parse,
)
.describes("Oldest first.")
.requires(Requires::Account(Capability::TeamView))
.budget(Budget::CHECKED_LIST)
.query(&PAGE)
.answers(&[Success::ok(
    schema::<ListView<TeamView>>,
    Example::Page(super::EXAMPLE),
)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(ListTeams {
        page: request.page("")?,
        account: request.path("account")?,
    }))
}

impl ListTeams {
    fn listing(&self, context: &Context<'_>) -> Result<Listing<'_>, Problem> {
        let rows = IndexRows::teams_of_account(self.account);
        Listing::new(context, &self.page, rows)
    }

    fn authorise(&self, context: &Context<'_>, facts: &Facts) -> Result<(), Problem> {
        let records = AccountRecords::load(facts, self.account, context.user())?;
        let access = records.access();
        access.permit(self.account, Capability::TeamView)?;
        Ok(())
    }
}

impl UseCase for ListTeams {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let listing = self.listing(context)?;
        let first = AccountRecords::reads(self.account, context.user());
        if !facts.has_all(&first) {
            return Ok(first);
        }
        self.authorise(context, facts)?;
        Ok(listing.reads(facts)?)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        self.authorise(context, facts)?;
        let listing = self.listing(context)?;
        let teams = listing.rows(facts)?;
        let items: Vec<TeamView> = teams.iter().map(TeamView::from).collect();
        Ok(Outcome::Reply(listing.reply(context, facts, items)?))
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use core::time::Duration;

    use serde_json::json;

    use crate::{testing::Fixture, value::AccountRole};

    #[test]
    fn team_list_is_sorted_by_age_and_omits_deleted_teams() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let account = fixture.account(&ana);
        let teams = [0, 1, 2, 3].map(|_| {
            fixture.pass(Duration::from_secs(1));
            fixture.team(&ana, &account)
        });
        let path = format!("/v1/accounts/{account}/teams");
        fixture
            .delete(&ana, &format!("{path}/{}", teams[1]))
            .expect(204);
        let page = fixture
            .get(&ana, &format!("{path}?limit=2"))
            .expect(200)
            .body;
        assert_eq!(fixture.rounds, 3);
        assert_eq!(page["items"][0]["id"], teams[0]);
        assert_eq!(page["items"][1]["id"], teams[2]);
        let cursor = page["next_cursor"].as_str().unwrap();
        let path = format!("{path}?limit=2&cursor={cursor}");
        let page = fixture.get(&ana, &path).expect(200).body;
        assert_eq!(page["items"].as_array().unwrap().len(), 1);
        assert_eq!(page["items"][0]["id"], teams[3]);
        assert_eq!(page["next_cursor"], json!(null));
    }

    #[test]
    fn team_list_is_refused_without_team_view() {
        let mut fixture = Fixture::new();
        let [ana, ben, eve] = ["ana", "ben", "eve"].map(|name| fixture.person(name));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Guest);
        let path = format!("/v1/accounts/{account}/teams");
        let refused = fixture.get(&ben, &path).expect(403);
        assert_eq!(refused.body["missing"], json!(["team.view"]));
        fixture.get(&eve, &path).expect_problem("not-found");
    }
}
