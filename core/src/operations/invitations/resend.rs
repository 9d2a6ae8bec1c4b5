//! `POST /v1/accounts/{account}/invitations/{invitation}/resend`

use alloc::{boxed::Box, vec::Vec};

use super::{InvitationView, LIFETIME, PathIds, check_pending, offer::Offer};
use crate::{
    operation::{
        Budget, Commit, Context, Example, Facts, Method, Outcome, Parsed, Problem, ProblemKind,
        ReadRequest, Reply, Requires, Route, Success, UseCase, authority::AccountRecords, schema,
        view,
    },
    record::{EventType, Invitation, Record},
    storage::{Key, Scope},
    value::Capability,
};

/// Sending again invalidates earlier tokens and makes an expired invitation valid for another 14
/// days. The sender takes over the offer, so the sender must have everything it gives. Acceptance
/// checks the sender's authority.
struct ResendInvitation {
    ids: PathIds,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/accounts/{account}/invitations/{invitation}/resend",
    "resend_invitation",
    "Send an invitation again",
    parse,
)
.describes(
    "Sends a new token; earlier tokens stop working. The invitation is valid for another 14 \
     days. From then on the authority of the caller counts instead of that of the first \
     inviter.",
)
.requires(Requires::Account(Capability::InviteManage))
.budget(Budget::ORDERED_WRITE)
.answers(&[Success::ok(
    schema::<InvitationView>,
    Example::Text(super::EXAMPLE),
)])
.refuses(&[
    (
        ProblemKind::Conflict,
        "the invitation was answered or revoked",
    ),
    (ProblemKind::Conflict, "the invitation was sent too often"),
    (
        ProblemKind::Escalation,
        "the caller may not hand out the role, a team or a project role of the invitation",
    ),
]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    request.no_body()?;
    let ids = PathIds::parse(request)?;
    Ok(Box::new(ResendInvitation { ids }))
}

fn sent_again(context: &Context<'_>, invitation: &Invitation) -> Result<Invitation, Problem> {
    let rotation = invitation.rotation.checked_add(1);
    let now = context.env.now;
    let end = invitation.expires_at;
    Ok(Invitation {
        rotation: rotation.ok_or_else(|| {
            Problem::conflict("the invitation was sent too often; create a new one")
        })?,
        expires_at: if now < end { end } else { now.after(LIFETIME) },
        invited_by: context.user(),
        ..invitation.clone()
    })
}

fn reply(invitation: &Record<Invitation>) -> Reply {
    view::shown(invitation, &InvitationView::from(invitation))
}

impl UseCase for ResendInvitation {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let first = self.ids.first_reads();
        if !facts.has_all(&first) {
            return Ok(first);
        }
        Ok(match self.ids.found(facts)? {
            Some(invitation) => Offer::from(&invitation.body).reads(context.user()),
            None => AccountRecords::reads(self.ids.account, context.user()),
        })
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (permit, invitation) = self.ids.load(context, facts)?;
        let records = AccountRecords::load(facts, self.ids.account, context.user())?;
        Offer::from(&invitation.body).check_authority(context, facts, &records.access())?;
        check_pending(&invitation)?;
        let mut commit = Commit::open(context, permit, self.ids.head(facts)?)?;
        let invitation = commit.update(&invitation, sent_again(context, &invitation.body)?);
        commit.finish(EventType::InvitationResent, reply(&invitation))
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.ids.scope())
    }

    fn replay(&self, context: &Context<'_>, facts: &Facts, _: &[Key]) -> Result<Reply, Problem> {
        let (_, invitation) = self.ids.load(context, facts)?;
        Ok(reply(&invitation))
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use core::time::Duration;

    use serde_json::json;

    use crate::{
        testing::Fixture,
        value::{AccountRole, Timestamp},
    };

    #[test]
    fn resend_raises_rotation_and_renews_expired_invitation() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let account = fixture.account(&ana);
        let body = json!({ "email": "ben@example.com", "role": "guest" });
        let id = fixture.invite(&ana, &account, body);
        let path = format!("/v1/accounts/{account}/invitations/{id}");
        let resend = format!("{path}/resend");
        let first = fixture.get(&ana, &path).expect(200);
        let again = fixture.post(&ana, &resend, json!({})).expect(200);
        assert_eq!(fixture.rounds, 2);
        assert_eq!(again.body["rotation"], 1);
        assert_eq!(again.body["expires_at"], first.body["expires_at"]);
        fixture.pass(super::LIFETIME + Duration::from_secs(1));
        let revived = fixture.post(&ana, &resend, json!({})).expect(200);
        let expiry: Timestamp = revived.text("expires_at").parse().unwrap();
        assert_eq!(expiry, fixture.now.after(super::LIFETIME));
        fixture.delete(&ana, &path).expect(204);
        let before = fixture.dump();
        fixture.post(&ana, &resend, json!({})).expect(409);
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn resend_repeated_does_not_rotate_again() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let account = fixture.account(&ana);
        let body = json!({ "email": "ben@example.com", "role": "guest" });
        let id = fixture.invite(&ana, &account, body);
        let path = format!("/v1/accounts/{account}/invitations/{id}/resend");
        let headers = [("idempotency-key", "k1")];
        let mut send = || fixture.send(&ana, "POST", &path, &headers, Some(json!({})));
        let first = send().expect(200);
        assert_eq!(send().expect(200).body, first.body);
        assert_eq!(first.body["rotation"], 1);
    }

    #[test]
    fn case_29_sender_needs_authority_for_the_offer() {
        let mut fixture = Fixture::new();
        let (ana, ben, eve) = (
            fixture.person("ana"),
            fixture.person("ben"),
            fixture.person("eve"),
        );
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Admin);
        fixture.join(&account, &eve, AccountRole::Member);
        let offer = |role| json!({ "email": "joe@example.com", "role": role });
        let owner = fixture.invite(&ana, &account, offer("owner"));
        let guest = fixture.invite(&ana, &account, offer("guest"));
        let path = |id| format!("/v1/accounts/{account}/invitations/{id}/resend");
        let before = fixture.dump();
        fixture
            .post(&ben, &path(&owner), json!({}))
            .expect(403)
            .expect_problem("escalation");
        fixture.post(&eve, &path(&guest), json!({})).expect(403);
        assert_eq!(fixture.dump(), before);
        let sent = fixture.post(&ben, &path(&guest), json!({})).expect(200);
        assert_eq!(sent.body["invited_by"], ben.id());
    }
}
