//! `GET /v1/accounts/{account}/members`

use alloc::boxed::Box;

use super::MemberView;
use crate::{
    operation::{
        Budget, Example, Method, PAGE, Parsed, Problem, Requires, Route, Success, UseCase, schema,
        view::ListView,
    },
    operations::accounts::listing::Listing,
    record::Member,
    storage::IndexRows,
    value::Capability,
};

pub(super) const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/accounts/{account}/members",
    "list_members",
    "List the members of an account",
    parse,
)
.describes("In the order in which they joined.")
.requires(Requires::Account(Capability::MemberView))
.budget(Budget::CHECKED_LIST)
.query(&PAGE)
.answers(&[Success::ok(
    schema::<ListView<MemberView>>,
    Example::Page(super::EXAMPLE),
)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Listing::<Member, MemberView>::parse(
        request,
        IndexRows::members_of_account,
        Capability::MemberView,
    )
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String, vec::Vec};

    use serde_json::json;

    use crate::{
        testing::{Fixture, Person},
        value::AccountRole,
    };

    fn ids(fixture: &mut Fixture, person: &Person, path: &str) -> (Vec<String>, Option<String>) {
        let page = fixture.get(person, path).expect(200).body;
        let items = page["items"].as_array().unwrap();
        let id = |item: &serde_json::Value| item["id"].as_str().unwrap().into();
        let cursor = page["next_cursor"].as_str().map(Into::into);
        (items.iter().map(id).collect(), cursor)
    }

    #[test]
    fn member_list_keeps_the_order_of_joining() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let account = fixture.account(&ana);
        let mut expected = [ana.id()].to_vec();
        for name in ["ben", "cyd", "dan", "eli"] {
            fixture.pass(core::time::Duration::from_secs(1));
            let person = fixture.person(name);
            fixture.join(&account, &person, AccountRole::Member);
            expected.push(person.id());
        }
        let path = format!("/v1/accounts/{account}/members");
        assert_eq!(ids(&mut fixture, &ana, &path), (expected.clone(), None));
        assert_eq!(fixture.rounds, 3);
        let (mut seen, mut next) = ids(&mut fixture, &ana, &format!("{path}?limit=2"));
        assert_eq!(seen.len(), 2);
        while let Some(cursor) = next {
            let path = format!("{path}?limit=2&cursor={cursor}");
            let (more, after) = ids(&mut fixture, &ana, &path);
            seen.extend(more);
            next = after;
        }
        assert_eq!(seen, expected);
    }

    #[test]
    fn member_list_omits_removed_and_shows_suspended_members() {
        let mut fixture = Fixture::new();
        let [ana, ben, cyd] = ["ana", "ben", "cyd"].map(|name| fixture.person(name));
        let account = fixture.account(&ana);
        let path = format!("/v1/accounts/{account}/members");
        for person in [&ben, &cyd] {
            fixture.pass(core::time::Duration::from_secs(1));
            fixture.join(&account, person, AccountRole::Member);
        }
        fixture
            .delete(&ana, &format!("{path}/{}", ben.id()))
            .expect(204);
        let suspended = json!({ "status": "suspended" });
        fixture
            .patch(&ana, &format!("{path}/{}", cyd.id()), suspended)
            .expect(200);
        assert_eq!(ids(&mut fixture, &ana, &path).0, [ana.id(), cyd.id()]);
    }

    #[test]
    fn case_61_outdated_index_shows_no_former_member_or_role() {
        let mut fixture = Fixture::new();
        let [ana, ben, cyd] = ["ana", "ben", "cyd"].map(|name| fixture.person(name));
        let account = fixture.account(&ana);
        let path = format!("/v1/accounts/{account}/members");
        for person in [&ben, &cyd] {
            fixture.pass(core::time::Duration::from_secs(1));
            fixture.join(&account, person, AccountRole::Member);
        }
        fixture.behind = Some(fixture.store.clone());
        let (of_ben, of_cyd) = (
            format!("{path}/{}", ben.id()),
            format!("{path}/{}", cyd.id()),
        );
        fixture.delete(&ana, &of_ben).expect(204);
        fixture
            .patch(&ana, &of_cyd, json!({ "role": "guest" }))
            .expect(200);
        let page = fixture.get(&ana, &path).expect(200).body;
        let shown = page["items"].as_array().unwrap();
        assert_eq!(shown.len(), 2);
        assert_eq!(
            (&shown[1]["id"], &shown[1]["role"]),
            (&json!(cyd.id()), &json!("guest"))
        );
        // Permissions do not come from the outdated index either.
        fixture.get(&ben, &path).expect_problem("not-found");
        fixture.get(&cyd, &path).expect_problem("forbidden");
    }

    #[test]
    fn member_list_is_refused_without_member_view() {
        let mut fixture = Fixture::new();
        let [ana, ben, eve] = ["ana", "ben", "eve"].map(|name| fixture.person(name));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Guest);
        let path = format!("/v1/accounts/{account}/members");
        let refused = fixture.get(&ben, &path).expect(403);
        assert_eq!(refused.body["missing"][0], "member.view");
        fixture.get(&eve, &path).expect_problem("not-found");
        assert_eq!(fixture.rounds, 1);
    }

    #[test]
    fn member_list_names_bad_limit_and_foreign_cursor() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let account = fixture.account(&ana);
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=201", "limit"),
            ("cursor=bm8", "cursor"),
            ("role=owner", "role"),
        ] {
            let path = format!("/v1/accounts/{account}/members?{query}");
            let answer = fixture.get(&ana, &path).expect(400);
            assert_eq!(answer.body["errors"][0]["field"], field);
        }
    }

    #[test]
    fn case_19_member_cursor_is_bound_to_caller_and_list() {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        let (first, second) = (fixture.account(&ana), fixture.account(&ana));
        for account in [&first, &second] {
            fixture.join(account, &ben, AccountRole::Member);
        }
        let path = |account| format!("/v1/accounts/{account}/members?limit=1");
        let cursor = ids(&mut fixture, &ana, &path(&first)).1.unwrap();
        for (person, account) in [(&ben, &first), (&ana, &second)] {
            let path = format!("{}&cursor={cursor}", path(account));
            let answer = fixture.get(person, &path).expect(400);
            assert_eq!(answer.body["errors"][0]["field"], "cursor");
        }
    }
}
