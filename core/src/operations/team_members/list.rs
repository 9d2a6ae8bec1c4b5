//! `GET /v1/accounts/{account}/teams/{team}/members`

use alloc::{boxed::Box, vec::Vec};

use super::{TeamMemberView, counts};
use crate::{
    operation::{
        Budget, Context, Example, FactError, Facts, Listing, Method, Outcome, PAGE, PageRequest,
        Parsed, Problem, ReadRequest, Requires, Route, Success, UseCase, authority::AccountRecords,
        schema, view::ListView,
    },
    operations::teams,
    record::{Record, TeamMember},
    storage::{IndexRows, Key, Sort},
    value::Capability,
};

#[derive(Debug)]
struct ListTeamMembers {
    team: teams::PathIds,
    page: PageRequest,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/accounts/{account}/teams/{team}/members",
    "list_team_members",
    "List the members of a team",
    parse,
)
.describes("In the order in which they were added.")
.requires(Requires::TeamMember(Capability::TeamView))
.budget(Budget::CHECKED_LIST)
.query(&PAGE)
.answers(&[Success::ok(
    schema::<ListView<TeamMemberView>>,
    Example::Page(super::EXAMPLE),
)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(ListTeamMembers {
        page: request.page("")?,
        team: teams::PathIds::parse(request)?,
    }))
}

impl ListTeamMembers {
    fn listing(&self, context: &Context<'_>) -> Result<Listing<'_>, Problem> {
        let rows = IndexRows::members_of_team(self.team.team);
        Listing::new(context, &self.page, rows)
    }

    fn authorise(&self, context: &Context<'_>, facts: &Facts) -> Result<(), Problem> {
        let records = AccountRecords::load(facts, self.team.account, context.user())?;
        self.team.show(&records.access(), facts)?;
        Ok(())
    }

    fn member_key(&self, row: &Record<TeamMember>) -> Key {
        self.team.scope().key(Sort::member(row.id))
    }

    /// The range of rows, and the memberships that decide which rows are valid.
    fn row_reads(&self, listing: &Listing<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let mut reads = listing.reads(facts)?;
        if let Ok(page) = listing.page(facts) {
            let rows = Record::decode_all(&page.items).map_err(FactError::from)?;
            reads.extend(
                rows.iter()
                    .map(|row| ReadRequest::Get(self.member_key(row))),
            );
        }
        Ok(reads)
    }

    fn rows(&self, listing: &Listing<'_>, facts: &Facts) -> Result<Vec<TeamMemberView>, Problem> {
        let mut items = Vec::new();
        for row in listing.rows(facts)? {
            let member = facts.record(&self.member_key(&row))?;
            if counts(&row, member.as_ref()) {
                items.push(TeamMemberView::from(&row));
            }
        }
        Ok(items)
    }
}

impl UseCase for ListTeamMembers {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let listing = self.listing(context)?;
        let first = self.team.reads(context);
        if !facts.has_all(&first) {
            return Ok(first);
        }
        self.authorise(context, facts)?;
        self.row_reads(&listing, facts)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        self.authorise(context, facts)?;
        let listing = self.listing(context)?;
        let items = self.rows(&listing, facts)?;
        Ok(Outcome::Reply(listing.reply(context, facts, items)?))
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String, vec::Vec};
    use core::time::Duration;

    use serde_json::json;

    use crate::{
        testing::{Fixture, Person},
        value::AccountRole,
    };

    /// Ana owns a team with five members. Returns the path of its list.
    fn team_of_five() -> (Fixture, Person, Vec<Person>, String, String) {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let account = fixture.account(&ana);
        let team = fixture.team(&ana, &account);
        let path = format!("/v1/accounts/{account}/teams/{team}/members");
        let people = ["ben", "cyd", "dan", "eli", "fay"].map(|name| fixture.person(name));
        for person in &people {
            fixture.pass(Duration::from_secs(1));
            fixture.join(&account, person, AccountRole::Member);
            let row = format!("{path}/{}", person.id());
            fixture
                .put(&ana, &row, json!({ "role": "member" }))
                .expect(201);
        }
        (fixture, ana, people.into(), account, path)
    }

    /// The ids on each page of a list.
    fn pages(fixture: &mut Fixture, person: &Person, path: &str, limit: u32) -> Vec<Vec<String>> {
        let mut pages = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = fixture.get(person, &format!("{path}?limit={limit}{cursor}"));
            let page = page.expect(200).body;
            let items = page["items"].as_array().unwrap().iter();
            pages.push(
                items
                    .map(|item| item["id"].as_str().unwrap().into())
                    .collect(),
            );
            let Some(next) = page["next_cursor"].as_str() else {
                return pages;
            };
            cursor = format!("&cursor={next}");
        }
    }

    #[test]
    fn team_member_list_keeps_the_order_of_joining() {
        let (mut fixture, ana, people, _, path) = team_of_five();
        let expected: Vec<String> = people.iter().map(Person::id).collect();
        assert_eq!(pages(&mut fixture, &ana, &path, 50).concat(), expected);
        assert_eq!(fixture.rounds, 3);
        assert_eq!(pages(&mut fixture, &ana, &path, 2).concat(), expected);
    }

    #[test]
    fn case_60_page_without_valid_rows_still_has_a_cursor() {
        let (mut fixture, ana, people, account, path) = team_of_five();
        let remove = |fixture: &mut Fixture, person: &Person| {
            let path = format!("/v1/accounts/{account}/members/{}", person.id());
            fixture.delete(&ana, &path).expect(204);
        };
        for person in &people[1..4] {
            remove(&mut fixture, person);
        }
        let ids = |people: &[&Person]| people.iter().map(|person| person.id()).collect();
        let [ben, fay]: [Vec<String>; 2] = [ids(&[&people[0]]), ids(&[&people[4]])];
        let listed = pages(&mut fixture, &ana, &path, 2);
        assert_eq!(listed, [ben.clone(), [].into(), fay.clone()]);
        assert_eq!(
            pages(&mut fixture, &ana, &path, 1).concat(),
            [ben, fay].concat()
        );
    }

    #[test]
    fn team_list_shows_suspended_but_no_rejoined_members() {
        let (mut fixture, ana, people, account, path) = team_of_five();
        let member = |person: &Person| format!("/v1/accounts/{account}/members/{}", person.id());
        fixture.delete(&ana, &member(&people[0])).expect(204);
        fixture.join(&account, &people[0], AccountRole::Member);
        let suspended = json!({ "status": "suspended" });
        fixture
            .patch(&ana, &member(&people[1]), suspended)
            .expect(200);
        let expected: Vec<String> = people[1..].iter().map(Person::id).collect();
        assert_eq!(pages(&mut fixture, &ana, &path, 50), [expected]);
    }

    #[test]
    fn team_member_list_is_refused_without_team_view() {
        let (mut fixture, ana, _, account, path) = team_of_five();
        let [gus, hal] = ["gus", "hal"].map(|name| fixture.person(name));
        fixture.join(&account, &gus, AccountRole::Guest);
        let refused = fixture.get(&gus, &path).expect(403);
        assert_eq!(refused.body["missing"], json!(["team.view"]));
        fixture.get(&hal, &path).expect_problem("not-found");
        let own = format!("{path}/{}", gus.id());
        fixture
            .put(&ana, &own, json!({ "role": "member" }))
            .expect(201);
        fixture.get(&gus, &path).expect(200);
    }
}
