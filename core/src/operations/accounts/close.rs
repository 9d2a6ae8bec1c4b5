//! `DELETE /v1/accounts/{account}`

use alloc::{boxed::Box, vec::Vec};

use crate::{
    operation::{
        Budget, Commit, Context, Facts, IfMatch, Method, Outcome, Parsed, Precondition, Problem,
        ReadRequest, Reply, Requires, Route, Success, UseCase,
        authority::{AccountRecords, head_first, head_key},
    },
    record::{Account, AccountStatus, EventType},
    storage::Scope,
    value::{AccountId, Capability},
};

/// Every decision in the account and its projects reads the account record. So this commit ends all
/// access at once.
#[derive(Debug)]
struct CloseAccount {
    account: AccountId,
    if_match: IfMatch,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Delete,
    "/v1/accounts/{account}",
    "close_account",
    "Close an account for all its members",
    parse,
)
.describes(
    "Afterwards no member has access to the account or to any project in it. There is no \
     operation that opens it again.",
)
.requires(Requires::Account(Capability::AccountDelete))
.budget(Budget::ORDERED_WRITE)
.precondition(Precondition::Optional)
.answers(&[Success::NO_CONTENT]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    request.no_body()?;
    Ok(Box::new(CloseAccount {
        if_match: request.if_match()?,
        account: request.path("account")?,
    }))
}

impl UseCase for CloseAccount {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let rest = AccountRecords::reads(self.account, context.user());
        Ok(head_first(facts, Scope::Account(self.account), rest))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let records = AccountRecords::load(facts, self.account, context.user())?;
        let access = records.access();
        let permit = access.permit(self.account, Capability::AccountDelete)?;
        let account = records.account.ok_or_else(Problem::not_found)?;
        self.if_match.check(Some(&account.etag()))?;
        let head = facts.record(&head_key(Scope::Account(self.account)))?;
        let mut commit = Commit::open(context, permit, head)?;
        let body = Account {
            status: AccountStatus::Closed,
            closed_at: Some(context.env.now),
            ..account.body.clone()
        };
        commit.update(&account, body);
        commit.finish(EventType::AccountClosed, Reply::no_content())
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(Scope::Account(self.account))
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use crate::{testing::Fixture, value::AccountRole};

    #[test]
    fn closed_account_is_not_found() {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Admin);
        let path = format!("/v1/accounts/{account}");
        fixture.delete(&ana, &path).expect(204);
        assert_eq!(fixture.rounds, 2);
        let closed = fixture.dump();
        for person in [&ana, &ben] {
            let members = format!("{path}/members");
            let teams = format!("{path}/teams");
            fixture.get(person, &path).expect_problem("not-found");
            fixture.get(person, &members).expect_problem("not-found");
            fixture.delete(person, &path).expect_problem("not-found");
            let body = json!({ "name": "Again" });
            fixture
                .patch(person, &path, body.clone())
                .expect_problem("not-found");
            fixture
                .post(person, &teams, body)
                .expect_problem("not-found");
        }
        assert_eq!(fixture.dump(), closed);
    }

    #[test]
    fn account_close_requires_owner() {
        let mut fixture = Fixture::new();
        let [ana, ben, eve] = ["ana", "ben", "eve"].map(|name| fixture.person(name));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Admin);
        let path = format!("/v1/accounts/{account}");
        let before = fixture.dump();
        let refused = fixture.delete(&ben, &path).expect(403);
        assert_eq!(refused.body["missing"], json!(["account.delete"]));
        fixture.delete(&eve, &path).expect_problem("not-found");
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn case_51_stale_etag_does_not_close_account() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let path = format!("/v1/accounts/{}", fixture.account(&ana));
        let etag = fixture.get(&ana, &path).expect(200).etag.unwrap();
        fixture
            .patch(&ana, &path, json!({ "name": "Apex" }))
            .expect(200);
        let headers = [("if-match", etag.as_str())];
        let refused = fixture.send(&ana, "DELETE", &path, &headers, None);
        refused.expect_problem("precondition-failed");
        fixture.get(&ana, &path).expect(200);
    }
}
