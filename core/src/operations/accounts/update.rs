//! `PATCH /v1/accounts/{account}`

use alloc::{boxed::Box, vec::Vec};

use schemars::JsonSchema;
use serde::Deserialize;

use super::AccountView;
use crate::{
    operation::{
        Budget, Commit, Context, Example, Facts, IfMatch, Method, Outcome, Parsed, Precondition,
        Problem, ReadRequest, Requires, Route, Success, UseCase,
        authority::{AccountRecords, head_key},
        schema, view,
    },
    record::{Account, EventType},
    storage::Scope,
    value::{AccountId, Capability, Name},
};

#[derive(Debug)]
struct UpdateAccount {
    account: AccountId,
    if_match: IfMatch,
    input: Input,
}

/// A change of an account.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AccountChange")]
struct Input {
    name: Name,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Patch,
    "/v1/accounts/{account}",
    "update_account",
    "Rename an account",
    parse,
)
.describes("Changes the name. The id and the kind stay as they are.")
.requires(Requires::Account(Capability::AccountEdit))
.budget(Budget::WRITE)
.takes(schema::<Input>, r#"{ "name": "Atelier Nord" }"#)
.precondition(Precondition::Required)
.answers(&[Success::ok(
    schema::<AccountView>,
    Example::Text(super::EXAMPLE),
)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(UpdateAccount {
        input: request.body()?,
        if_match: request.if_match()?,
        account: request.path("account")?,
    }))
}

impl UseCase for UpdateAccount {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let mut reads = AccountRecords::reads(self.account, context.user());
        reads.push(ReadRequest::Get(head_key(Scope::Account(self.account))));
        Ok(reads)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let records = AccountRecords::load(facts, self.account, context.user())?;
        let access = records.access();
        let permit = access.permit(self.account, Capability::AccountEdit)?;
        let account = records.account.ok_or_else(Problem::not_found)?;
        self.if_match.require(&account.etag())?;
        let head = facts.record(&head_key(Scope::Account(self.account)))?;
        let mut commit = Commit::open(context, permit, head)?;
        let body = Account {
            name: self.input.name.clone(),
            ..account.body.clone()
        };
        let account = commit.update(&account, body);
        let reply = view::shown(&account, &AccountView::from(&account));
        commit.finish(EventType::AccountUpdated, reply)
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
    fn admin_renames_account() {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Admin);
        let path = format!("/v1/accounts/{account}");
        let renamed = fixture
            .patch(&ben, &path, json!({ "name": "Apex" }))
            .expect(200);
        assert_eq!(fixture.rounds, 1);
        assert_eq!(renamed.body["name"], "Apex");
        assert_eq!(renamed.body["version"], 2);
        assert_eq!(renamed.body["updated_by"], ben.id());
        let shown = fixture.get(&ana, &path).expect(200);
        assert_eq!((shown.body, shown.etag), (renamed.body, renamed.etag));
    }

    #[test]
    fn account_update_refuses_callers_without_permission() {
        let mut fixture = Fixture::new();
        let [ana, ben, eve] = ["ana", "ben", "eve"].map(|name| fixture.person(name));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Member);
        let path = format!("/v1/accounts/{account}");
        let before = fixture.dump();
        let refused = fixture
            .patch(&ben, &path, json!({ "name": "Apex" }))
            .expect(403);
        assert_eq!(refused.body["missing"], json!(["account.edit"]));
        fixture
            .patch(&eve, &path, json!({ "name": "Apex" }))
            .expect_problem("not-found");
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn case_26_account_update_accepts_only_the_name() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let path = format!("/v1/accounts/{}", fixture.account(&ana));
        let before = fixture.dump();
        for field in ["kind", "status", "owners", "id", "version", "updated_by"] {
            let mut body = json!({ "name": "Apex" });
            body[field] = json!("x");
            let answer = fixture.patch(&ana, &path, body).expect(400);
            assert_eq!(answer.body["errors"][0]["field"], field);
        }
        let answer = fixture
            .patch(&ana, &path, json!({ "name": "a\nb" }))
            .expect(400);
        assert_eq!(answer.body["errors"][0]["field"], "name");
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn case_51_one_of_two_concurrent_account_updates_wins() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let path = format!("/v1/accounts/{}", fixture.account(&ana));
        let etag = fixture.get(&ana, &path).expect(200).etag.unwrap();
        let mut rename = |name: &str, headers: &[(&str, &str)]| {
            fixture.send(&ana, "PATCH", &path, headers, Some(json!({ "name": name })))
        };
        rename("One", &[("if-match", &etag)]).expect(200);
        rename("Two", &[("if-match", &etag)]).expect_problem("precondition-failed");
        rename("Two", &[]).expect_problem("precondition-required");
        let malformed = rename("Two", &[("if-match", "no quotes")]).expect(400);
        assert_eq!(malformed.body["errors"][0]["field"], "If-Match");
        assert_eq!(fixture.get(&ana, &path).body["name"], "One");
    }
}
