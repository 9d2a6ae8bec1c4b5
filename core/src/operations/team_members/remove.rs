//! `DELETE /v1/accounts/{account}/teams/{team}/members/{user}`

use alloc::{boxed::Box, vec::Vec};

use super::{PathIds, check_lead};
use crate::{
    operation::{
        Budget, Commit, Context, Facts, IfMatch, Method, Outcome, Parsed, Precondition, Problem,
        ProblemKind, ReadRequest, Reply, Requires, Route, Success, UseCase,
        authority::{AccountRecords, act_on},
    },
    record::EventType,
    storage::Scope,
    value::Capability,
};

#[derive(Debug)]
struct RemoveTeamMember {
    ids: PathIds,
    if_match: IfMatch,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Delete,
    "/v1/accounts/{account}/teams/{team}/members/{user}",
    "remove_team_member",
    "Remove a member from a team, or leave the team",
    parse,
)
.describes("The person loses at once what grants to the team give.")
.requires(Requires::TeamLead(Capability::TeamManage))
.unless("callers remove themselves")
.budget(Budget::ORDERED_WRITE)
.precondition(Precondition::Optional)
.answers(&[Success::NO_CONTENT])
.refuses(&[(
    ProblemKind::Forbidden,
    "a lead without `team.manage` removes another lead",
)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    request.no_body()?;
    Ok(Box::new(RemoveTeamMember {
        if_match: request.if_match()?,
        ids: PathIds::parse(request)?,
    }))
}

impl UseCase for RemoveTeamMember {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(self.ids.reads_to_change(context, facts))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let PathIds { team, user } = &self.ids;
        let records = AccountRecords::load(facts, team.account, context.user())?;
        let access = records.access();
        let leaving = *user == context.user() && access.team_role(team.team).is_some();
        let permit = if leaving {
            access.permit_leaving(team.account)
        } else {
            access.permit_team(team.account, team.team)
        };
        let row = team.load(facts)?.and(self.ids.load(facts)?);
        let (permit, row) = act_on(team.is_seen_by(&access), permit, row)?;
        check_lead(&access, *user, &[row.body.role])?;
        self.if_match.check(Some(&row.etag()))?;
        let mut commit = Commit::open(context, permit, facts.record(&team.head())?)?;
        commit.delete(&row);
        commit.finish(EventType::TeamMemberRemoved, Reply::no_content())
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.ids.team.scope())
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

    /// Ana owns a team with these people in these roles. Returns the path of its members.
    fn team_with<const N: usize>(
        people: [(&str, &str); N],
    ) -> (Fixture, Person, [Person; N], String) {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let account = fixture.account(&ana);
        let team = fixture.team(&ana, &account);
        let path = format!("/v1/accounts/{account}/teams/{team}/members");
        let people = people.map(|(name, role)| {
            let person = fixture.person(name);
            fixture.join(&account, &person, AccountRole::Guest);
            let row = format!("{path}/{}", person.id());
            fixture.put(&ana, &row, json!({ "role": role })).expect(201);
            person
        });
        (fixture, ana, people, path)
    }

    #[test]
    fn case_31_removed_team_member_is_refused_at_once() {
        let people = [("ben", "lead"), ("cyd", "member")];
        let (mut fixture, ana, [ben, cyd], path) = team_with(people);
        let row = format!("{path}/{}", ben.id());
        fixture.get(&ben, &path).expect(200);
        fixture.delete(&ana, &row).expect(204);
        assert_eq!(fixture.rounds, 2);
        let removed = fixture.dump();
        fixture.get(&ben, &path).expect(403);
        fixture
            .delete(&ben, &format!("{path}/{}", cyd.id()))
            .expect(403);
        fixture.get(&ana, &row).expect_problem("not-found");
        fixture.delete(&ana, &row).expect_problem("not-found");
        assert_eq!(fixture.dump(), removed);
        let again = fixture
            .put(&ana, &row, json!({ "role": "member" }))
            .expect(201);
        assert_eq!(again.body["version"], 3);
    }

    #[test]
    fn team_member_may_leave() {
        let people = [("ben", "lead"), ("cyd", "member")];
        let (mut fixture, ana, people, path) = team_with(people);
        for person in &people {
            let row = format!("{path}/{}", person.id());
            fixture.delete(person, &row).expect(204);
            fixture.delete(person, &row).expect(403);
            fixture.get(&ana, &row).expect_problem("not-found");
        }
    }

    #[test]
    fn lead_removes_plain_members_but_no_leads() {
        let people = [("ben", "lead"), ("cyd", "lead"), ("dan", "member")];
        let (mut fixture, _, [ben, cyd, dan], path) = team_with(people);
        let eve = fixture.person("eve");
        let row = |person: &Person| format!("{path}/{}", person.id());
        let before = fixture.dump();
        for (actor, target) in [(&ben, &cyd), (&dan, &ben)] {
            let refused = fixture.delete(actor, &row(target)).expect(403);
            assert_eq!(refused.body["missing"], json!(["team.manage"]));
        }
        fixture.delete(&eve, &row(&dan)).expect_problem("not-found");
        assert_eq!(fixture.dump(), before);
        fixture.delete(&ben, &row(&dan)).expect(204);
    }

    #[test]
    fn case_51_stale_etag_does_not_remove_team_member() {
        let (mut fixture, ana, [ben], path) = team_with([("ben", "member")]);
        let row = format!("{path}/{}", ben.id());
        let etag = fixture.get(&ana, &row).expect(200).etag.unwrap();
        fixture
            .put(&ana, &row, json!({ "role": "lead" }))
            .expect(200);
        let headers = [("if-match", etag.as_str())];
        let refused = fixture.send(&ana, "DELETE", &row, &headers, None);
        refused.expect_problem("precondition-failed");
        fixture.get(&ana, &row).expect(200);
    }
}
