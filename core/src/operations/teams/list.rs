//! `GET /v1/accounts/{account}/teams`

use alloc::boxed::Box;

use super::TeamView;
use crate::{
    operation::{
        Budget, Example, Method, PAGE, Parsed, Problem, Requires, Route, Success, UseCase, schema,
        view::ListView,
    },
    operations::accounts::listing::Listing,
    record::Team,
    storage::IndexRows,
    value::Capability,
};

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
    Listing::<Team, TeamView>::parse(request, IndexRows::teams_of_account, Capability::TeamView)
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
