//! `DELETE /v1/accounts/{account}/invitations/{invitation}`

use alloc::{boxed::Box, vec::Vec};

use super::{PathIds, check_pending};
use crate::{
    operation::{
        Budget, Commit, Context, Facts, IfMatch, Method, Outcome, Parsed, Precondition, Problem,
        ProblemKind, ReadRequest, Reply, Requires, Route, Success, UseCase,
        authority::AccountRecords,
    },
    record::{EventType, Invitation, InvitationStatus},
    storage::Scope,
    value::Capability,
};

/// Revoking invalidates the tokens. The record stays.
struct RevokeInvitation {
    ids: PathIds,
    if_match: IfMatch,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Delete,
    "/v1/accounts/{account}/invitations/{invitation}",
    "revoke_invitation",
    "Revoke an invitation",
    parse,
)
.describes("Its tokens stop working. The record stays.")
.requires(Requires::Account(Capability::InviteManage))
.budget(Budget::ORDERED_WRITE)
.precondition(Precondition::Optional)
.answers(&[Success::NO_CONTENT])
.refuses(&[(
    ProblemKind::Conflict,
    "the invitation was accepted or declined",
)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    request.no_body()?;
    Ok(Box::new(RevokeInvitation {
        ids: PathIds::parse(request)?,
        if_match: request.if_match()?,
    }))
}

impl UseCase for RevokeInvitation {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let first = self.ids.first_reads();
        if !facts.has_all(&first) {
            return Ok(first);
        }
        Ok(AccountRecords::reads(self.ids.account, context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (permit, invitation) = self.ids.load(context, facts)?;
        self.if_match.check(Some(&invitation.etag()))?;
        check_pending(&invitation)?;
        let mut commit = Commit::open(context, permit, self.ids.head(facts)?)?;
        let body = Invitation {
            status: InvitationStatus::Revoked,
            ..invitation.body.clone()
        };
        commit.update(&invitation, body);
        commit.finish(EventType::InvitationRevoked, Reply::no_content())
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.ids.scope())
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use crate::{testing::Fixture, value::AccountRole};

    #[test]
    fn revoked_invitation_stays_and_cannot_be_revoked_again() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let account = fixture.account(&ana);
        let body = json!({ "email": "ben@example.com", "role": "guest" });
        let id = fixture.invite(&ana, &account, body);
        let path = format!("/v1/accounts/{account}/invitations/{id}");
        fixture.delete(&ana, &path).expect(204);
        assert_eq!(fixture.rounds, 2);
        assert_eq!(
            fixture.get(&ana, &path).expect(200).body["status"],
            "revoked"
        );
        let before = fixture.dump();
        fixture
            .delete(&ana, &path)
            .expect(409)
            .expect_problem("conflict");
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn invitation_revoke_needs_fresh_etag_and_authority() {
        let mut fixture = Fixture::new();
        let (ana, ben, eve) = (
            fixture.person("ana"),
            fixture.person("ben"),
            fixture.person("eve"),
        );
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Member);
        let body = json!({ "email": "joe@example.com", "role": "guest" });
        let id = fixture.invite(&ana, &account, body);
        let path = format!("/v1/accounts/{account}/invitations/{id}");
        let before = fixture.dump();
        fixture.delete(&ben, &path).expect(403);
        fixture.delete(&eve, &path).expect(404);
        let stale = [("if-match", "\"00000000000000000000000000000000\"")];
        fixture
            .send(&ana, "DELETE", &path, &stale, None)
            .expect(412);
        assert_eq!(fixture.dump(), before);
    }
}
