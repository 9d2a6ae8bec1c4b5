//! The main use of the product from end to end.

use serde_json::json;

use crate::{
    client::{Person, declaration},
    harness::Harness,
};

/// Two people, an account, a team, a project, files, versions, a revoked grant, a journal that
/// verifies.
pub async fn whole_journey_succeeds<H: Harness>(surface: &H) {
    let (ana, ben) = (Person::new(surface, "ana"), Person::new(surface, "ben"));
    let account = ana.account().await;
    let project = ana.project(&account).await;
    ana.bring(&account, &ben, "member").await;
    let ben_id = ben.id().await;

    let teams = format!("/v1/accounts/{account}/teams");
    let team = ana
        .post(&teams, json!({ "name": "Review" }))
        .await
        .expect(201)
        .id();
    let place = format!("{teams}/{team}/members/{ben_id}");
    ana.put(&place, json!({ "role": "member" }))
        .await
        .expect(201);
    ben.get(&format!("/v1/projects/{project}"))
        .await
        .expect_problem("not-found");
    let grant = json!({ "principal": { "type": "team", "id": team }, "role": "contributor" });
    let grants = format!("/v1/projects/{project}/grants");
    let grant = ana.post(&grants, grant).await.expect(201).id();

    let artifact = ben.upload(&project, "plan.txt", b"first").await;
    let versions = format!("/v1/projects/{project}/artifacts/{artifact}/versions");
    let second = ben
        .post(&versions, declaration("plan.txt", b"second"))
        .await
        .expect(201);
    ben.follow(&second.body["upload"], b"second").await;
    ben.post(&format!("{versions}/2/complete"), json!({}))
        .await
        .expect(200);
    let restored = ben
        .post(&format!("{versions}/1/restore"), json!({}))
        .await
        .expect(201);
    assert_eq!(restored.body["number"], 3);
    let download = ana
        .post(&format!("{versions}/3/download"), json!({}))
        .await
        .expect(200);
    let step = json!({ "method": "GET", "url": download.body["url"], "headers": download.body["headers"] });
    let bytes = surface
        .object(crate::client::object_request(&step, Vec::new()))
        .await;
    assert_eq!(
        (bytes.status, bytes.body.as_slice()),
        (200, b"first".as_slice())
    );

    let escalation = json!({ "principal": { "type": "user", "id": ben_id }, "role": "owner" });
    let refused = ben
        .post(&grants, escalation)
        .await
        .expect_problem("forbidden");
    assert_eq!(refused.body["missing"], json!(["grant.manage"]));

    ana.delete(&format!("{grants}/{grant}")).await.expect(204);
    ben.get(&format!("/v1/projects/{project}"))
        .await
        .expect_problem("not-found");
    let journal = format!("/v1/projects/{project}/journal/verification");
    let verified = ana.get(&journal).await.expect(200);
    assert_eq!(verified.body["valid"], true, "{}", verified.body);
    surface.drain().await;
    let events = surface.events().await;
    assert!(events.iter().any(|event| event.kind == "wm.grant.revoked"));
}
