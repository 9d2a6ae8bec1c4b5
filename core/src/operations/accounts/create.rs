//! `POST /v1/accounts`

use alloc::{boxed::Box, vec, vec::Vec};

use schemars::JsonSchema;
use serde::Deserialize;

use super::AccountView;
use crate::{
    operation::{
        Budget, Commit, Context, Example, Facts, Method, Outcome, Parsed, Problem, ProblemKind,
        ReadRequest, Reply, Route, Success, UseCase,
        authority::{AccountRecords, head_key},
        schema, view,
    },
    permission::Permit,
    record::{Account, AccountKind, EventType, Head, Member, MemberStatus, Record},
    storage::{Key, Scope},
    value::{AccountId, AccountRole, Capability, Name, id::Id},
};

#[derive(Debug)]
struct CreateAccount {
    input: Input,
}

/// An account to create.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewAccount")]
struct Input {
    name: Name,
    kind: AccountKind,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/accounts",
    "create_account",
    "Create an account",
    parse,
)
.describes("The caller becomes its owner.")
.budget(Budget::WRITE)
.takes(
    schema::<Input>,
    r#"{ "name": "Atelier Nord", "kind": "organisation" }"#,
)
.answers(&[Success::created(
    schema::<AccountView>,
    Example::Text(super::EXAMPLE),
)])
.refuses(&[(
    ProblemKind::Conflict,
    "the `Idempotency-Key` created an account more than a day ago",
)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(CreateAccount {
        input: request.body()?,
    }))
}

fn new_id(context: &Context<'_>) -> AccountId {
    AccountId::from_ulid(context.new_scope_ulid())
}

fn reply(account: &Record<Account>) -> Reply {
    view::created(account, &AccountView::from(account))
}

impl UseCase for CreateAccount {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let id = new_id(context);
        let mut reads = vec![ReadRequest::Get(head_key(Scope::Account(id)))];
        // Only a repetition checks access: a new account has no members yet.
        if context.idempotency.is_some() {
            reads.extend(AccountRecords::reads(id, context.user()));
        }
        Ok(reads)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (id, user) = (new_id(context), context.user());
        let head = facts.record::<Head>(&head_key(Scope::Account(id)))?;
        // The id follows from the key, so an expired key still leads to the first account.
        if head.is_some() {
            return Err(Problem::conflict(
                "this `Idempotency-Key` made an account more than a day ago; send a new key",
            ));
        }
        let mut commit = Commit::open(context, Permit::new_account(&context.actor, id), None)?;
        let account = Account::new(self.input.name.clone(), self.input.kind, user);
        let account = commit.create(id, account);
        let owner = Member {
            account_id: id,
            membership_id: context.env.id("membership"),
            role: AccountRole::Owner,
            status: MemberStatus::Active,
            invitation_id: None,
        };
        commit.create(user, owner);
        commit.finish(EventType::AccountCreated, reply(&account))
    }

    fn writes(&self, context: &Context<'_>) -> Option<Scope> {
        Some(Scope::Account(new_id(context)))
    }

    fn replay(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        records: &[Key],
    ) -> Result<Reply, Problem> {
        let id = new_id(context);
        let account = AccountRecords::load(facts, id, context.user())?;
        account.access().permit(id, Capability::AccountView)?;
        Ok(reply(&view::replayed(facts, records, 0)?))
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use crate::{operation::commit::IDEMPOTENCY_RETENTION, testing::Fixture};

    #[test]
    fn account_creator_becomes_owner() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let body = json!({ "name": "Acme", "kind": "consulting" });
        let made = fixture.post(&ana, "/v1/accounts", body).expect(201);
        assert_eq!(fixture.rounds, 1);
        assert_eq!(made.body["name"], "Acme");
        assert_eq!(made.body["kind"], "consulting");
        assert_eq!(made.body["status"], "active");
        assert_eq!(made.body["created_by"], ana.id());
        assert!(made.etag.is_some());
        assert!(made.body.get("owners").is_none() && made.body.get("retired_teams").is_none());
        let path = format!("/v1/accounts/{}/teams", made.id());
        fixture
            .post(&ana, &path, json!({ "name": "Review" }))
            .expect(201);
    }

    #[test]
    fn account_create_names_wrong_fields_and_changes_nothing() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let before = fixture.dump();
        for (body, field) in [
            (json!({ "kind": "personal" }), "name"),
            (json!({ "name": " ", "kind": "personal" }), "name"),
            (json!({ "name": "Acme" }), "kind"),
            (json!({ "name": "Acme", "kind": "club" }), "kind"),
        ] {
            let answer = fixture.post(&ana, "/v1/accounts", body).expect(400);
            assert_eq!(answer.body["errors"][0]["field"], field);
        }
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn case_26_account_create_refuses_server_fields() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let before = fixture.dump();
        for field in [
            "id",
            "status",
            "owners",
            "version",
            "created_by",
            "account_id",
        ] {
            let mut body = json!({ "name": "Acme", "kind": "personal" });
            body[field] = json!("x");
            let answer = fixture.post(&ana, "/v1/accounts", body).expect(400);
            assert_eq!(answer.body["errors"][0]["field"], field);
        }
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn account_create_repeated_answers_the_first_account() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let mut create = |name: &str| {
            let headers = [("idempotency-key", "k1")];
            let body = json!({ "name": name, "kind": "personal" });
            let answer = fixture.send(&ana, "POST", "/v1/accounts", &headers, Some(body));
            (answer, fixture.dump())
        };
        let (first, stored) = create("Acme");
        let (again, stored_then) = create("Acme");
        assert_eq!(again.expect(201).body, first.expect(201).body);
        assert_eq!(stored_then, stored);
        create("Other").0.expect_problem("idempotency-mismatch");
    }

    #[test]
    fn expired_key_does_not_write_into_the_first_account() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let headers = [("idempotency-key", "k1")];
        let body = json!({ "name": "Acme", "kind": "personal" });
        fixture.send(&ana, "POST", "/v1/accounts", &headers, Some(body.clone()));
        fixture.pass(IDEMPOTENCY_RETENTION);
        fixture.collect_garbage();
        let before = fixture.dump();
        fixture
            .send(&ana, "POST", "/v1/accounts", &headers, Some(body))
            .expect_problem("conflict");
        assert_eq!(fixture.dump(), before);
    }
}
