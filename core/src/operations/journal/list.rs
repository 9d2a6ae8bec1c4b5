//! `GET /v1/accounts/{account}/journal` and `GET /v1/projects/{project}/journal`

use alloc::{boxed::Box, vec, vec::Vec};

use super::{
    AFTER, EntryView, Of, after,
    locate::{Located, locate},
};
use crate::{
    api::{
        Method, PAGE, PageRequest, Parsed, Problem, QueryParameter, Route, schema,
        view::{self, ListView},
    },
    context::Context,
    facts::{Ask, FactError, Facts},
    model::{Head, JournalEntry, Record},
    storage::{Range, Sort},
    use_case::{Outcome, UseCase},
};

/// Lists the entries of a journal in order, from the first one or behind a number or cursor.
struct ListJournal {
    of: Of,
    after: Option<u64>,
    page: PageRequest,
}

const QUERY: [QueryParameter; 3] = {
    let [limit, cursor] = PAGE;
    [AFTER, limit, cursor]
};

/// The route of an account's journal.
pub const ACCOUNT: Route = Route::new(
    Method::Get,
    "/v1/accounts/{account}/journal",
    "list_account_journal",
    "Lists the account's journal in order",
    |request| parse(request, Of::account(request)?),
)
.query(&QUERY)
.answers(&[(200, Some(schema::<ListView<EntryView>>))]);

/// The route of a project's journal.
pub const PROJECT: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/journal",
    "list_project_journal",
    "Lists the project's journal in order",
    |request| parse(request, Of::project(request)?),
)
.query(&QUERY)
.answers(&[(200, Some(schema::<ListView<EntryView>>))]);

fn parse(request: &Parsed<'_>, of: Of) -> Result<Box<dyn UseCase>, Problem> {
    let after = after(request)?;
    let page = request.page("")?;
    if after.is_some() && page.goes_on() {
        let message = "cannot be sent together with `cursor`";
        return Err(Problem::field("after", message));
    }
    Ok(Box::new(ListJournal { of, after, page }))
}

impl ListJournal {
    fn page<'a>(
        &self,
        context: &Context<'_>,
        facts: &'a Facts,
        head: &Head,
    ) -> Result<Located<'a>, Problem> {
        let Some(last) = self.page.after(context)? else {
            let after = self.after.unwrap_or(0);
            return Ok(locate(facts, head, after, self.page.limit)?);
        };
        let range = Range {
            after: Some(last),
            limit: Some(self.page.limit),
            ..Range::all(self.of.scope(), Sort::JOURNAL)
        };
        let ask = Ask::Scan(range.clone());
        Ok(if facts.has(&ask) {
            Located::Page(facts.scan(&range)?)
        } else {
            Located::Ask(ask)
        })
    }
}

impl UseCase for ListJournal {
    fn needs(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<Ask>, Problem> {
        let asks = self.of.asks(context);
        self.page.after(context)?;
        if !facts.has_all(&asks) {
            return Ok(asks);
        }
        let head = self.of.head(context, facts)?;
        Ok(match self.page(context, facts, &head)? {
            Located::Ask(ask) => vec![ask],
            Located::Page(_) => vec![],
        })
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let head = self.of.head(context, facts)?;
        let Located::Page(page) = self.page(context, facts, &head)? else {
            return Err(Problem::internal("a page of the journal is missing"));
        };
        let entries: Vec<Record<JournalEntry>> =
            Record::decode_all(&page.items).map_err(FactError::from)?;
        let items = entries.iter().map(|entry| EntryView::from(&entry.body));
        let last = page.items.last().filter(|_| page.more);
        let last = last.map(|item| item.key.sort.as_str());
        let reply = view::page::<EntryView>(context, &self.page, items.collect(), last);
        Ok(Outcome::Reply(reply))
    }
}
