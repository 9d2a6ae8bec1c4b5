//! `PATCH /v1/accounts/{account}/members/{user}`

use alloc::{boxed::Box, vec::Vec};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{MemberView, PathIds, check_assignable, check_rank, ensure_active_owner};
use crate::{
    operation::{
        Budget, Commit, Context, Example, Facts, IfMatch, Method, Outcome, Parsed, Precondition,
        Problem, ProblemKind, ReadRequest, Reply, Requires, Route, Success, UseCase,
        authority::{AccountRecords, act_on, head_key},
        schema, view,
    },
    record::{EventType, Member, MemberStatus, Record},
    storage::Scope,
    value::{AccountRole, Capability},
};

#[derive(Debug)]
struct UpdateMember {
    ids: PathIds,
    if_match: IfMatch,
    input: Input,
}

/// A change of a member. Members of the body that are left out stay as they are.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MemberChange")]
struct Input {
    role: Option<AccountRole>,
    status: Option<NewStatus>,
}

/// The states that a membership can be set to.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "NewMemberStatus")]
enum NewStatus {
    Active,
    Suspended,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Patch,
    "/v1/accounts/{account}/members/{user}",
    "update_member",
    "Change the role of a member, suspend or reinstate a member",
    parse,
)
.describes(
    "A suspended member has no access until the status is `active` again. Members cannot be \
     given a role above the caller's.",
)
.requires(Requires::HigherRole(Capability::MemberManage))
.budget(Budget::ORDERED_WRITE)
.takes(schema::<Input>, r#"{ "role": "member" }"#)
.precondition(Precondition::Required)
.answers(&[Success::ok(
    schema::<MemberView>,
    Example::Text(super::EXAMPLE),
)])
.refuses(&[
    (
        ProblemKind::Escalation,
        "the member's role is not below the caller's, or the new role is above it",
    ),
    (
        ProblemKind::LastOwner,
        "the account would have no active owner",
    ),
]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(UpdateMember {
        input: request.body()?,
        if_match: request.if_match()?,
        ids: PathIds::parse(request)?,
    }))
}

impl Input {
    fn applied_to(&self, member: &Member) -> Member {
        let status = self.status.map(|status| match status {
            NewStatus::Active => MemberStatus::Active,
            NewStatus::Suspended => MemberStatus::Suspended,
        });
        Member {
            role: self.role.unwrap_or(member.role),
            status: status.unwrap_or(member.status),
            ..member.clone()
        }
    }
}

fn reply(member: &Record<Member>) -> Reply {
    view::shown(member, &MemberView::from(member))
}

impl UseCase for UpdateMember {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(self.ids.reads_to_change(context, facts))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let account = self.ids.account;
        let records = AccountRecords::load(facts, account, context.user())?;
        let access = records.access();
        let (permit, member) = act_on(
            access.effective().has(Capability::MemberView),
            access.permit(account, Capability::MemberManage),
            self.ids.load(facts)?,
        )?;
        let body = self.input.applied_to(&member.body);
        check_rank(&access, &member)?;
        check_assignable(&access, body.role)?;
        self.if_match.require(&member.etag())?;
        if body == member.body {
            return Ok(Outcome::Reply(reply(&member)));
        }
        let head = facts.record(&head_key(self.ids.scope()))?;
        let mut commit = Commit::open(context, permit, head)?;
        let account = records.account.as_ref().ok_or_else(Problem::not_found)?;
        ensure_active_owner(&mut commit, account, member.id, &body)?;
        let member = commit.update(&member, body);
        commit.finish(EventType::MemberUpdated, reply(&member))
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.ids.scope())
    }
}

#[cfg(test)]
mod tests {
    use alloc::{collections::BTreeSet, format, string::String};

    use serde_json::json;

    use super::*;
    use crate::{
        testing::{Fixture, Person},
        value::{AccountId, UserId},
    };

    /// Ana owns an account with Ben as a member in this role. Returns a function for a member's
    /// path.
    fn account_with(role: AccountRole) -> (Fixture, Person, Person, impl Fn(&Person) -> String) {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, role);
        let path = move |person: &Person| format!("/v1/accounts/{account}/members/{}", person.id());
        (fixture, ana, ben, path)
    }

    fn owners(fixture: &Fixture, path: &str) -> BTreeSet<UserId> {
        let account: AccountId = path.split('/').nth(3).unwrap().parse().unwrap();
        let key = Scope::Account(account).key(crate::storage::Sort::account());
        let account = fixture.record::<crate::record::Account>(&key).unwrap();
        account.body.owners
    }

    #[test]
    fn owner_raises_and_lowers_roles() {
        let (mut fixture, ana, ben, path) = account_with(AccountRole::Member);
        let raised = fixture
            .patch(&ana, &path(&ben), json!({ "role": "owner" }))
            .expect(200);
        assert_eq!(fixture.rounds, 2);
        assert_eq!(raised.body["role"], "owner");
        assert_eq!(raised.body["version"], 2);
        assert_eq!(
            owners(&fixture, &path(&ben)),
            BTreeSet::from([ana.actor.user, ben.actor.user])
        );
        fixture
            .patch(&ben, &path(&ana), json!({ "role": "guest" }))
            .expect(200);
        assert_eq!(
            owners(&fixture, &path(&ben)),
            BTreeSet::from([ben.actor.user])
        );
        fixture.get(&ana, &path(&ben)).expect(403);
    }

    #[test]
    fn member_update_without_change_writes_nothing() {
        let (mut fixture, ana, ben, path) = account_with(AccountRole::Member);
        let before = fixture.dump();
        for body in [json!({}), json!({ "role": "member", "status": "active" })] {
            let same = fixture.patch(&ana, &path(&ben), body).expect(200);
            assert_eq!(same.body["version"], 1);
        }
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn member_cannot_change_members() {
        let (mut fixture, ana, ben, path) = account_with(AccountRole::Member);
        let before = fixture.dump();
        for target in [&ana, &ben] {
            let refused = fixture.patch(&ben, &path(target), json!({ "role": "guest" }));
            assert_eq!(refused.expect(403).body["missing"][0], "member.manage");
        }
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn outsider_finds_no_member_to_change() {
        let (mut fixture, ana, _, path) = account_with(AccountRole::Member);
        let eve = fixture.person("eve");
        let before = fixture.dump();
        fixture
            .patch(&eve, &path(&ana), json!({ "role": "guest" }))
            .expect_problem("not-found");
        fixture
            .patch(&ana, &path(&eve), json!({ "role": "owner" }))
            .expect_problem("not-found");
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn admin_gives_no_higher_role_and_changes_no_equal() {
        let (mut fixture, ana, ben, path) = account_with(AccountRole::Admin);
        let account = path(&ben).split('/').nth(3).map(String::from).unwrap();
        let [cyd, dan] = ["cyd", "dan"].map(|name| fixture.person(name));
        fixture.join(&account, &cyd, AccountRole::Member);
        fixture.join(&account, &dan, AccountRole::Admin);
        let before = fixture.dump();
        for (target, body) in [
            (&cyd, json!({ "role": "owner" })),
            (&ben, json!({ "role": "owner" })),
            (&dan, json!({ "role": "member" })),
            (&dan, json!({ "status": "suspended" })),
            (&ana, json!({ "role": "admin" })),
        ] {
            let refused = fixture
                .patch(&ben, &path(target), body)
                .expect_problem("escalation");
            let missing = refused.body["missing"].as_array().unwrap();
            assert!(missing.contains(&json!("account.delete")), "{missing:?}");
            assert!(missing.contains(&json!("project.delete")), "{missing:?}");
        }
        assert_eq!(fixture.dump(), before);
        fixture
            .patch(&ben, &path(&cyd), json!({ "role": "admin" }))
            .expect(200);
        fixture
            .patch(&ben, &path(&ben), json!({ "role": "guest" }))
            .expect(200);
    }

    #[test]
    fn case_36_suspended_member_sees_nothing_until_reinstated() {
        let (mut fixture, ana, ben, path) = account_with(AccountRole::Admin);
        let suspended = json!({ "status": "suspended" });
        let answer = fixture.patch(&ana, &path(&ben), suspended).expect(200);
        assert_eq!(answer.body["status"], "suspended");
        fixture.get(&ben, &path(&ben)).expect_problem("not-found");
        let active = json!({ "status": "active" });
        fixture
            .patch(&ben, &path(&ben), active.clone())
            .expect_problem("not-found");
        fixture
            .delete(&ben, &path(&ben))
            .expect_problem("not-found");
        fixture.patch(&ana, &path(&ben), active).expect(200);
        fixture.get(&ben, &path(&ben)).expect(200);
    }

    #[test]
    fn case_30_last_owner_is_neither_demoted_nor_suspended() {
        let (mut fixture, ana, ben, path) = account_with(AccountRole::Owner);
        fixture
            .patch(&ben, &path(&ana), json!({ "status": "suspended" }))
            .expect(200);
        assert_eq!(
            owners(&fixture, &path(&ana)),
            BTreeSet::from([ben.actor.user])
        );
        let before = fixture.dump();
        for body in [json!({ "role": "admin" }), json!({ "status": "suspended" })] {
            fixture
                .patch(&ben, &path(&ben), body)
                .expect_problem("last-owner");
        }
        assert_eq!(fixture.dump(), before);
        fixture
            .patch(&ben, &path(&ana), json!({ "status": "active" }))
            .expect(200);
        fixture
            .patch(&ben, &path(&ben), json!({ "role": "admin" }))
            .expect(200);
        assert_eq!(
            owners(&fixture, &path(&ana)),
            BTreeSet::from([ana.actor.user])
        );
    }

    #[test]
    fn case_30_two_owners_demoting_each_other_leave_one() {
        let (mut fixture, ana, ben, path) = account_with(AccountRole::Owner);
        let account = path(&ana).split('/').nth(3).unwrap().parse().unwrap();
        let demote = |person: &Person| UpdateMember {
            ids: PathIds {
                account,
                user: person.actor.user,
            },
            if_match: IfMatch::Any,
            input: Input {
                role: Some(AccountRole::Member),
                status: None,
            },
        };
        let decided = [(&ana, &ben), (&ben, &ana)]
            .map(|(actor, target)| fixture.decide(actor, &demote(target), None).unwrap());
        let [Outcome::Commit(first, _), Outcome::Commit(second, _)] = decided else {
            panic!("both decide to commit")
        };
        fixture.commit(&first);
        let before = fixture.dump();
        assert!(fixture.try_commit(&second).is_err());
        assert_eq!(
            fixture.dump(),
            before,
            "case 54: the refused batch left nothing"
        );
        let again = fixture.decide(&ben, &demote(&ana), None).unwrap_err();
        assert_eq!(again.kind, ProblemKind::Forbidden);
        let again = fixture.decide(&ana, &demote(&ana), None).unwrap_err();
        assert_eq!(again.kind, ProblemKind::LastOwner);
        assert_eq!(
            owners(&fixture, &path(&ana)),
            BTreeSet::from([ana.actor.user])
        );
    }

    #[test]
    fn case_51_one_of_two_concurrent_member_updates_wins() {
        let (mut fixture, ana, ben, path) = account_with(AccountRole::Member);
        let etag = fixture.get(&ana, &path(&ben)).expect(200).etag.unwrap();
        let mut change = |role: &str| {
            let headers = [("if-match", etag.as_str())];
            let body = json!({ "role": role });
            fixture.send(&ana, "PATCH", &path(&ben), &headers, Some(body))
        };
        let first = change("guest").expect(200);
        assert_ne!(first.etag.as_ref(), Some(&etag));
        change("admin").expect_problem("precondition-failed");
        let role = fixture.get(&ana, &path(&ben)).expect(200).body["role"].clone();
        assert_eq!(role, "guest");
        fixture
            .send(
                &ana,
                "PATCH",
                &path(&ben),
                &[],
                Some(json!({ "role": "admin" })),
            )
            .expect_problem("precondition-required");
    }

    #[test]
    fn case_26_member_update_accepts_only_role_and_status() {
        let (mut fixture, ana, ben, path) = account_with(AccountRole::Member);
        let before = fixture.dump();
        for (body, field) in [
            (json!({ "account_id": "x" }), "account_id"),
            (json!({ "membership_id": "x" }), "membership_id"),
            (json!({ "version": 7 }), "version"),
            (json!({ "role": "emperor" }), "role"),
            (json!({ "status": "removed" }), "status"),
        ] {
            let answer = fixture.patch(&ana, &path(&ben), body).expect(400);
            assert_eq!(answer.body["errors"][0]["field"], field);
        }
        assert_eq!(fixture.dump(), before);
    }
}
