//! `GET /v1/projects/{project}/grants`

use alloc::{boxed::Box, collections::BTreeMap, string::ToString, vec::Vec};
use core::str::FromStr;

use schemars::JsonSchema;

use super::GrantView;
use crate::{
    operation::{
        Budget, Context, Example, Facts, Method, Outcome, PAGE, PageRequest, Parsed, Problem,
        QueryParameter, ReadRequest, Requires, Route, Success, UseCase,
        authority::ProjectRecords,
        schema,
        view::{self, ListView},
    },
    record::{Grant, Record},
    storage::{Range, Scope, Sort},
    value::{Capability, GrantId, Invalid, ProjectId},
};

#[derive(Debug)]
struct ListGrants {
    project: ProjectId,
    include: Option<Include>,
    page: PageRequest,
}

/// What the list contains beside the grants that are not revoked.
#[derive(Debug, Clone, Copy, JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum Include {
    Revoked,
}

impl FromStr for Include {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text {
            "revoked" => Ok(Self::Revoked),
            _ => Err(Invalid("must be `revoked` or left out")),
        }
    }
}

pub(super) const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/grants",
    "list_grants",
    "List the grants of a project",
    parse,
)
.describes("Oldest first. Expired grants are included; revoked ones only with `include=revoked`.")
.requires(Requires::Project(Capability::GrantView))
.budget(Budget::READ)
.query(&[
    PAGE[0],
    PAGE[1],
    QueryParameter::new(
        "include",
        "`revoked` includes revoked grants.",
        schema::<Include>,
    ),
])
.answers(&[Success::ok(
    schema::<ListView<GrantView>>,
    Example::Page(super::EXAMPLE),
)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let include = request.query("include")?;
    Ok(Box::new(ListGrants {
        project: request.path("project")?,
        include,
        page: request.page(match include {
            Some(Include::Revoked) => "revoked",
            None => "",
        })?,
    }))
}

impl ListGrants {
    /// The revoked grants of the page, if the caller requested them.
    fn revoked(&self, after: Option<GrantId>) -> Option<Range> {
        let Include::Revoked = self.include?;
        Some(Range {
            after: after.map(|grant| Sort::revoked_grant(grant).to_string()),
            limit: Some(self.page.limit),
            ..Range::all(Scope::Project(self.project), Sort::REVOKED_GRANTS)
        })
    }

    fn records(&self, context: &Context<'_>, facts: &Facts) -> Result<ProjectRecords, Problem> {
        let records = ProjectRecords::load(facts, self.project, context.user())?;
        records
            .access(context.env.now)
            .check(Capability::GrantView)?;
        Ok(records)
    }
}

impl UseCase for ListGrants {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let reads = ProjectRecords::reads(self.project, context.user());
        let after = self.page.after_id(context)?;
        if !facts.has_all(&reads) {
            return Ok(reads);
        }
        self.records(context, facts)?;
        Ok(self
            .revoked(after)
            .into_iter()
            .map(ReadRequest::Scan)
            .collect())
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let after = self.page.after_id(context)?;
        let live = self.records(context, facts)?.grants;
        // Live and revoked grants have different keys, so the page merges them by id.
        let mut grants: BTreeMap<GrantId, Record<Grant>> = live
            .into_iter()
            .filter(|grant| after.is_none_or(|after| grant.id > after))
            .map(|grant| (grant.id, grant))
            .collect();
        let mut more = false;
        if let Some(range) = self.revoked(after) {
            let page = facts.scan(&range)?;
            more = page.more;
            for item in &page.items {
                let grant =
                    Record::<Grant>::decode(item).map_err(crate::operation::FactError::from)?;
                grants.insert(grant.id, grant);
            }
        }
        let limit = self.page.limit as usize;
        more |= grants.len() > limit;
        let shown: Vec<_> = grants.into_values().take(limit).collect();
        let last = shown
            .last()
            .filter(|_| more)
            .map(|grant| grant.id.to_string());
        let view = |grant| GrantView::at(grant, context.env.now);
        let items = shown.iter().map(view).collect();
        let reply = view::page(context, &self.page, items, last.as_deref());
        Ok(Outcome::Reply(reply))
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String, vec::Vec};
    use core::time::Duration;

    use serde_json::{Value, json};

    use crate::{testing::GrantFixture, testing::principal_of};

    /// Grants Cyd a role six times, one second apart, and revokes every other grant.
    fn fixture_with_grants() -> (GrantFixture, Vec<String>) {
        let mut fixture = GrantFixture::new();
        let mut ids = Vec::new();
        for position in 0..6 {
            fixture.base.pass(Duration::from_secs(1));
            let body = json!({ "principal": principal_of(&fixture.cyd.id()), "role": "viewer" });
            let id = fixture.grant_by_ben(body).expect(201).id();
            if position % 2 == 0 {
                let path = format!("{}/grants/{id}", fixture.path());
                fixture.base.delete(&fixture.ben, &path).expect(204);
            }
            ids.push(id);
        }
        (fixture, ids)
    }

    /// All items of a list, over all pages.
    fn collect(fixture: &mut GrantFixture, query: &str) -> Vec<Value> {
        let path = format!("{}/grants?{query}", fixture.path());
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = fixture.base.get(&fixture.ben, &format!("{path}{cursor}"));
            let page = page.expect(200).body;
            items.extend(page["items"].as_array().unwrap().clone());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }

    fn ids(items: &[Value]) -> Vec<&str> {
        items
            .iter()
            .map(|item| item["id"].as_str().unwrap())
            .collect()
    }

    #[test]
    fn grant_list_is_sorted_by_age_for_every_page_size() {
        let (mut fixture, made) = fixture_with_grants();
        let whole = collect(&mut fixture, "");
        assert_eq!(fixture.base.rounds, 1);
        assert_eq!(ids(&whole)[2..], [&made[1], &made[3], &made[5]]);
        for limit in 1..=6 {
            assert_eq!(collect(&mut fixture, &format!("limit={limit}")), whole);
        }
        let all = collect(&mut fixture, "include=revoked");
        assert_eq!(fixture.base.rounds, 2);
        assert_eq!(ids(&all)[2..], made);
        let status = |item: &Value| item["status"] == "revoked";
        assert_eq!(all.iter().filter(|item| status(item)).count(), 3);
        for limit in 1..=9 {
            let query = format!("include=revoked&limit={limit}");
            assert_eq!(collect(&mut fixture, &query), all, "{limit}");
        }
    }

    #[test]
    fn grant_list_is_refused_without_grant_view() {
        let (mut fixture, _) = fixture_with_grants();
        let path = format!("{}/grants", fixture.path());
        let refused = fixture.base.get(&fixture.cyd, &path).expect(403);
        assert_eq!(refused.body["missing"], json!(["grant.view"]));
        let eve = fixture.base.person("eve");
        fixture.base.get(&eve, &path).expect_problem("not-found");
    }

    #[test]
    fn case_20_cursor_of_another_list_is_refused() {
        let (mut fixture, _) = fixture_with_grants();
        let path = format!("{}/grants", fixture.path());
        let page = fixture.base.get(&fixture.ben, &format!("{path}?limit=1"));
        let cursor = page.text("next_cursor");
        for (person, query) in [
            (&fixture.ana, format!("cursor={cursor}")),
            (&fixture.ben, format!("include=revoked&cursor={cursor}")),
            (&fixture.ben, format!("cursor={cursor}x")),
        ] {
            let answer = fixture
                .base
                .get(person, &format!("{path}?{query}"))
                .expect(400);
            assert_eq!(answer.body["errors"][0]["field"], "cursor");
        }
        let answer = fixture
            .base
            .get(&fixture.ben, &format!("{path}?include=all"))
            .expect(400);
        assert_eq!(answer.body["errors"][0]["field"], "include");
    }
}
