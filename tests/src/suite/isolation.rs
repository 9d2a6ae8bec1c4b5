//! Cases B: tenants do not see each other.

use serde_json::{Value, json};

use crate::{
    client::Person,
    harness::Harness,
    suite::{
        fixture::{Fixture, parameters},
        refusals::private_routes,
    },
};

/// Two owners with a fixture each.
async fn two<H: Harness>(surface: &H) -> [(Person<'_, H>, Fixture); 2] {
    let (ana, eve) = (Person::new(surface, "ana"), Person::new(surface, "eve"));
    let estates = (Fixture::found(&ana).await, Fixture::found(&eve).await);
    [(ana, estates.0), (eve, estates.1)]
}

fn words(mut problem: Value) -> Value {
    problem["request_id"] = Value::Null;
    problem
}

/// On every route, an id of another account gets exactly the answer of an id that does not exist
/// (case 23).
pub async fn case_17_ids_of_another_account_do_not_exist<H: Harness>(surface: &H) {
    let [(ana, fixture), (eve, _)] = two(surface).await;
    let before = fixture.row_counts(&ana).await;
    let ghost = fixture.with_missing_ids();
    for route in private_routes().filter(|route| parameters(route).next().is_some()) {
        let foreign = fixture
            .call(&eve, route)
            .await
            .expect(404)
            .expect_problem("not-found");
        let nowhere = ghost.call(&eve, route).await.expect(404);
        assert_eq!(
            words(foreign.body),
            words(nowhere.body),
            "{}",
            route.operation
        );
    }
    assert_eq!(fixture.row_counts(&ana).await, before);
}

/// An id of another account below an own id is not found.
pub async fn case_18_ids_that_disagree_are_not_found<H: Harness>(surface: &H) {
    let [(ana, foreign), (eve, own)] = two(surface).await;
    let before = (foreign.row_counts(&ana).await, own.row_counts(&eve).await);
    for route in private_routes() {
        for name in parameters(route).skip(1).filter(|name| *name != "number") {
            let mixed = own.with(name, foreign.id(name));
            mixed
                .call(&eve, route)
                .await
                .expect(404)
                .expect_problem("not-found");
        }
    }
    let after = (foreign.row_counts(&ana).await, own.row_counts(&eve).await);
    assert_eq!(before, after);
}

/// A list of teams with more than one page, and the cursor of its second page.
async fn paged<H: Harness>(owner: &Person<'_, H>, account: &str) -> (String, String) {
    let teams = format!("/v1/accounts/{account}/teams");
    for name in ["One", "Two", "Three"] {
        owner
            .post(&teams, json!({ "name": name }))
            .await
            .expect(201);
    }
    let page = owner.get(&format!("{teams}?limit=1")).await.expect(200);
    (teams, page.text("next_cursor"))
}

/// A cursor is bound to its caller and to its list.
pub async fn case_19_cursor_works_only_for_its_caller_and_list<H: Harness>(surface: &H) {
    let (ana, ben) = (Person::new(surface, "ana"), Person::new(surface, "ben"));
    let eve = Person::new(surface, "eve");
    let (account, foreign) = (ana.account().await, eve.account().await);
    ana.bring(&account, &ben, "member").await;
    let (teams, cursor) = paged(&ana, &account).await;
    ana.get(&format!("{teams}?cursor={cursor}"))
        .await
        .expect(200);
    let own = format!("/v1/accounts/{foreign}/teams?cursor={cursor}");
    eve.get(&own).await.expect_field("cursor");
    ben.get(&format!("{teams}?cursor={cursor}"))
        .await
        .expect_field("cursor");
    let other = format!("/v1/accounts/{account}/projects?cursor={cursor}");
    ana.get(&other).await.expect_field("cursor");
    let foreign = eve.get(&format!("{teams}?cursor={cursor}")).await;
    foreign.expect(400).expect_field("cursor");
}

/// A change of any character invalidates a cursor.
pub async fn case_20_edited_and_forged_cursors_are_refused<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let account = ana.account().await;
    let (teams, cursor) = paged(&ana, &account).await;
    for position in 0..cursor.len() {
        let mut edited = cursor.clone().into_bytes();
        edited[position] = if edited[position] == b'A' { b'B' } else { b'A' };
        let edited = String::from_utf8(edited).unwrap();
        ana.get(&format!("{teams}?cursor={edited}"))
            .await
            .expect_field("cursor");
    }
    for forged in ["", "AAAA", "%00", &cursor[1..], &format!("{cursor}A")] {
        ana.get(&format!("{teams}?cursor={forged}"))
            .await
            .expect_field("cursor");
    }
}

/// No list, session or verification of one person contains an id of another account.
pub async fn case_21_lists_show_no_foreign_records<H: Harness>(surface: &H) {
    let [(_, foreign), (eve, own)] = two(surface).await;
    for route in private_routes().filter(|route| route.method == wm_core::operation::Method::Get) {
        let shown = eve.get(&own.path(route)).await.expect(200).body.to_string();
        for name in [
            "account",
            "project",
            "artifact",
            "team",
            "user",
            "grant",
            "invitation",
        ] {
            assert!(
                !shown.contains(foreign.id(name)),
                "{}: {shown}",
                route.operation
            );
        }
    }
}

/// An invitation with a foreign team or project is refused as a whole, as is a preview with a
/// foreign grant.
pub async fn case_22_one_foreign_id_refuses_the_whole_request<H: Harness>(surface: &H) {
    let [(_, foreign), (eve, own)] = two(surface).await;
    let before = own.row_counts(&eve).await;
    let invitations = format!("/v1/accounts/{}/invitations", own.id("account"));
    let teams = json!({ "email": "x@example.com", "role": "member", "teams": [own.id("team"), foreign.id("team")] });
    let refused = eve.post(&invitations, teams).await.expect(400);
    assert!(
        !refused.body.to_string().contains("exists"),
        "{}",
        refused.body
    );
    let offer =
        |fixture: &Fixture| json!({ "project_id": fixture.id("project"), "role": "viewer" });
    let grants = json!({ "email": "x@example.com", "role": "member", "project_grants": [offer(&own), offer(&foreign)] });
    eve.post(&invitations, grants).await.expect(400);
    let preview = format!("/v1/projects/{}/access/preview", own.id("project"));
    let revoke = json!({ "revoke": [own.id("grant"), foreign.id("grant")] });
    eve.post(&preview, revoke).await.expect_field("revoke[1]");
    assert_eq!(own.row_counts(&eve).await, before);
}

/// The same URL gives each person their own answer, in any order, and forbids caches to store it.
pub async fn case_25_no_cache_is_shared_between_people<H: Harness>(surface: &H) {
    let [(ana, fixture), (eve, _)] = two(surface).await;
    let path = format!("/v1/projects/{}", fixture.id("project"));
    for _ in 0..3 {
        let shown = ana.get(&path).await.expect(200);
        assert_eq!(shown.raw.header("cache-control"), Some("no-store"));
        let refused = eve.get(&path).await.expect(404);
        assert_eq!(refused.raw.header("cache-control"), Some("no-store"));
        let etag = shown.etag();
        let headers = [("if-none-match", etag.as_str())];
        eve.send("GET", &path, &headers, None).await.expect(404);
    }
}
