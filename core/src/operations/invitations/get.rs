//! `GET /v1/accounts/{account}/invitations/{invitation}`

use alloc::{boxed::Box, vec::Vec};

use super::{InvitationView, PathIds};
use crate::{
    operation::{
        Budget, Context, Example, Facts, Method, Outcome, Parsed, Problem, ReadRequest, Requires,
        Route, Success, UseCase, authority::AccountRecords, schema, view,
    },
    value::Capability,
};

struct GetInvitation {
    ids: PathIds,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/accounts/{account}/invitations/{invitation}",
    "get_invitation",
    "Show an invitation",
    parse,
)
.describes(
    "Answers what the invitation offers, its status and when it expires. The token is in the \
     mail only.",
)
.requires(Requires::Account(Capability::InviteManage))
.budget(Budget::READ)
.answers(&[Success::ok(
    schema::<InvitationView>,
    Example::Text(super::EXAMPLE),
)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let ids = PathIds::parse(request)?;
    Ok(Box::new(GetInvitation { ids }))
}

impl UseCase for GetInvitation {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let mut reads = AccountRecords::reads(self.ids.account, context.user());
        reads.push(ReadRequest::Get(self.ids.key()));
        Ok(reads)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (_, invitation) = self.ids.load(context, facts)?;
        let view = InvitationView::from(&invitation);
        Ok(Outcome::Reply(view::shown(&invitation, &view)))
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use crate::{testing::Fixture, value::AccountRole};

    #[test]
    fn invitation_is_shown_to_managers_only() {
        let mut fixture = Fixture::new();
        let (ana, ben, eve) = (
            fixture.person("ana"),
            fixture.person("ben"),
            fixture.person("eve"),
        );
        let (account, other) = (fixture.account(&ana), fixture.account(&eve));
        fixture.join(&account, &ben, AccountRole::Member);
        let body = json!({ "email": "joe@example.com", "role": "guest" });
        let id = fixture.invite(&ana, &account, body);
        let path = format!("/v1/accounts/{account}/invitations/{id}");
        let shown = fixture.get(&ana, &path).expect(200);
        assert_eq!(fixture.rounds, 1);
        assert_eq!(shown.body["invited_by"], ana.id());
        assert!(shown.etag.is_some());
        fixture.get(&ben, &path).expect(403);
        fixture.get(&eve, &path).expect(404);
        // The same id under the caller's own account is not found either.
        let foreign_path = format!("/v1/accounts/{other}/invitations/{id}");
        fixture.get(&eve, &foreign_path).expect(404);
        let malformed = format!("/v1/accounts/{account}/invitations/inv_1");
        fixture.get(&ana, &malformed).expect(404);
    }
}
