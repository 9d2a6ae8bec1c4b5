//! Cases E: concurrent writes, repetitions, partial failures and limits.

use serde_json::json;
use wm_core::record::Metadata;

use crate::{client::Person, harness::Harness, suite::fixture::Fixture};

/// Of two updates of the same version, one succeeds. The other is refused and changes nothing.
pub async fn case_51_one_of_two_writers_succeeds<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let path = format!("/v1/projects/{}", ana.project(&ana.account().await).await);
    for round in 0..5 {
        let etag = ana.get(&path).await.expect(200).etag();
        let headers = [("if-match", etag.as_str())];
        let rename = |name: &str| Some(json!({ "name": format!("{name} {round}") }));
        let (one, two) = tokio::join!(
            ana.send("PATCH", &path, &headers, rename("One")),
            ana.send("PATCH", &path, &headers, rename("Two")),
        );
        let (winner, loser) = if one.status == 200 {
            (one, two)
        } else {
            (two, one)
        };
        loser.expect(412).expect_problem("precondition-failed");
        let winner = winner.expect(200);
        let kept = ana.get(&path).await.expect(200);
        assert_eq!(
            (kept.text("name"), kept.etag()),
            (winner.text("name"), winner.etag())
        );
    }
}

/// A client without an answer repeats its request with its key and gets the first answer. One entry
/// is written, also if many repetitions arrive at once.
pub async fn case_52_retry_after_a_commit_changes_nothing<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let account = ana.account().await;
    let teams = format!("/v1/accounts/{account}/teams");
    let key = [("idempotency-key", "once")];
    let create = || ana.send("POST", &teams, &key, Some(json!({ "name": "Review" })));
    let (one, two, three) = tokio::join!(create(), create(), create());
    let ids = [one, two, three].map(|answer| answer.expect(201).id());
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let journal = ana.list(&format!("/v1/accounts/{account}/journal")).await;
    let created = journal
        .iter()
        .filter(|entry| entry["event"] == "team.created");
    assert_eq!(created.count(), 1, "{journal:?}");
    ana.delete(&format!("{teams}/{}", ids[0])).await.expect(204);
    create().await.expect(409).expect_problem("conflict");
    assert_eq!(ana.list(&teams).await.len(), 0);
}

/// If one part of a command is invalid, nothing is changed.
pub async fn case_54_one_failing_item_changes_nothing<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let fixture = Fixture::found(&ana).await;
    let before = fixture.row_counts(&ana).await;
    let invitations = format!("/v1/accounts/{}/invitations", fixture.id("account"));
    let waiting = ana.list(&invitations).await;
    let ghost = fixture.with_missing_ids();
    let body = json!({ "email": "x@example.com", "role": "member", "teams": [fixture.id("team"), ghost.id("team")] });
    ana.post(&invitations, body).await.expect(400);
    let rule = json!({ "event": "grant.created", "channel": "mail", "enabled": true });
    let twice = json!({ "rules": [rule, rule] });
    let preferences = "/v1/preferences/notifications";
    ana.put(preferences, twice)
        .await
        .expect(400)
        .expect_field("rules[1]");
    assert_eq!(
        ana.get(preferences).await.expect(200).body["rules"],
        json!([])
    );
    assert_eq!(ana.list(&invitations).await, waiting);
    assert_eq!(fixture.row_counts(&ana).await, before);
    surface.drain().await;
    assert!(surface.mails("x@example.com").await.is_empty());
}

/// 64 KiB of metadata are stored byte by byte. One byte more is refused.
pub async fn case_59_items_are_stored_up_to_their_limits<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let fixture = Fixture::found(&ana).await;
    let (project, artifact) = (fixture.id("project"), fixture.id("artifact"));
    let path = format!("/v1/projects/{project}/artifacts/{artifact}/metadata");
    // `{"a":"…"}` has eight bytes around the text.
    let values = |bytes: usize| json!({ "values": { "a": "x".repeat(bytes - 8) } });
    ana.post(&path, values(Metadata::BYTES + 1))
        .await
        .expect(400)
        .expect_field("values");
    for _ in 0..2 {
        ana.post(&path, values(Metadata::BYTES)).await.expect(201);
    }
    let kept = ana.list(&path).await;
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[0]["values"], values(Metadata::BYTES)["values"]);
    let escaped = json!({ "values": { "a": "\u{1}".repeat(Metadata::BYTES / 6) } });
    let answer = ana.post(&path, escaped).await;
    assert!(matches!(answer.status, 201 | 400), "{}", answer.body);
    let journal = format!("/v1/projects/{project}/journal/verification");
    assert_eq!(ana.get(&journal).await.expect(200).body["valid"], true);
}
