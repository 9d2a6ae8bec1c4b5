//! `GET /v1/accounts/{account}/projects`

use alloc::{boxed::Box, vec::Vec};

use super::ProjectView;
use crate::{
    operation::{
        Budget, Context, Example, FactError, Facts, Listing, Method, Outcome, PAGE, PageRequest,
        Parsed, Problem, ReadRequest, Requires, Route, Success, UseCase,
        authority::{AccountRecords, ProjectRecords},
        schema,
        view::ListView,
    },
    record::{Project, Record},
    storage::{IndexRows, Page},
    value::{AccountId, Capability, ProjectId},
};

/// The maximum number of projects on one page. Each needs a range read of its own.
const CANDIDATES: u32 = 50;

#[derive(Debug)]
struct ListProjects {
    account: AccountId,
    page: PageRequest,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/accounts/{account}/projects",
    "list_projects",
    "List the projects of an account that the caller can see",
    parse,
)
.describes("Oldest first, at most 50 a page.")
.requires(Requires::Account(Capability::AccountView))
.budget(Budget::CHECKED_LIST)
.query(&PAGE)
.answers(&[Success::ok(
    schema::<ListView<ProjectView>>,
    Example::Page(super::EXAMPLE),
)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(ListProjects {
        account: request.path("account")?,
        page: request.page("")?,
    }))
}

fn candidates(page: &Page) -> Result<Vec<ProjectId>, FactError> {
    let projects = Record::<Project>::decode_all(&page.items)?;
    Ok(projects.into_iter().map(|project| project.id).collect())
}

impl ListProjects {
    fn listing(&self, context: &Context<'_>) -> Result<Listing<'_>, Problem> {
        let rows = IndexRows::projects_of_account(self.account);
        Ok(Listing::new(context, &self.page, rows)?.at_most(CANDIDATES))
    }

    fn records(&self, context: &Context<'_>, facts: &Facts) -> Result<AccountRecords, Problem> {
        let records = AccountRecords::load(facts, self.account, context.user())?;
        let access = records.access();
        access.permit(self.account, Capability::AccountView)?;
        Ok(records)
    }
}

impl UseCase for ListProjects {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let listing = self.listing(context)?;
        let reads = AccountRecords::reads(self.account, context.user());
        if !facts.has_all(&reads) {
            return Ok(reads);
        }
        self.records(context, facts)?;
        let Ok(page) = listing.page(facts) else {
            return Ok(listing.reads(facts)?);
        };
        let reads = |project| ProjectRecords::reads(project, context.user());
        Ok(candidates(page)?.into_iter().flat_map(reads).collect())
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let listing = self.listing(context)?;
        let records = self.records(context, facts)?;
        let mut items = Vec::new();
        for project in candidates(listing.page(facts)?)? {
            let records = ProjectRecords::with_account_records(facts, project, records.clone())?;
            let access = records.access(context.env.now);
            let seen = access.check(Capability::ProjectView).is_ok();
            if let Some(project) = access.project.filter(|_| seen) {
                items.push(ProjectView::with_access(project, &access));
            }
        }
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

    fn ids(fixture: &mut Fixture, person: &Person, path: &str) -> (Vec<String>, Option<String>) {
        let page = fixture.get(person, path).expect(200).body;
        let items = page["items"].as_array().unwrap();
        let id = |item: &serde_json::Value| item["id"].as_str().unwrap().into();
        let cursor = page["next_cursor"].as_str().map(Into::into);
        (items.iter().map(id).collect(), cursor)
    }

    #[test]
    fn case_21_project_list_shows_only_visible_projects() {
        let mut fixture = Fixture::new();
        let [ana, ben, cyd, eve] = ["ana", "ben", "cyd", "eve"].map(|name| fixture.person(name));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Member);
        fixture.join(&account, &cyd, AccountRole::Guest);
        let mut project = || {
            fixture.pass(Duration::from_secs(1));
            fixture.project(&ana, &account)
        };
        let (granted, open, hidden) = (project(), project(), project());
        for person in [&ben, &cyd] {
            fixture.grant(&ana, &granted, &person.id(), "contributor");
        }
        fixture
            .patch(
                &ana,
                &format!("/v1/projects/{open}"),
                json!({ "visibility": "account" }),
            )
            .expect(200);
        let path = format!("/v1/accounts/{account}/projects");
        let listed = |fixture: &mut Fixture, person| ids(fixture, person, &path);
        assert_eq!(
            listed(&mut fixture, &ana).0,
            [granted.clone(), open.clone(), hidden]
        );
        assert_eq!(fixture.rounds, 3);
        assert_eq!(listed(&mut fixture, &ben).0, [granted.clone(), open]);
        assert_eq!(listed(&mut fixture, &cyd).0, [granted]);
        let rows = fixture.get(&ben, &path).body;
        assert_eq!(rows["items"][0]["role"], "contributor");
        assert_eq!(rows["items"][1]["role"], "viewer");
        fixture.get(&eve, &path).expect_problem("not-found");
        assert_eq!(fixture.rounds, 1);
    }

    #[test]
    fn case_60_project_pages_continue_past_hidden_projects() {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Member);
        let mut all = Vec::new();
        for _ in 0..52 {
            fixture.pass(Duration::from_secs(1));
            all.push(fixture.project(&ana, &account));
        }
        let last = all.last().unwrap().clone();
        fixture.grant(&ana, &last, &ben.id(), "viewer");
        let path = format!("/v1/accounts/{account}/projects?limit=200");
        let (first, cursor) = ids(&mut fixture, &ben, &path);
        assert_eq!(first, [""; 0]);
        let cursor = cursor.unwrap();
        let next = format!("{path}&cursor={cursor}");
        assert_eq!(ids(&mut fixture, &ben, &next), ([last].to_vec(), None));
        assert_eq!(ids(&mut fixture, &ana, &path).0, all[..50]);
    }

    #[test]
    fn case_19_project_cursor_is_bound_to_caller_and_account() {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        let (first, second) = (fixture.account(&ana), fixture.account(&ana));
        for account in [&first, &second] {
            fixture.join(account, &ben, AccountRole::Admin);
            fixture.project(&ana, account);
            fixture.project(&ana, account);
        }
        let path = |account: &str| format!("/v1/accounts/{account}/projects?limit=1");
        let (_, cursor) = ids(&mut fixture, &ana, &path(&first));
        let cursor = cursor.unwrap();
        for (person, account) in [(&ben, &first), (&ana, &second)] {
            let path = format!("{}&cursor={cursor}", path(account));
            let answer = fixture.get(person, &path).expect(400);
            assert_eq!(answer.body["errors"][0]["field"], "cursor");
        }
    }
}
