//! `GET /v1/accounts/{account}/invitations`

use alloc::{boxed::Box, vec::Vec};

use super::InvitationView;
use crate::{
    api::{
        Method, PAGE, PageRequest, Parsed, Problem, Route, schema,
        view::{self, ListView},
    },
    authority::AccountRecords,
    context::Context,
    facts::{Ask, FactError, Facts},
    model::{Invitation, Record},
    storage::{Range, Scope, Sort},
    use_case::{Outcome, UseCase},
    value::AccountId,
};

/// Lists an account's invitations, oldest first.
struct ListInvitations {
    account: AccountId,
    page: PageRequest,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/accounts/{account}/invitations",
    "list_invitations",
    "Lists the account's invitations, answered ones too",
    parse,
)
.query(&PAGE)
.answers(&[(200, Some(schema::<ListView<InvitationView>>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(ListInvitations {
        account: request.path("account")?,
        page: request.page("")?,
    }))
}

impl ListInvitations {
    fn range(&self, context: &Context<'_>) -> Result<Range, Problem> {
        Ok(Range {
            after: self.page.after(context)?,
            limit: Some(self.page.limit),
            ..Range::all(Scope::Account(self.account), Sort::INVITATIONS)
        })
    }
}

impl UseCase for ListInvitations {
    fn needs(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<Ask>, Problem> {
        let mut asks = AccountRecords::asks(self.account, context.user());
        asks.push(Ask::Scan(self.range(context)?));
        Ok(asks)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        super::permit(context, facts, self.account)?;
        let page = facts.scan(&self.range(context)?)?;
        let records: Vec<Record<Invitation>> =
            Record::decode_all(&page.items).map_err(FactError::from)?;
        let items = records.iter().map(InvitationView::from).collect();
        let last = page.items.last().filter(|_| page.more);
        let last = last.map(|item| item.key.sort.as_str());
        let reply = view::page::<InvitationView>(context, &self.page, items, last);
        Ok(Outcome::Reply(reply))
    }
}
