//! `DELETE /v1/accounts/{account}/teams/{team}`

use alloc::{boxed::Box, format, vec::Vec};

use super::PathIds;
use crate::{
    operation::{
        Budget, Commit, Context, Continuation, Facts, IfMatch, Method, Outcome, Parsed,
        Precondition, Problem, ProblemKind, ReadRequest, Reply, Requires, Route, Success, UseCase,
        authority::{AccountRecords, head_first},
    },
    record::{Account, EventType, RetiredTeam, Team},
    storage::Scope,
    value::Capability,
};

/// The team's grants and memberships have no effect after this commit, because every decision reads
/// the account's list of deleted teams. A job marks the rows and grants later.
#[derive(Debug)]
struct DeleteTeam {
    ids: PathIds,
    if_match: IfMatch,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Delete,
    "/v1/accounts/{account}/teams/{team}",
    "delete_team",
    "Delete a team",
    parse,
)
.describes("Its grants confer nothing from then on. They are marked as revoked shortly afterwards.")
.requires(Requires::Account(Capability::TeamManage))
.budget(Budget::of(5, 1))
.precondition(Precondition::Optional)
.answers(&[Success::NO_CONTENT])
.refuses(&[(ProblemKind::Conflict, "the account has 2,000 deleted teams")]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    request.no_body()?;
    Ok(Box::new(DeleteTeam {
        if_match: request.if_match()?,
        ids: PathIds::parse(request)?,
    }))
}

/// The account with one more deleted team in its list.
fn retire(account: &Account, team: RetiredTeam) -> Result<Account, Problem> {
    let mut account = account.clone();
    if account.retired_teams.len() >= Account::RETIRED_TEAMS {
        let most = Account::RETIRED_TEAMS;
        return Err(Problem::conflict(format!(
            "the account has {most} deleted teams, which is the maximum; rename this team and use it again"
        )));
    }
    account.retired_teams.insert(team);
    Ok(account)
}

impl UseCase for DeleteTeam {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let rest = self.ids.reads(context);
        Ok(head_first(facts, self.ids.scope(), rest))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let records = AccountRecords::load(facts, self.ids.account, context.user())?;
        let (permit, team) = self.ids.manage(&records.access(), facts)?;
        self.if_match.check(Some(&team.etag()))?;
        let account = records.account.ok_or_else(Problem::not_found)?;
        let without = retire(&account.body, RetiredTeam(team.id))?;
        let mut commit = Commit::open(context, permit, facts.record(&self.ids.head())?)?;
        commit.update(&account, without);
        let retiring = Team {
            retiring: true,
            ..team.body.clone()
        };
        let team = commit.update(&team, retiring);
        let reply = Reply {
            finish: Some(Continuation {
                key: team.key(),
                body: None,
            }),
            ..Reply::no_content()
        };
        commit.finish(EventType::TeamDeleted, reply)
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.ids.scope())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use ulid::Ulid;

    use super::*;
    use crate::{
        testing::Fixture,
        value::{AccountRole, TeamId, id::Id},
    };

    #[test]
    fn team_delete_ends_access_in_one_commit() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let account = fixture.account(&ana);
        let team = fixture.team(&ana, &account);
        let path = format!("/v1/accounts/{account}/teams/{team}");
        fixture.delete(&ana, &path).expect(204);
        assert_eq!(fixture.rounds, 2);
        let scope = Scope::Account(account.parse().unwrap());
        let stored = fixture.record::<Account>(&scope.key(crate::storage::Sort::account()));
        assert!(stored.unwrap().body.has_retired(team.parse().unwrap()));
        fixture.get(&ana, &path).expect_problem("not-found");
        fixture.delete(&ana, &path).expect_problem("not-found");
        let rename = json!({ "name": "Again" });
        fixture
            .patch(&ana, &path, rename)
            .expect_problem("not-found");
        let row = format!("{path}/members/{}", ana.id());
        fixture
            .put(&ana, &row, json!({ "role": "lead" }))
            .expect_problem("not-found");
    }

    #[test]
    fn team_delete_refuses_callers_without_permission() {
        let mut fixture = Fixture::new();
        let [ana, ben, eve] = ["ana", "ben", "eve"].map(|name| fixture.person(name));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Member);
        let team = fixture.team(&ana, &account);
        let path = format!("/v1/accounts/{account}/teams/{team}");
        let lead = format!("{path}/members/{}", ben.id());
        fixture
            .put(&ana, &lead, json!({ "role": "lead" }))
            .expect(201);
        let before = fixture.dump();
        let refused = fixture.delete(&ben, &path).expect(403);
        assert_eq!(refused.body["missing"], json!(["team.manage"]));
        fixture.delete(&eve, &path).expect_problem("not-found");
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn case_51_stale_etag_does_not_delete_team() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let account = fixture.account(&ana);
        let path = format!(
            "/v1/accounts/{account}/teams/{}",
            fixture.team(&ana, &account)
        );
        let etag = fixture.get(&ana, &path).expect(200).etag.unwrap();
        fixture
            .patch(&ana, &path, json!({ "name": "Audit" }))
            .expect(200);
        let headers = [("if-match", etag.as_str())];
        let refused = fixture.send(&ana, "DELETE", &path, &headers, None);
        refused.expect_problem("precondition-failed");
        fixture.get(&ana, &path).expect(200);
    }

    #[test]
    fn team_delete_enforces_limit_of_deleted_teams() {
        let team = |number| RetiredTeam(TeamId::from_ulid(Ulid::from_parts(1, number)));
        let (name, kind) = (
            "Acme".parse().unwrap(),
            crate::record::AccountKind::Personal,
        );
        let mut account = Account::new(name, kind, crate::value::UserId::from_ulid(Ulid::nil()));
        for number in 0..Account::RETIRED_TEAMS {
            account = retire(&account, team(number as u128)).unwrap();
        }
        let refused = retire(&account, team(u128::MAX)).unwrap_err();
        assert_eq!(refused.kind.status(), 409);
    }
}
