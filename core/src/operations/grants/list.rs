//! `GET /v1/projects/{project}/grants`

use alloc::{
    boxed::Box,
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};
use core::str::FromStr;

use schemars::JsonSchema;

use super::GrantView;
use crate::{
    api::{
        Method, PAGE, PageRequest, Parsed, Problem, QueryParameter, Route, schema,
        view::{self, ListView},
    },
    authority::ProjectRecords,
    context::Context,
    facts::{Ask, Facts},
    model::{Grant, Record},
    permission::Capability,
    storage::{Range, Scope, Sort},
    use_case::{Outcome, UseCase},
    value::{GrantId, Invalid, ProjectId},
};

/// Lists the grants of a project.
#[derive(Debug)]
struct ListGrants {
    project: ProjectId,
    include: Option<Include>,
    page: PageRequest,
}

/// What the list shows beside the grants that are not revoked.
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

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/grants",
    "list_grants",
    "Lists the grants of a project, oldest first",
    parse,
)
.query(&[
    PAGE[0],
    PAGE[1],
    QueryParameter {
        name: "include",
        description: "`revoked` shows revoked grants too",
        schema: schema::<Include>,
    },
])
.answers(&[(200, Some(schema::<ListView<GrantView>>))]);

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
    /// The id of the last grant shown before.
    fn after(&self, context: &Context<'_>) -> Result<Option<GrantId>, Problem> {
        let after = self.page.after(context)?;
        let parse = |text: String| {
            text.parse()
                .map_err(|error: Invalid| Problem::internal(error.to_string()))
        };
        after.map(parse).transpose()
    }

    /// The revoked grants of the page, if they are wanted.
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
    fn needs(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<Ask>, Problem> {
        let asks = ProjectRecords::asks(self.project, context.user());
        let after = self.after(context)?;
        if asks.iter().any(|ask| !facts.has(ask)) {
            return Ok(asks);
        }
        self.records(context, facts)?;
        Ok(self.revoked(after).into_iter().map(Ask::Scan).collect())
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let after = self.after(context)?;
        let live = self.records(context, facts)?.grants;
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
                let grant = Record::<Grant>::decode(item).map_err(crate::facts::FactError::from)?;
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
