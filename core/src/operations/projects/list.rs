//! `GET /v1/accounts/{account}/projects`

use alloc::{boxed::Box, string::ToString, vec::Vec};

use super::ProjectView;
use crate::{
    api::{
        Method, PAGE, PageRequest, Parsed, Problem, Route, schema,
        view::{self, ListView},
    },
    authority::{AccountRecords, ProjectRecords},
    context::Context,
    facts::{Ask, FactError, Facts},
    model::{Project, Record},
    permission::Capability,
    storage::{Index, List, Page, Scope},
    use_case::{Outcome, UseCase},
    value::{AccountId, ProjectId},
};

/// The most projects looked at for one page: each takes a read of its own.
const CANDIDATES: u32 = 50;

/// Lists those projects of an account that the caller sees.
#[derive(Debug)]
struct ListProjects {
    account: AccountId,
    page: PageRequest,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/accounts/{account}/projects",
    "list_projects",
    "Lists the projects of an account that the caller sees, oldest first; at most 50 a page",
    parse,
)
.query(&PAGE)
.answers(&[(200, Some(schema::<ListView<ProjectView>>))]);

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
    fn list(&self, context: &Context<'_>) -> Result<List, Problem> {
        Ok(List {
            index: Index::Gsi1,
            partition: Scope::Account(self.account).to_string(),
            prefix: "PROJECT#".into(),
            after: self.page.after(context)?,
            until: None,
            limit: self.page.limit.min(CANDIDATES),
        })
    }

    fn standing(&self, context: &Context<'_>, facts: &Facts) -> Result<AccountRecords, Problem> {
        let standing = AccountRecords::load(facts, self.account, context.user())?;
        let access = standing.access();
        access.permit(self.account, Capability::AccountView)?;
        Ok(standing)
    }
}

impl UseCase for ListProjects {
    fn needs(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<Ask>, Problem> {
        let list = self.list(context)?;
        let asks = AccountRecords::asks(self.account, context.user());
        if asks.iter().any(|ask| !facts.has(ask)) {
            return Ok(asks);
        }
        self.standing(context, facts)?;
        let index = Ask::List(list.clone());
        if !facts.has(&index) {
            return Ok([index].into());
        }
        let projects = candidates(facts.list(&list)?)?;
        let asks = |project| ProjectRecords::asks(project, context.user());
        Ok(projects.into_iter().flat_map(asks).collect())
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let page = facts.list(&self.list(context)?)?;
        let standing = self.standing(context, facts)?;
        let mut items = Vec::new();
        for project in candidates(page)? {
            let records = ProjectRecords::with_standing(facts, project, standing.clone())?;
            let access = records.access(context.env.now);
            if let (Ok(_), Some(project)) = (access.check(Capability::ProjectView), access.project)
            {
                items.push(ProjectView::with_access(project, &access));
            }
        }
        let next = page.next_in(Index::Gsi1);
        let reply = view::page(context, &self.page, items, next);
        Ok(Outcome::Reply(reply))
    }
}
