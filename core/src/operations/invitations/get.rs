//! `GET /v1/accounts/{account}/invitations/{invitation}`

use alloc::{boxed::Box, vec::Vec};

use super::{InvitationView, Named};
use crate::{
    api::{Method, Parsed, Problem, Route, schema, view},
    authority::AccountRecords,
    context::Context,
    facts::{Ask, Facts},
    use_case::{Outcome, UseCase},
};

/// Shows one invitation.
struct GetInvitation {
    named: Named,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/accounts/{account}/invitations/{invitation}",
    "get_invitation",
    "Shows an invitation",
    parse,
)
.answers(&[(200, Some(schema::<InvitationView>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let named = Named::parse(request)?;
    Ok(Box::new(GetInvitation { named }))
}

impl UseCase for GetInvitation {
    fn needs(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<Ask>, Problem> {
        let mut asks = AccountRecords::asks(self.named.account, context.user());
        asks.push(Ask::Get(self.named.key()));
        Ok(asks)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (_, invitation) = self.named.load(context, facts)?;
        let view = InvitationView::from(&invitation);
        Ok(Outcome::Reply(view::shown(&invitation, &view)))
    }
}
