//! `POST /v1/invitations/decline`

use alloc::{boxed::Box, vec::Vec};

use super::answer::{self, AnsweredView, Input};
use crate::{
    operation::{
        Budget, Commit, Context, Example, Facts, Method, Outcome, Parsed, Problem, ProblemKind,
        ReadRequest, Reply, Route, Success, UseCase, authority::head_key,
        invitation_token::InvitationToken, schema,
    },
    record::{EventType, Invitation, InvitationStatus, Record},
    storage::{Key, Scope},
    value::canonical,
};

struct DeclineInvitation {
    input: Input,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/invitations/decline",
    "decline_invitation",
    "Decline an invitation",
    parse,
)
.describes("The token stops working. The caller does not join the account.")
.budget(Budget::WRITE)
.takes(schema::<Input>, r#"{ "token": "b3Blbi1zZXNhbWU" }"#)
.answers(&[Success::ok(
    schema::<AnsweredView>,
    Example::With(answer::ACCEPTED, &[("status", r#""declined""#)]),
)])
.refuses(&[
    (
        ProblemKind::InvitationInvalid,
        "the token is unknown, expired, revoked, replaced or used",
    ),
    (
        ProblemKind::Forbidden,
        "the invitation was sent to another address than the caller's verified one",
    ),
]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let input = request.body()?;
    Ok(Box::new(DeclineInvitation { input }))
}

fn reply(invitation: &Record<Invitation>) -> Reply {
    Reply::ok(canonical::to_value(&AnsweredView::from(invitation)))
}

impl UseCase for DeclineInvitation {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        self.input.first_reads(context)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (permit, invitation) = self.input.open(context, facts)?;
        let head = facts.record(&head_key(permit.scope()))?;
        let mut commit = Commit::open(context, permit, head)?;
        let body = Invitation {
            status: InvitationStatus::Declined,
            answered_by: Some(context.user()),
            ..invitation.body.clone()
        };
        let invitation = commit.update(&invitation, body);
        commit.finish(EventType::InvitationDeclined, reply(&invitation))
    }

    fn writes(&self, context: &Context<'_>) -> Option<Scope> {
        self.input.scope(context)
    }

    fn replay(&self, context: &Context<'_>, facts: &Facts, _: &[Key]) -> Result<Reply, Problem> {
        let invitation = self.input.stored(context, facts)?;
        let own = |invitation: &Record<Invitation>| {
            invitation.body.status == InvitationStatus::Declined
                && invitation.body.answered_by == Some(context.user())
        };
        let invitation = invitation.filter(own);
        Ok(reply(&invitation.ok_or_else(InvitationToken::refused)?))
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use crate::testing::Fixture;

    const PATH: &str = "/v1/invitations/decline";

    #[test]
    fn invited_person_declines_once() {
        let mut fixture = Fixture::new();
        let (ana, ben, eve) = (
            fixture.person("ana"),
            fixture.person("ben"),
            fixture.person("eve"),
        );
        let account = fixture.account(&ana);
        let body = json!({ "email": "ben@example.com", "role": "guest" });
        let id = fixture.invite(&ana, &account, body);
        let body = json!({ "token": fixture.token(&account, &id) });
        let before = fixture.dump();
        fixture
            .post(&eve, PATH, body.clone())
            .expect(403)
            .expect_problem("forbidden");
        assert_eq!(fixture.dump(), before);
        let headers = [("idempotency-key", "k1")];
        let declined = fixture.send(&ben, "POST", PATH, &headers, Some(body.clone()));
        let declined = declined.expect(200);
        assert_eq!(
            declined.body,
            json!({ "id": id, "account_id": account, "role": "guest", "status": "declined" })
        );
        let stored = fixture.dump();
        let again = fixture.send(&ben, "POST", PATH, &headers, Some(body.clone()));
        assert_eq!(again.expect(200).body, declined.body);
        fixture
            .post(&ben, PATH, body)
            .expect(400)
            .expect_problem("invitation-invalid");
        assert_eq!(fixture.dump(), stored);
        let path = format!("/v1/accounts/{account}/invitations/{id}");
        let shown = fixture.get(&ana, &path).expect(200);
        assert_eq!(shown.body["answered_by"], ben.id());
    }
}
