//! `GET /v1/accounts/{account}/members/{user}`

use alloc::{boxed::Box, vec::Vec};

use super::{MemberView, PathIds};
use crate::{
    operation::{
        Budget, Context, Example, Facts, Method, Outcome, Parsed, Problem, ReadRequest, Requires,
        Route, Success, UseCase, authority::AccountRecords, schema, view,
    },
    value::Capability,
};

#[derive(Debug)]
struct GetMember(PathIds);

pub(super) const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/accounts/{account}/members/{user}",
    "get_member",
    "Show a member",
    parse,
)
.describes("Answers the role and the status of the member.")
.requires(Requires::Account(Capability::MemberView))
.unless("callers ask for their own membership")
.budget(Budget::READ)
.answers(&[Success::ok(
    schema::<MemberView>,
    Example::Text(super::EXAMPLE),
)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(GetMember(PathIds::parse(request)?)))
}

impl UseCase for GetMember {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(self.0.reads(context))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let Self(ids) = self;
        let records = AccountRecords::load(facts, ids.account, context.user())?;
        let capability = if ids.user == context.user() {
            Capability::AccountView
        } else {
            Capability::MemberView
        };
        records.access().permit(ids.account, capability)?;
        let member = ids.load(facts)?.ok_or_else(Problem::not_found)?;
        let reply = view::shown(&member, &MemberView::from(&member));
        Ok(Outcome::Reply(reply))
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use crate::{testing::Fixture, value::AccountRole};

    #[test]
    fn member_is_shown_to_members() {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Member);
        let path = format!("/v1/accounts/{account}/members/{}", ana.id());
        let shown = fixture.get(&ben, &path).expect(200);
        assert_eq!(fixture.rounds, 1);
        assert_eq!(shown.id(), ana.id());
        assert_eq!(shown.text("user_id"), ana.id());
        assert_eq!(shown.text("account_id"), account);
        assert_eq!(shown.body["role"], "owner");
        assert_eq!(shown.body["status"], "active");
        assert!(shown.text("membership_id").starts_with("mbr_"));
        for hidden in ["email", "name", "invitation_id"] {
            assert!(shown.body.get(hidden).is_none(), "{hidden}");
        }
    }

    #[test]
    fn guest_sees_only_their_own_membership() {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Guest);
        let path = |user| format!("/v1/accounts/{account}/members/{user}");
        fixture.get(&ben, &path(ben.id())).expect(200);
        for user in [ana.id(), "usr_01h2xcejqtf2nbrexx3vqjhp41".into()] {
            let refused = fixture.get(&ben, &path(user)).expect(403);
            assert_eq!(refused.body["missing"][0], "member.view");
        }
    }

    #[test]
    fn case_17_outsider_finds_no_member() {
        let mut fixture = Fixture::new();
        let (ana, eve) = (fixture.person("ana"), fixture.person("eve"));
        let account = fixture.account(&ana);
        for user in [ana.id(), eve.id()] {
            let path = format!("/v1/accounts/{account}/members/{user}");
            fixture.get(&eve, &path).expect_problem("not-found");
        }
    }

    #[test]
    fn case_24_user_id_with_key_characters_is_not_found() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let account = fixture.account(&ana);
        let user = ana.id();
        for id in [
            format!("{user}#TEAM"),
            format!("{user}\0"),
            format!("{user}/"),
            format!(" {user}"),
            user.to_uppercase(),
            "usr_ä1h2xcejqtf2nbrexx3vqjhp4".into(),
        ] {
            let path = format!("/v1/accounts/{account}/members/{id}");
            fixture.get(&ana, &path).expect_problem("not-found");
        }
    }
}
