//! Stored records: their values, creators, times and later changes.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    client::{Answered, Person, declaration},
    harness::Harness,
    suite::fixture::Fixture,
};

/// Asserts that a read value has every sent member.
#[track_caller]
fn assert_holds(read: &Value, sent: &Value) {
    let holds = match sent {
        Value::Object(members) => {
            members
                .iter()
                .for_each(|(name, value)| assert_holds(&read[name], value));
            read.is_object()
        }
        sent => read == sent,
    };
    assert!(holds, "{sent} was sent, and {read} is read");
}

/// A creation and a read give the same answer with the sent values, and the list contains it.
pub async fn written_records_are_read_back<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let fixture = Fixture::found(&ana).await;
    for (list, body, members) in creations(&fixture) {
        let answer = ana.post(&list, body.clone()).await.expect(201).body;
        let written = members.first().map_or(&answer, |member| &answer[member]);
        // These are read by their own ids, which name the account.
        let place = if list.ends_with("/projects") {
            "/v1/projects"
        } else {
            &list
        };
        let read = ana.get(&place_of(place, written)).await.expect(200).body;
        assert_eq!(read, *written, "{list}");
        if let [_, second] = members {
            let versions = format!("{}/versions", place_of(place, written));
            let version = ana.get(&place_of(&versions, &answer[second])).await;
            assert_holds(&version.expect(200).body, &body);
            assert_eq!(read["name"], body["name"]);
        } else {
            assert_holds(&read, &body);
        }
        let rows = if list == "/v1/accounts" {
            // Only the session lists accounts.
            let session = ana.get("/v1/session").await.expect(200).body;
            session["accounts"].as_array().unwrap().clone()
        } else {
            ana.list(&list).await
        };
        let ids: Vec<&Value> = rows.iter().map(|row| &row["id"]).collect();
        assert!(ids.contains(&&read["id"]), "{list}: {ids:?}");
    }
    what_is_put_is_read_back(&ana, &fixture).await;
    what_is_appended_is_read_back(&ana, &fixture).await;
}

/// The path of an object that was created in a list, by its number or its id.
fn place_of(list: &str, written: &Value) -> String {
    let number = written["number"].as_u64().map(|number| number.to_string());
    let name = number.unwrap_or_else(|| written["id"].as_str().unwrap().to_owned());
    format!("{list}/{name}")
}

/// A list, the body of a creation in it, and the members of the answer that identify the object.
type Creation = (String, Value, &'static [&'static str]);

/// All objects that are created in a list and read individually.
fn creations(fixture: &Fixture) -> [Creation; 8] {
    let account = format!("/v1/accounts/{}", fixture.id("account"));
    let project = format!("/v1/projects/{}", fixture.id("project"));
    let artifact = format!("{project}/artifacts/{}", fixture.id("artifact"));
    let to_team = json!({ "type": "team", "id": fixture.id("team") });
    let mut derived = declaration("plan.txt", b"text");
    derived["source_version"] = json!(1);
    derived["kind"] = json!("text");
    let file = declaration("a.txt", b"a");
    [
        (
            "/v1/accounts".to_owned(),
            json!({ "name": "Œuvre ☂", "kind": "organisation" }),
            &[],
        ),
        (format!("{account}/teams"), json!({ "name": "Été ☂" }), &[]),
        (
            format!("{account}/invitations"),
            json!({ "email": "zoe@example.com", "role": "guest" }),
            &[],
        ),
        (
            format!("{account}/projects"),
            json!({ "name": "Quay", "description": "One\nTwo", "visibility": "account" }),
            &[],
        ),
        (
            format!("{project}/grants"),
            json!({ "principal": to_team, "role": "commenter", "expires_at": "2999-01-01T00:00:00.000Z" }),
            &[],
        ),
        (
            format!("{project}/artifacts"),
            file.clone(),
            &["artifact", "version"],
        ),
        (format!("{artifact}/versions"), file, &["version"]),
        (format!("{artifact}/derived"), derived, &["derived"]),
    ]
}

/// Objects written with PUT: people in accounts and teams, and a person's preferences.
async fn what_is_put_is_read_back<H: Harness>(ana: &Person<'_, H>, fixture: &Fixture) {
    let ben = Person::new(ana.harness(), "ben");
    let account = fixture.id("account");
    ana.bring(account, &ben, "guest").await;
    let (account, user) = (format!("/v1/accounts/{account}"), ben.id().await);
    let team = format!("{account}/teams/{}/members", fixture.id("team"));
    let rule = json!({ "event": "version.available", "channel": "mail", "enabled": true });
    let preferences = "/v1/preferences/notifications".to_owned();
    for (method, place, body) in [
        (
            "PATCH",
            format!("{account}/members/{user}"),
            json!({ "role": "admin" }),
        ),
        ("PUT", format!("{team}/{user}"), json!({ "role": "lead" })),
        ("PUT", preferences, json!({ "rules": [rule] })),
    ] {
        let headers: &[_] = match method {
            "PATCH" => &[("if-match", "*")],
            _ => &[],
        };
        let written = ana.send(method, &place, headers, Some(body.clone())).await;
        assert!(written.status < 300, "{place}: {}", written.body);
        let read = ana.get(&place).await.expect(200).body;
        assert_eq!(read, written.body, "{place}");
        assert_holds(&read, &body);
        if let Some((list, _)) = place.rsplit_once(&format!("/{user}")) {
            assert!(ana.list(list).await.contains(&read), "{list}");
        }
    }
}

/// Objects that are read in lists only.
async fn what_is_appended_is_read_back<H: Harness>(ana: &Person<'_, H>, fixture: &Fixture) {
    let (project, artifact) = (fixture.id("project"), fixture.id("artifact"));
    let artifact = format!("/v1/projects/{project}/artifacts/{artifact}");
    for (kind, body) in [
        (
            "metadata",
            json!({ "values": { "pages": 3, "scale": 0.1, "title": "Été ☂", "draft": true } }),
        ),
        ("events", json!({ "kind": "note", "text": "One\nTwo ☂" })),
    ] {
        let list = format!("{artifact}/{kind}");
        let written = ana.post(&list, body.clone()).await.expect(201).body;
        let rows = ana.list(&list).await;
        assert_eq!(rows, [written], "{list}");
        assert_holds(&rows[0], &body);
    }
}

/// The session shows a person's accounts, teams, projects, grants and preferences, with their
/// capabilities.
pub async fn session_lists_everything_of_a_person<H: Harness>(surface: &H) {
    let (ana, ben) = (Person::new(surface, "ana"), Person::new(surface, "ben"));
    let account = ana.account().await;
    let project = ana.project(&account).await;
    ana.bring(&account, &ben, "guest").await;
    let user = ben.id().await;
    let teams = format!("/v1/accounts/{account}/teams");
    let team = ana.post(&teams, json!({ "name": "Review" })).await;
    let team = team.expect(201).id();
    let place = format!("{teams}/{team}/members/{user}");
    ana.put(&place, json!({ "role": "lead" })).await.expect(201);
    let grant = ana.grant(&project, &user, "viewer").await;
    let rule = json!({ "event": "version.available", "channel": "mail", "enabled": true });
    let rules = json!({ "rules": [rule] });
    let preferences = "/v1/preferences/notifications";
    ben.put(preferences, rules.clone()).await.expect(200);

    let session = ben.get("/v1/session").await.expect(200).body;
    assert_eq!(session["user"]["id"], user.as_str());
    assert_eq!(session["accounts"][0]["id"], account.as_str());
    assert_eq!(session["accounts"][0]["role"], "guest");
    assert_eq!(
        session["accounts"][0]["capabilities"],
        json!(["account.view"])
    );
    assert_eq!(session["teams"][0]["id"], team.as_str());
    assert_eq!(session["teams"][0]["role"], "lead");
    assert_eq!(session["projects"][0]["id"], project.as_str());
    assert_eq!(session["projects"][0]["role"], "viewer");
    let shown = ben.get(&format!("/v1/projects/{project}")).await;
    assert_eq!(
        session["projects"][0]["capabilities"],
        shown.body["capabilities"]
    );
    assert_eq!(session["grants"][0]["id"], grant.as_str());
    assert_eq!(session["preferences"]["rules"], rules["rules"]);
}

/// Uploads bytes into a list of versions or derived outputs. Returns the path of the record.
async fn add<H: Harness>(
    person: &Person<'_, H>,
    list: &str,
    declared: Value,
    bytes: &[u8],
) -> String {
    let answer = person.post(list, declared).await.expect(201).body;
    let name = match answer["version"]["number"].as_u64() {
        Some(number) => number.to_string(),
        None => answer["derived"]["id"].as_str().unwrap().to_owned(),
    };
    person.follow(&answer["upload"], bytes).await;
    let path = format!("{list}/{name}");
    let complete = format!("{path}/complete");
    person.post(&complete, json!({})).await.expect(200);
    path
}

/// A project or artifact shows the state after its last change, individually and in the list.
pub async fn projects_and_artifacts_show_their_current_state<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let fixture = Fixture::found(&ana).await;
    let project = format!("/v1/projects/{}", fixture.id("project"));
    let artifacts = format!("{project}/artifacts");
    let artifact = format!("{artifacts}/{}", fixture.id("artifact"));
    let read = async |path: &str| ana.get(path).await.expect(200).body;

    let first = read(&artifact).await;
    assert_eq!(first["current"]["number"], 1);
    let versions = format!("{artifact}/versions");
    add(
        &ana,
        &versions,
        declaration("plan.txt", b"second"),
        b"second",
    )
    .await;
    let second = read(&artifact).await;
    assert_eq!(
        (&second["current"]["number"], &second["versions"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(second["current"]["size"], 6);
    // A declared version is not current before its bytes have arrived.
    let third = declaration("plan.txt", b"third");
    ana.post(&versions, third).await.expect(201);
    assert_eq!(read(&artifact).await["current"], second["current"]);
    let labels = json!({ "name": "plan b.txt", "labels": { "stage": "draft" } });
    ana.patch(&artifact, labels).await.expect(200);
    let last = read(&artifact).await;
    assert_eq!(
        (&last["name"], &last["labels"]["stage"]),
        (&json!("plan b.txt"), &json!("draft"))
    );
    assert!(last["version"].as_u64() > second["version"].as_u64());
    assert_eq!(ana.list(&artifacts).await, [last]);

    let before = read(&project).await;
    let change = json!({ "name": "Quay", "visibility": "account", "archived": true });
    ana.patch(&project, change).await.expect(200);
    let after = read(&project).await;
    assert_eq!(after["version"], before["version"].as_u64().unwrap() + 1);
    let state = ["name", "visibility", "archived"].map(|field| &after[field]);
    assert_eq!(state, [&json!("Quay"), &json!("account"), &json!(true)]);
    assert_eq!(
        (&after["created_at"], &after["created_by"]),
        (&before["created_at"], &before["created_by"])
    );
}

/// Lets at least one millisecond pass, because records of the same millisecond have no order.
async fn next_instant<H: Harness>(surface: &H) {
    if surface.pass(Duration::from_secs(1)).is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Metadata and events of a document are appended in the order of time, belong to that document,
/// and stay.
pub async fn metadata_and_events_are_append_only<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let fixture = Fixture::found(&ana).await;
    let artifacts = format!("/v1/projects/{}/artifacts", fixture.id("project"));
    let artifact = format!("{artifacts}/{}", fixture.id("artifact"));
    let other = ana.declare(fixture.id("project"), "other.txt", b"x").await;
    let other = other.expect(201).body["artifact"]["id"].clone();
    let other = format!("{artifacts}/{}", other.as_str().unwrap());
    let author = json!(ana.id().await);
    for (kind, bodies) in [
        (
            "metadata",
            [1, 2, 1].map(|pages| json!({ "values": { "pages": pages } })),
        ),
        (
            "events",
            ["Read.", "Signed.", "Read."].map(|text| json!({ "kind": "note", "text": text })),
        ),
    ] {
        let list = format!("{artifact}/{kind}");
        let mut appended = Vec::new();
        for body in bodies {
            next_instant(surface).await;
            appended.push(ana.post(&list, body).await.expect(201).body);
            assert_eq!(ana.list(&list).await, appended);
        }
        for pair in appended.windows(2) {
            assert!(pair[0]["created_at"].as_str() < pair[1]["created_at"].as_str());
            assert_eq!(pair[1]["created_by"], author);
        }
        let id = appended[0]["id"].as_str().unwrap();
        for method in ["PUT", "PATCH", "DELETE"] {
            let refused = ana.send(method, &list, &[], None).await;
            refused.expect(405).expect_problem("method-not-allowed");
            ana.send(method, &format!("{list}/{id}"), &[], None)
                .await
                .expect(404);
        }
        assert_eq!(ana.list(&list).await, appended);
        assert_eq!(ana.list(&format!("{other}/{kind}")).await, [Value::Null; 0]);
    }
}

/// An output is superseded by one that names it. Both stay, and the raw version is unchanged.
pub async fn superseded_derived_output_keeps_the_raw_upload<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let fixture = Fixture::found(&ana).await;
    let project = format!("/v1/projects/{}", fixture.id("project"));
    let artifact = format!("{project}/artifacts/{}", fixture.id("artifact"));
    let read = async |path: &str| ana.get(path).await.expect(200).body;
    let raw = format!("{artifact}/versions/1");
    let before = (read(&raw).await, read(&artifact).await["current"].clone());

    let list = format!("{artifact}/derived");
    let declared = |bytes: &[u8]| {
        let mut body = declaration("plan.txt", bytes);
        body["source_version"] = json!(1);
        body["kind"] = json!("text");
        body
    };
    let first = add(&ana, &list, declared(b"rough"), b"rough").await;
    let id = read(&first).await["id"].clone();
    let mut better = declared(b"better");
    better["supersedes"] = id.clone();
    let second = add(&ana, &list, better, b"better").await;
    let (first, second) = (read(&first).await, read(&second).await);
    assert_eq!(
        (&second["supersedes"], &first["superseded_by"]),
        (&id, &second["id"])
    );
    for derived in [&first, &second] {
        let reported = ["source_version", "status"].map(|field| &derived[field]);
        assert_eq!(reported, [&json!(1), &json!("available")]);
    }
    let after = (read(&raw).await, read(&artifact).await["current"].clone());
    assert_eq!(before, after);
    let download = ana.post(&format!("{raw}/download"), json!({})).await;
    download.expect(200);
}

fn made(answer: &Answered) -> [Value; 2] {
    ["created_by", "created_at"].map(|field| answer.body[field].clone())
}

/// The creator and the time of a grant or an invitation stay visible after the revocation and the
/// answer.
pub async fn grants_and_invitations_keep_their_creator<H: Harness>(surface: &H) {
    let (ana, ben) = (Person::new(surface, "ana"), Person::new(surface, "ben"));
    let (account, author) = (ana.account().await, json!(ana.id().await));
    let project = ana.project(&account).await;
    let invitations = format!("/v1/accounts/{account}/invitations");
    let invite = async |person: &Person<'_, H>| {
        let body = json!({ "email": person.email, "role": "guest" });
        let made = ana.post(&invitations, body).await.expect(201);
        (format!("{invitations}/{}", made.id()), made)
    };
    let (accepted, asked) = invite(&ben).await;
    let token = json!({ "token": ben.invitation_token().await });
    ben.post("/v1/invitations/accept", token).await.expect(200);
    let (revoked, withdrawn) = invite(&Person::new(surface, "eve")).await;
    ana.delete(&revoked).await.expect(204);
    for (path, before, status) in [
        (&accepted, &asked, "accepted"),
        (&revoked, &withdrawn, "revoked"),
    ] {
        let kept = ana.get(path).await.expect(200);
        assert_eq!(kept.body["status"], status);
        assert_eq!(kept.body["invited_by"], author);
        assert_eq!((made(&kept), &made(&kept)[0]), (made(before), &author));
    }

    let grants = format!("/v1/projects/{project}/grants");
    let grant = ana.grant(&project, &ben.id().await, "viewer").await;
    let path = format!("{grants}/{grant}");
    let before = ana.get(&path).await.expect(200);
    let revoke = format!("{path}?reason=moved%20on");
    ana.delete(&revoke).await.expect(204);
    let kept = ana.get(&path).await.expect(200);
    assert_eq!((made(&kept), &made(&kept)[0]), (made(&before), &author));
    let reported = ["status", "revoked_by", "reason"].map(|field| &kept.body[field]);
    assert_eq!(reported, [&json!("revoked"), &author, &json!("moved on")]);
    let all = ana.list(&format!("{grants}?include=revoked")).await;
    assert!(all.iter().any(|row| row["id"] == grant.as_str()), "{all:?}");
}
