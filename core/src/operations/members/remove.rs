//! `DELETE /v1/accounts/{account}/members/{user}`

use alloc::{boxed::Box, vec::Vec};

use super::{PathIds, check_rank, ensure_active_owner};
use crate::{
    operation::{
        Budget, Commit, Context, Facts, IfMatch, Method, Outcome, Parsed, Precondition, Problem,
        ProblemKind, ReadRequest, Reply, Requires, Route, Success, UseCase,
        authority::{AccountRecords, act_on, head_key},
    },
    permission::{AccountAccess, Permit},
    record::{EventType, Member, MemberStatus, Record},
    storage::Scope,
    value::Capability,
};

/// The member's grants and team rows name the membership that ends here. So they have no effect
/// after this commit.
#[derive(Debug)]
struct RemoveMember {
    ids: PathIds,
    if_match: IfMatch,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Delete,
    "/v1/accounts/{account}/members/{user}",
    "remove_member",
    "Remove a member, or leave the account",
    parse,
)
.describes(
    "Grants and team memberships of the removed person \
     confer nothing from then on, even if the person joins again.",
)
.requires(Requires::HigherRole(Capability::MemberManage))
.unless("callers remove themselves")
.budget(Budget::ORDERED_WRITE)
.precondition(Precondition::Optional)
.answers(&[Success::NO_CONTENT])
.refuses(&[
    (
        ProblemKind::Escalation,
        "the member's role is not below the caller's",
    ),
    (
        ProblemKind::LastOwner,
        "the account would have no active owner",
    ),
]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    request.no_body()?;
    Ok(Box::new(RemoveMember {
        if_match: request.if_match()?,
        ids: PathIds::parse(request)?,
    }))
}

impl RemoveMember {
    fn permit(
        &self,
        access: &AccountAccess<'_>,
        member: Option<Record<Member>>,
    ) -> Result<(Permit, Record<Member>), Problem> {
        let leaving = self.ids.user == access.user;
        let permit = if leaving {
            access.permit_leaving(self.ids.account)
        } else {
            access.permit(self.ids.account, Capability::MemberManage)
        };
        let sees = access.effective().has(Capability::MemberView);
        let (permit, member) = act_on(sees, permit, member)?;
        check_rank(access, &member)?;
        Ok((permit, member))
    }
}

impl UseCase for RemoveMember {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(self.ids.reads_to_change(context, facts))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let records = AccountRecords::load(facts, self.ids.account, context.user())?;
        let (permit, member) = self.permit(&records.access(), self.ids.load(facts)?)?;
        self.if_match.check(Some(&member.etag()))?;
        let head = facts.record(&head_key(self.ids.scope()))?;
        let mut commit = Commit::open(context, permit, head)?;
        let body = Member {
            status: MemberStatus::Removed,
            ..member.body.clone()
        };
        let account = records.account.as_ref().ok_or_else(Problem::not_found)?;
        ensure_active_owner(&mut commit, account, member.id, &body)?;
        commit.update(&member, body);
        commit.finish(EventType::MemberRemoved, Reply::no_content())
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.ids.scope())
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String};

    use serde_json::json;

    use crate::{
        testing::{Fixture, Person},
        value::AccountRole,
    };

    fn account_with(role: AccountRole) -> (Fixture, Person, Person, String) {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, role);
        (fixture, ana, ben, account)
    }

    fn path(account: &str, person: &Person) -> String {
        format!("/v1/accounts/{account}/members/{}", person.id())
    }

    #[test]
    fn removed_member_loses_access_at_once() {
        let (mut fixture, ana, ben, account) = account_with(AccountRole::Admin);
        fixture.delete(&ana, &path(&account, &ben)).expect(204);
        assert_eq!(fixture.rounds, 2);
        fixture
            .get(&ana, &path(&account, &ben))
            .expect_problem("not-found");
        fixture
            .get(&ben, &path(&account, &ana))
            .expect_problem("not-found");
        fixture
            .delete(&ana, &path(&account, &ben))
            .expect_problem("not-found");
        let back = json!({ "status": "active" });
        fixture
            .patch(&ana, &path(&account, &ben), back)
            .expect_problem("not-found");
    }

    #[test]
    fn member_may_leave() {
        for role in [AccountRole::Guest, AccountRole::Admin, AccountRole::Owner] {
            let (mut fixture, _, ben, account) = account_with(role);
            fixture.delete(&ben, &path(&account, &ben)).expect(204);
            fixture
                .get(&ben, &path(&account, &ben))
                .expect_problem("not-found");
        }
    }

    #[test]
    fn case_30_last_owner_cannot_leave() {
        let (mut fixture, ana, ben, account) = account_with(AccountRole::Owner);
        fixture.delete(&ana, &path(&account, &ben)).expect(204);
        let before = fixture.dump();
        fixture
            .delete(&ana, &path(&account, &ana))
            .expect_problem("last-owner");
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn member_remove_refuses_callers_without_permission() {
        let (mut fixture, ana, ben, account) = account_with(AccountRole::Admin);
        let [cyd, eve] = ["cyd", "eve"].map(|name| fixture.person(name));
        fixture.join(&account, &cyd, AccountRole::Member);
        let before = fixture.dump();
        let refused = fixture.delete(&cyd, &path(&account, &ben)).expect(403);
        assert_eq!(refused.body["missing"][0], "member.manage");
        fixture
            .delete(&ben, &path(&account, &ana))
            .expect_problem("escalation");
        fixture
            .delete(&eve, &path(&account, &ana))
            .expect_problem("not-found");
        fixture
            .delete(&eve, &path(&account, &eve))
            .expect_problem("not-found");
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn case_51_stale_etag_does_not_remove_member() {
        let (mut fixture, ana, ben, account) = account_with(AccountRole::Member);
        let ben_path = path(&account, &ben);
        let etag = fixture.get(&ana, &ben_path).expect(200).etag.unwrap();
        fixture
            .patch(&ana, &ben_path, json!({ "role": "guest" }))
            .expect(200);
        let headers = [("if-match", etag.as_str())];
        fixture
            .send(&ana, "DELETE", &ben_path, &headers, None)
            .expect_problem("precondition-failed");
        fixture.get(&ana, &ben_path).expect(200);
    }

    #[test]
    fn rejoining_creates_another_membership() {
        let (mut fixture, ana, ben, account) = account_with(AccountRole::Member);
        let first = fixture.get(&ana, &path(&account, &ben)).expect(200);
        fixture.delete(&ben, &path(&account, &ben)).expect(204);
        fixture.join(&account, &ben, AccountRole::Guest);
        let second = fixture.get(&ana, &path(&account, &ben)).expect(200);
        assert_ne!(second.text("membership_id"), first.text("membership_id"));
        assert_eq!(second.body["role"], "guest");
    }
}
