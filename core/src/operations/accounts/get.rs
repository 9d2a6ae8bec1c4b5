//! `GET /v1/accounts/{account}`

use alloc::{boxed::Box, vec::Vec};

use super::AccountView;
use crate::{
    operation::{
        Budget, Context, Example, Facts, Method, Outcome, Parsed, Problem, ReadRequest, Requires,
        Route, Success, UseCase, authority::AccountRecords, schema, view,
    },
    value::{AccountId, Capability},
};

#[derive(Debug)]
struct GetAccount(AccountId);

pub(super) const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/accounts/{account}",
    "get_account",
    "Show an account",
    parse,
)
.describes("Answers the name, the kind and the status of the account.")
.requires(Requires::Account(Capability::AccountView))
.budget(Budget::READ)
.answers(&[Success::ok(
    schema::<AccountView>,
    Example::Text(super::EXAMPLE),
)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(GetAccount(request.path("account")?)))
}

impl UseCase for GetAccount {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(AccountRecords::reads(self.0, context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let records = AccountRecords::load(facts, self.0, context.user())?;
        records.access().permit(self.0, Capability::AccountView)?;
        let account = records.account.ok_or_else(Problem::not_found)?;
        let reply = view::shown(&account, &AccountView::from(&account));
        Ok(Outcome::Reply(reply))
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use crate::{testing::Fixture, value::AccountRole};

    #[test]
    fn account_is_shown_to_every_member() {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Guest);
        let path = format!("/v1/accounts/{account}");
        let shown = fixture.get(&ben, &path).expect(200);
        assert_eq!(fixture.rounds, 1);
        assert_eq!(shown.id(), account);
        assert_eq!(shown.body["version"], 1);
        assert!(shown.etag.is_some());
        for hidden in ["owners", "retired_teams"] {
            assert!(shown.body.get(hidden).is_none(), "{hidden}");
        }
    }

    #[test]
    fn case_17_foreign_account_is_not_found() {
        let mut fixture = Fixture::new();
        let (ana, eve) = (fixture.person("ana"), fixture.person("eve"));
        let foreign = fixture.account(&ana);
        let none = "acc_01h2xcejqtf2nbrexx3vqjhp41";
        let answers = [&*foreign, none].map(|account| {
            let path = format!("/v1/accounts/{account}");
            let mut body = fixture.get(&eve, &path).expect_problem("not-found").body;
            assert_eq!(fixture.rounds, 1);
            body["request_id"].take();
            body
        });
        assert_eq!(answers[0], answers[1]);
    }

    #[test]
    fn case_24_account_id_with_key_characters_is_not_found() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let account = fixture.account(&ana);
        for suffix in ["#", "#MEMBER", "/", "\0", "%00", "é"] {
            let path = format!("/v1/accounts/{account}{suffix}");
            fixture.get(&ana, &path).expect_problem("not-found");
        }
    }
}
