//! Data that an earlier release stored in data format 1: see `tests/fixtures/format-1/README.md`.
//!
//! The checks serve the data to the people who made it, compare every answer with that of the
//! release, and go on writing.

use std::fs;

use serde_json::{Value, json};

use crate::{
    client::{Person, declaration, object_request},
    harness::Harness,
    repository,
};

/// The data of one surface, and the answers that the release gave about it.
pub struct Stored {
    directory: String,
    /// The ids of the people by name, and of the records that the checks use.
    ids: Value,
    answers: Vec<Value>,
}

impl Stored {
    /// Reads the data of this surface: `local`, `aws` or `azure`.
    #[must_use]
    pub fn read(surface: &str) -> Self {
        let directory = format!("tests/fixtures/format-1/{surface}");
        let mut answers = lines(&directory, "answers.jsonl");
        Self {
            ids: answers.remove(0),
            answers,
            directory,
        }
    }

    /// The path of a file or folder of this data.
    #[must_use]
    pub fn path(&self, name: &str) -> std::path::PathBuf {
        repository::root().join(&self.directory).join(name)
    }

    /// The items in the form of the surface's database.
    #[must_use]
    pub fn items(&self) -> Vec<Value> {
        lines(&self.directory, "items.jsonl")
    }

    /// The texts of all objects by key.
    #[must_use]
    pub fn objects(&self) -> Vec<(String, String)> {
        let text = fs::read_to_string(self.path("objects.json")).unwrap();
        let objects: std::collections::BTreeMap<_, _> = serde_json::from_str(&text).unwrap();
        objects.into_iter().collect()
    }

    /// The id and the secret of the surface.
    #[must_use]
    pub fn surface(&self) -> (String, String) {
        let text = fs::read_to_string(self.path("surface.json")).unwrap();
        let surface: Value = serde_json::from_str(&text).unwrap();
        let member = |name: &str| surface[name].as_str().unwrap().to_owned();
        (member("surface"), member("secret"))
    }

    fn id(&self, name: &str) -> &str {
        self.ids[name].as_str().unwrap()
    }

    fn person(&self, name: &str) -> &str {
        self.ids["people"][name].as_str().unwrap()
    }

    fn account(&self) -> String {
        format!("/v1/accounts/{}", self.id("account"))
    }

    fn project(&self) -> String {
        format!("/v1/projects/{}", self.id("project"))
    }

    fn artifact(&self) -> String {
        format!("{}/artifacts/{}", self.project(), self.id("artifact"))
    }

    /// Asserts that the surface answers every request as the release did. Answers may have more
    /// members. Versions have another id.
    pub async fn assert_served<H: Harness>(&self, surface: &H) {
        for answer in &self.answers {
            self.assert_answer(surface, answer).await;
        }
    }

    /// Asserts that the access of people in the past is what it was for the release.
    pub async fn assert_past<H: Harness>(&self, surface: &H) {
        let is_past = |answer: &&Value| answer["target"].as_str().unwrap().contains("&at=");
        let past: Vec<&Value> = self.answers.iter().filter(is_past).collect();
        assert!(past.len() > 20, "{}", past.len());
        for answer in past {
            self.assert_answer(surface, answer).await;
        }
    }

    async fn assert_answer<H: Harness>(&self, surface: &H, expected: &Value) {
        let caller = expected["as"].as_str().unwrap_or("ana");
        let target = expected["target"].as_str().unwrap();
        let answer = Person::new(surface, caller).get(target).await;
        assert_eq!(json!(answer.status), expected["status"], "{target}");
        let etag = answer.raw.header("etag").map(str::to_owned);
        assert_eq!(json!(etag), expected["etag"], "{target}");
        assert_contains(&answer.body, &expected["body"], target);
    }

    /// Finishes the interrupted work and changes records of every family, then asserts that the
    /// journals are valid and that the past is unchanged.
    pub async fn assert_goes_on<H: Harness>(&self, surface: &H) {
        let person = |name| Person::new(surface, name);
        let (ana, ben, gus) = (person("ana"), person("ben"), person("gus"));
        self.finish_work(&gus).await;
        self.change_documents(&ana, &ben).await;
        self.change_people(&ana).await;
        surface.drain().await;
        for scope in [self.account(), self.project()] {
            let path = format!("{scope}/journal/verification");
            let verified = ana.get(&path).await.expect(200).body;
            assert_eq!(verified["valid"], true, "{scope}: {verified}");
        }
        self.assert_past(surface).await;
    }

    /// The sweep makes the pending grant, retires the deleted team and expires the open upload.
    async fn finish_work<H: Harness>(&self, gus: &Person<'_, H>) {
        let surface = gus.harness();
        surface.sweep().await;
        surface.drain().await;
        let ana = Person::new(surface, "ana");
        let shown = gus.get(&self.project()).await.expect(200).body;
        assert_eq!(shown["id"], self.id("project"));
        let path = format!("{}/journal?limit=200", self.account());
        let events: Vec<Value> = ana.list(&path).await;
        let has = |event: &str| events.iter().any(|entry| entry["event"] == event);
        assert!(has("team.retired") && has("invitation.completed"));
        let versions = ana.list(&format!("{}/versions", self.artifact())).await;
        let open = versions
            .iter()
            .find(|version| version["name"] == "open.txt");
        assert_eq!(open.unwrap()["status"], "expired");
        let published = surface.events().await;
        for event in [
            "wm.team.deleted",
            "wm.project.deleted",
            "wm.version.created",
        ] {
            let found = published.iter().any(|published| published.kind == event);
            assert!(found, "`{event}` was not published");
        }
    }

    /// Adds versions and outputs to a document, and restores its first version.
    async fn change_documents<H: Harness>(&self, ana: &Person<'_, H>, ben: &Person<'_, H>) {
        let (document, surface) = (self.artifact(), ana.harness());
        let versions = format!("{document}/versions");
        let last = ana.list(&versions).await.len();
        let declared = ben.post(&versions, declaration("new.txt", b"new")).await;
        let declared = declared.expect(201).body;
        assert_eq!(declared["version"]["number"], last + 1);
        for answer in ben.follow(&declared["upload"], b"new").await {
            assert!(answer.status < 300, "{}", answer.status);
        }
        let id = declared["version"]["id"].as_str().unwrap();
        ben.post(&format!("{versions}/{id}/complete"), json!({}))
            .await
            .expect(200);
        let restored = ben.post(&format!("{versions}/1/restore"), json!({})).await;
        let restored = restored.expect(201).body;
        assert_eq!(restored["restored_from"], 1);
        let restored = format!("{versions}/{}", restored["id"].as_str().unwrap());
        let first = ana.get(&format!("{versions}/1")).await.expect(200).body;
        let first = format!("{versions}/{}", first["id"].as_str().unwrap());
        for version in [first, restored] {
            let path = format!("{version}/download");
            let plan = ana.post(&path, json!({})).await.expect(200).body;
            let step = json!({ "method": "GET", "url": plan["url"], "headers": plan["headers"] });
            let bytes = surface.object(object_request(&step, Vec::new())).await;
            if self.directory.ends_with("aws") {
                // The URL names the version of the object that the release verified. The emulator
                // cannot store an object under a given version.
                let url = plan["url"].as_str().unwrap();
                assert!(url.contains("versionId="), "{url}");
                continue;
            }
            assert_eq!(
                (bytes.status, bytes.body.as_slice()),
                (200, b"first".as_slice())
            );
        }
        let mut output = declaration("new.text", b"text");
        output["source_version"] = json!(1);
        output["kind"] = json!("text");
        let derived = format!("{document}/derived");
        ben.post(&derived, output).await.expect(201);
        ana.delete(&document).await.expect(204);
        let document = ana.post(&format!("{document}/restore"), json!({})).await;
        assert_eq!(document.expect(200).body["versions"], last + 2);
    }

    /// Changes members, teams, grants and the profile.
    async fn change_people<H: Harness>(&self, ana: &Person<'_, H>) {
        let (account, project) = (self.account(), self.project());
        let (ben, cleo) = (self.person("ben"), self.person("cleo"));
        ana.patch(
            &format!("{account}/members/{ben}"),
            json!({ "role": "admin" }),
        )
        .await
        .expect(200);
        let lead = format!("{account}/teams/{}/members/{cleo}", self.id("kept_team"));
        ana.put(&lead, json!({ "role": "member" }))
            .await
            .expect(200);
        ana.patch(&account, json!({ "name": "Atelier" }))
            .await
            .expect(200);
        ana.patch(&project, json!({ "visibility": "account" }))
            .await
            .expect(200);
        let grants = format!("{project}/grants");
        let rows = ana.list(&grants).await;
        let of_ben = rows
            .iter()
            .find(|row| row["principal"]["id"] == ben)
            .unwrap();
        let grant = format!("{grants}/{}", of_ben["id"].as_str().unwrap());
        ana.patch(&grant, json!({ "role": "viewer" }))
            .await
            .expect(200);
        ana.delete(&grant).await.expect(204);
        let rules = json!({ "rules": [] });
        ana.put("/v1/preferences/notifications", rules)
            .await
            .expect(200);
        let third = ana.harness().access_token("ana.third@example.com");
        ana.post("/v1/session/identities", json!({ "access_token": third }))
            .await
            .expect(200);
        assert_eq!(ana.id().await, self.person("ana"));
    }
}

fn lines(directory: &str, name: &str) -> Vec<Value> {
    let path = repository::root().join(directory).join(name);
    let text = fs::read_to_string(&path).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

/// Asserts that every member that the release answered is still there.
fn assert_contains(actual: &Value, expected: &Value, place: &str) {
    match (actual, expected) {
        (Value::Object(now), Value::Object(before)) => {
            for (name, value) in before {
                // A version had its number as its id.
                if name == "id" && before.get("number").is_some() {
                    assert!(now[name].as_str().unwrap().starts_with("ver_"), "{place}");
                    continue;
                }
                let place = format!("{place} {name}");
                assert_contains(now.get(name).unwrap_or(&Value::Null), value, &place);
            }
        }
        (Value::Array(now), Value::Array(before)) => {
            assert_eq!(now.len(), before.len(), "{place}: {actual}");
            for (number, (now, before)) in now.iter().zip(before).enumerate() {
                assert_contains(now, before, &format!("{place} {number}"));
            }
        }
        _ => assert_eq!(actual, expected, "{place}"),
    }
}
