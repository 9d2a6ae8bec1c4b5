//! Cases C: the lifecycle of grants, members, teams and invitations.

use std::time::Duration;

use serde_json::{Value, json};
use wm_core::operation::Method;

use crate::{
    client::{Person, declaration},
    harness::Harness,
    suite::{self, fixture, refusals::private_routes},
};

struct Fixture<'a, H> {
    ana: Person<'a, H>,
    ben: Person<'a, H>,
    ben_id: String,
    account: String,
    project: String,
}

impl<'a, H: Harness> Fixture<'a, H> {
    /// Ana owns an account with a private project, and Ben is a guest in it.
    async fn new(surface: &'a H) -> Self {
        let (ana, ben) = (Person::new(surface, "ana"), Person::new(surface, "ben"));
        let account = ana.account().await;
        let project = ana.project(&account).await;
        ana.bring(&account, &ben, "guest").await;
        let ben_id = ben.id().await;
        Self {
            ana,
            ben,
            ben_id,
            account,
            project,
        }
    }

    fn project(&self) -> String {
        format!("/v1/projects/{}", self.project)
    }

    fn grants(&self) -> String {
        format!("{}/grants", self.project())
    }

    fn member(&self, user: &str) -> String {
        format!("/v1/accounts/{}/members/{user}", self.account)
    }

    /// Creates a team with Ben in it. Returns its path and its id.
    async fn team(&self) -> (String, String) {
        let teams = format!("/v1/accounts/{}/teams", self.account);
        let team = self
            .ana
            .post(&teams, json!({ "name": "Review" }))
            .await
            .expect(201)
            .id();
        let path = format!("{teams}/{team}");
        let place = format!("{path}/members/{}", self.ben_id);
        self.ana
            .put(&place, json!({ "role": "member" }))
            .await
            .expect(201);
        (path, team)
    }
}

fn to(kind: &str, id: &str, role: &str) -> Value {
    json!({ "principal": { "type": kind, "id": id }, "role": role })
}

/// A manager cannot make any person an owner, including themselves (includes case 29).
pub async fn case_28_person_cannot_raise_their_own_role<H: Harness>(surface: &H) {
    let fixture = Fixture::new(surface).await;
    let (ben, id) = (&fixture.ben, fixture.ben_id.as_str());
    let own = fixture.ana.grant(&fixture.project, id, "manager").await;
    let refused = ben
        .post(&fixture.grants(), to("user", id, "owner"))
        .await
        .expect(403);
    let refused = refused.expect_problem("escalation");
    assert_eq!(
        refused.body["missing"],
        json!(["project.archive", "project.delete"])
    );
    let raised = ben
        .patch(
            &format!("{}/{own}", fixture.grants()),
            json!({ "role": "owner" }),
        )
        .await;
    raised.expect(403).expect_problem("escalation");
    let (_, team) = fixture.team().await;
    let refused = ben
        .post(&fixture.grants(), to("team", &team, "owner"))
        .await;
    refused.expect(403).expect_problem("escalation");
    let member = ben
        .patch(&fixture.member(id), json!({ "role": "owner" }))
        .await;
    member.expect(403);
    let access = ben
        .get(&format!("{}/access", fixture.project()))
        .await
        .expect(200);
    assert!(
        !access.body["capabilities"]
            .as_array()
            .unwrap()
            .contains(&json!("project.delete"))
    );
}

/// The last owner can neither leave nor be demoted or suspended. If two owners leave at once, one
/// stays.
pub async fn case_30_last_owner_stays<H: Harness>(surface: &H) {
    let fixture = Fixture::new(surface).await;
    let ana = &fixture.ana;
    let ana_path = fixture.member(&ana.id().await);
    ana.delete(&ana_path)
        .await
        .expect(409)
        .expect_problem("last-owner");
    for change in [json!({ "role": "admin" }), json!({ "status": "suspended" })] {
        ana.patch(&ana_path, change)
            .await
            .expect(409)
            .expect_problem("last-owner");
    }
    let ben_path = fixture.member(&fixture.ben_id);
    ana.patch(&ben_path, json!({ "role": "owner" }))
        .await
        .expect(200);
    let (one, two) = tokio::join!(ana.delete(&ana_path), fixture.ben.delete(&ben_path));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409]);
    let stayed = if one.status == 204 { &fixture.ben } else { ana };
    let members = format!("/v1/accounts/{}/members", fixture.account);
    let owners = stayed.list(&members).await;
    assert_eq!(
        owners
            .iter()
            .filter(|member| member["role"] == "owner")
            .count(),
        1
    );
}

/// Removal from a team and deletion of a team take effect with the next request.
pub async fn case_31_next_request_after_team_removal_is_refused<H: Harness>(surface: &H) {
    let fixture = Fixture::new(surface).await;
    let (path, team) = fixture.team().await;
    fixture
        .ana
        .post(&fixture.grants(), to("team", &team, "viewer"))
        .await
        .expect(201);
    let place = format!("{path}/members/{}", fixture.ben_id);
    fixture.ben.get(&fixture.project()).await.expect(200);
    fixture.ana.delete(&place).await.expect(204);
    fixture.ben.get(&fixture.project()).await.expect(404);
    fixture
        .ana
        .put(&place, json!({ "role": "member" }))
        .await
        .expect(201);
    fixture.ben.get(&fixture.project()).await.expect(200);
    fixture.ana.delete(&path).await.expect(204);
    fixture.ben.get(&fixture.project()).await.expect(404);
    fixture
        .ana
        .put(&place, json!({ "role": "member" }))
        .await
        .expect(404);
}

/// Grants are possible only for active members and live teams of the account.
pub async fn case_32_removed_principal_gets_no_grant<H: Harness>(surface: &H) {
    let fixture = Fixture::new(surface).await;
    let (path, team) = fixture.team().await;
    let eve = Person::new(surface, "eve").id().await;
    let refused = async |kind: &str, id: &str| {
        let refused = fixture
            .ana
            .post(&fixture.grants(), to(kind, id, "viewer"))
            .await;
        refused.expect(400).expect_problem("invalid-request")
    };
    fixture.ana.delete(&path).await.expect(204);
    refused("team", &team).await;
    let stranger = refused("user", &eve).await;
    let (ben, suspended) = (
        fixture.member(&fixture.ben_id),
        json!({ "status": "suspended" }),
    );
    fixture.ana.patch(&ben, suspended).await.expect(200);
    refused("user", &fixture.ben_id).await;
    fixture
        .ana
        .delete(&fixture.member(&fixture.ben_id))
        .await
        .expect(204);
    let gone = refused("user", &fixture.ben_id).await;
    assert_eq!(stranger.body["errors"], gone.body["errors"]);
    assert_eq!(fixture.ana.list(&fixture.grants()).await.len(), 1);
}

/// A grant gives its role before its expiry and nothing from that instant on.
pub async fn case_33_grant_expires_at_its_instant<H: Harness>(surface: &H) {
    let fixture = Fixture::new(surface).await;
    let mut grant = to("user", &fixture.ben_id, "viewer");
    grant["expires_at"] = json!("2020-01-01T00:00:00Z");
    fixture
        .ana
        .post(&fixture.grants(), grant.clone())
        .await
        .expect(400)
        .expect_field("expires_at");
    let made = fixture
        .ana
        .get(&fixture.project())
        .await
        .expect(200)
        .text("created_at");
    grant["expires_at"] = json!(format!("2{}", &made[1..]).replacen("20", "21", 1));
    let granted = fixture.ana.post(&fixture.grants(), grant).await.expect(201);
    fixture.ben.get(&fixture.project()).await.expect(200);
    let century = Duration::from_secs(60 * 60 * 24 * 36_600);
    if let Err(reason) = surface.pass(century) {
        return suite::skip(surface.name(), "case_33", reason);
    }
    let late = Person::new(surface, "ben");
    late.get(&fixture.project()).await.expect(404);
    let path = format!("{}/{}", fixture.grants(), granted.id());
    let shown = Person::new(surface, "ana").get(&path).await.expect(200);
    assert_eq!(shown.body["status"], "expired");
}

/// An invitation token works once, for the invited e-mail address, until it is rotated or revoked.
pub async fn case_34_invitation_works_once_and_for_its_address<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let (ben, eve) = (Person::new(surface, "ben"), Person::new(surface, "eve"));
    let invitations = format!("/v1/accounts/{}/invitations", ana.account().await);
    let body = json!({ "email": ben.email, "role": "member" });
    let id = ana.post(&invitations, body.clone()).await.expect(201).id();
    let first = json!({ "token": ben.invitation_token().await });
    let accept = "/v1/invitations/accept";
    eve.post(accept, first.clone())
        .await
        .expect(403)
        .expect_problem("forbidden");
    ana.post(&format!("{invitations}/{id}/resend"), json!({}))
        .await
        .expect(200);
    ben.post(accept, first)
        .await
        .expect(400)
        .expect_problem("invitation-invalid");
    let second = json!({ "token": ben.invitation_token().await });
    let twin = ben.clone();
    let (one, two) = tokio::join!(
        ben.post(accept, second.clone()),
        twin.post(accept, second.clone())
    );
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400], "{} {}", one.body, two.body);
    ben.post(accept, second)
        .await
        .expect(400)
        .expect_problem("invitation-invalid");
    let other = json!({ "email": eve.email, "role": "member" });
    let id = ana.post(&invitations, other).await.expect(201).id();
    let token = json!({ "token": eve.invitation_token().await });
    ana.delete(&format!("{invitations}/{id}")).await.expect(204);
    eve.post(accept, token)
        .await
        .expect(400)
        .expect_problem("invitation-invalid");
}

/// Grants of an earlier membership do not return with a new one.
pub async fn case_35_member_who_rejoins_has_no_old_grants<H: Harness>(surface: &H) {
    let fixture = Fixture::new(surface).await;
    fixture
        .ana
        .grant(&fixture.project, &fixture.ben_id, "viewer")
        .await;
    let (_, team) = fixture.team().await;
    fixture
        .ana
        .post(&fixture.grants(), to("team", &team, "contributor"))
        .await
        .expect(201);
    fixture
        .ben
        .delete(&fixture.member(&fixture.ben_id))
        .await
        .expect(204);
    fixture.ben.get(&fixture.project()).await.expect(404);
    fixture
        .ana
        .bring(&fixture.account, &fixture.ben, "guest")
        .await;
    fixture.ben.get(&fixture.project()).await.expect(404);
    let session = fixture.ben.get("/v1/session").await.expect(200);
    assert_eq!(
        (&session.body["grants"], &session.body["teams"]),
        (&json!([]), &json!([]))
    );
    fixture
        .ana
        .grant(&fixture.project, &fixture.ben_id, "viewer")
        .await;
    fixture.ben.get(&fixture.project()).await.expect(200);
}

/// A valid token of a suspended person gives no access to the account until the person is active
/// again.
pub async fn case_36_suspended_person_is_refused_at_once<H: Harness>(surface: &H) {
    let fixture = Fixture::new(surface).await;
    fixture
        .ana
        .grant(&fixture.project, &fixture.ben_id, "owner")
        .await;
    let status = async |status: &str| {
        let body = json!({ "status": status });
        fixture
            .ana
            .patch(&fixture.member(&fixture.ben_id), body)
            .await
            .expect(200);
    };
    status("suspended").await;
    let account = format!("/v1/accounts/{}", fixture.account);
    for path in [
        account,
        fixture.project(),
        format!("{}/access", fixture.project()),
    ] {
        fixture
            .ben
            .get(&path)
            .await
            .expect(404)
            .expect_problem("not-found");
    }
    fixture
        .ben
        .delete(&fixture.member(&fixture.ben_id))
        .await
        .expect(404);
    status("active").await;
    fixture.ben.get(&fixture.project()).await.expect(200);
}

/// Every writing route below an archived project is refused and changes nothing.
pub async fn case_37_archived_project_is_read_only<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let fixture = fixture::Fixture::found(&ana).await;
    let project = format!("/v1/projects/{}", fixture.id("project"));
    ana.patch(&project, json!({ "archived": true }))
        .await
        .expect(200);
    let before = fixture.row_counts(&ana).await;
    let project_route = "/v1/projects/{project}";
    let below = private_routes()
        .filter(|route| route.path.starts_with(project_route))
        .filter(|route| route.path != project_route);
    for route in below {
        let answer = fixture.call(&ana, route).await;
        let reads = route.method == Method::Get || route.path.ends_with("/{number}/download");
        let expected = if reads {
            [200, 200, 200]
        } else {
            [400, 403, 409]
        };
        assert!(
            expected.contains(&answer.status),
            "{}: {}",
            route.operation,
            answer.body
        );
    }
    let rename = json!({ "name": "Other" });
    ana.patch(&project, rename)
        .await
        .expect(409)
        .expect_problem("conflict");
    assert_eq!(fixture.row_counts(&ana).await, before);
}

/// Two grants give the union of their capabilities. Revoking one removes only its own.
pub async fn case_39_grants_add_up<H: Harness>(surface: &H) {
    let fixture = Fixture::new(surface).await;
    let (_, team) = fixture.team().await;
    let direct = fixture
        .ana
        .grant(&fixture.project, &fixture.ben_id, "contributor")
        .await;
    fixture
        .ana
        .post(&fixture.grants(), to("team", &team, "viewer"))
        .await
        .expect(201);
    let artifacts = format!("{}/artifacts", fixture.project());
    fixture
        .ben
        .post(&artifacts, declaration("a.txt", b"a"))
        .await
        .expect(201);
    let access = fixture
        .ben
        .get(&format!("{}/access", fixture.project()))
        .await
        .expect(200);
    assert_eq!(access.body["reasons"].as_array().unwrap().len(), 2);
    let twice = fixture
        .ana
        .post(&fixture.grants(), to("team", &team, "commenter"))
        .await;
    assert!(matches!(twice.status, 201 | 409), "{}", twice.body);
    fixture
        .ana
        .delete(&format!("{}/{direct}", fixture.grants()))
        .await
        .expect(204);
    fixture.ben.get(&fixture.project()).await.expect(200);
    let refused = fixture
        .ben
        .post(&artifacts, declaration("b.txt", b"b"))
        .await
        .expect(403);
    assert_eq!(refused.body["missing"], json!(["artifact.create"]));
}
