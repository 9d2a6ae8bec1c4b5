//! `GET /v1/accounts/{account}/teams/{team}/members/{user}`

use alloc::{boxed::Box, vec::Vec};

use super::{PathIds, TeamMemberView};
use crate::{
    operation::{
        Budget, Context, Example, Facts, Method, Outcome, Parsed, Problem, ReadRequest, Requires,
        Route, Success, UseCase, authority::AccountRecords, schema, view,
    },
    value::Capability,
};

#[derive(Debug)]
struct GetTeamMember(PathIds);

pub(super) const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/accounts/{account}/teams/{team}/members/{user}",
    "get_team_member",
    "Show a member of a team",
    parse,
)
.describes(
    "Answers the role of the person in the team, and the membership in the account that it \
     depends on.",
)
.requires(Requires::TeamMember(Capability::TeamView))
.budget(Budget::READ)
.answers(&[Success::ok(
    schema::<TeamMemberView>,
    Example::Text(super::EXAMPLE),
)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(GetTeamMember(PathIds::parse(request)?)))
}

impl UseCase for GetTeamMember {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(self.0.reads(context))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let Self(ids) = self;
        let records = AccountRecords::load(facts, ids.team.account, context.user())?;
        ids.team.show(&records.access(), facts)?;
        let row = ids.load(facts)?.ok_or_else(Problem::not_found)?;
        let reply = view::shown(&row, &TeamMemberView::from(&row));
        Ok(Outcome::Reply(reply))
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use crate::{testing::Fixture, value::AccountRole};

    #[test]
    fn team_member_is_shown_to_members_and_the_person() {
        let mut fixture = Fixture::new();
        let [ana, ben, eve] = ["ana", "ben", "eve"].map(|name| fixture.person(name));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Guest);
        let team = fixture.team(&ana, &account);
        let path = format!("/v1/accounts/{account}/teams/{team}/members");
        let own = format!("{path}/{}", ben.id());
        fixture.get(&ben, &own).expect(403);
        fixture.get(&ana, &own).expect_problem("not-found");
        let made = fixture
            .put(&ana, &own, json!({ "role": "lead" }))
            .expect(201);
        for person in [&ana, &ben] {
            let shown = fixture.get(person, &own).expect(200);
            assert_eq!(fixture.rounds, 1);
            assert_eq!((&shown.body, &shown.etag), (&made.body, &made.etag));
        }
        assert_eq!(made.id(), ben.id());
        assert_eq!(made.text("user_id"), ben.id());
        assert_eq!(made.text("team_id"), team);
        assert_eq!(made.body["role"], "lead");
        fixture
            .get(&ben, &format!("{path}/{}", ana.id()))
            .expect_problem("not-found");
        fixture.get(&eve, &own).expect_problem("not-found");
    }
}
