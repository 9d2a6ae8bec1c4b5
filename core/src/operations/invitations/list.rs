//! `GET /v1/accounts/{account}/invitations`

use alloc::{boxed::Box, vec::Vec};

use super::InvitationView;
use crate::{
    operation::{
        Budget, Context, Example, FactError, Facts, Method, Outcome, PAGE, PageRequest, Parsed,
        Problem, ReadRequest, Requires, Route, Success, UseCase,
        authority::AccountRecords,
        schema,
        view::{self, ListView},
    },
    record::{Invitation, Record},
    storage::{Range, Scope, Sort},
    value::{AccountId, Capability},
};

struct ListInvitations {
    account: AccountId,
    page: PageRequest,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/accounts/{account}/invitations",
    "list_invitations",
    "List the invitations of an account",
    parse,
)
.describes("Answered and revoked invitations are included.")
.requires(Requires::Account(Capability::InviteManage))
.budget(Budget::READ)
.query(&PAGE)
.answers(&[Success::ok(
    schema::<ListView<InvitationView>>,
    Example::Page(super::EXAMPLE),
)]);

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
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let mut reads = AccountRecords::reads(self.account, context.user());
        reads.push(ReadRequest::Scan(self.range(context)?));
        Ok(reads)
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

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use crate::{testing::Fixture, value::AccountRole};

    #[test]
    fn invitation_list_has_pages() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let account = fixture.account(&ana);
        for name in ["ben", "eve", "joe"] {
            let email = format!("{name}@example.com");
            fixture.invite(&ana, &account, json!({ "email": email, "role": "guest" }));
        }
        let path = format!("/v1/accounts/{account}/invitations");
        let all = fixture.get(&ana, &path).expect(200).body;
        assert_eq!(fixture.rounds, 1);
        assert_eq!(all["items"].as_array().unwrap().len(), 3);
        assert!(all["next_cursor"].is_null());
        let first = fixture.get(&ana, &format!("{path}?limit=2")).expect(200);
        let cursor = first.text("next_cursor");
        let rest = fixture.get(&ana, &format!("{path}?limit=2&cursor={cursor}"));
        let rest = rest.expect(200).body;
        assert_eq!(first.body["items"][1], all["items"][1]);
        assert_eq!(rest["items"][0], all["items"][2]);
        assert!(rest["next_cursor"].is_null());
    }

    #[test]
    fn case_19_and_21_invitation_list_and_cursor_stay_private() {
        let mut fixture = Fixture::new();
        let (ana, ben, eve) = (
            fixture.person("ana"),
            fixture.person("ben"),
            fixture.person("eve"),
        );
        let (account, other) = (fixture.account(&ana), fixture.account(&eve));
        fixture.join(&account, &ben, AccountRole::Member);
        for email in ["one@example.com", "two@example.com"] {
            fixture.invite(&ana, &account, json!({ "email": email, "role": "guest" }));
        }
        let path = format!("/v1/accounts/{account}/invitations");
        let cursor = fixture.get(&ana, &format!("{path}?limit=1")).expect(200);
        let cursor = cursor.text("next_cursor");
        let answer = fixture.get(&ben, &path).expect(403);
        assert_eq!(answer.body["missing"], json!(["invite.manage"]));
        fixture.get(&eve, &path).expect(404);
        let stolen = format!("/v1/accounts/{other}/invitations?cursor={cursor}");
        let answer = fixture.get(&eve, &stolen).expect(400);
        assert_eq!(answer.body["errors"][0]["field"], "cursor");
    }
}
