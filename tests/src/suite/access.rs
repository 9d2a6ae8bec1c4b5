//! The answers about access agree with each other and with the effects of requests.

use serde_json::{Value, json};

use crate::{client::Person, harness::Harness};

/// Ana's account with a project, and Ben in a team.
struct Fixture<'a, H> {
    ana: Person<'a, H>,
    ben: Person<'a, H>,
    ben_id: String,
    project: String,
    team: String,
}

impl<'a, H: Harness> Fixture<'a, H> {
    async fn new(surface: &'a H) -> Self {
        let (ana, ben) = (Person::new(surface, "ana"), Person::new(surface, "ben"));
        let account = ana.account().await;
        let project = format!("/v1/projects/{}", ana.project(&account).await);
        ana.bring(&account, &ben, "guest").await;
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
        Self {
            ana,
            ben,
            ben_id,
            project,
            team,
        }
    }

    fn to_team(&self, role: &str) -> Value {
        json!({ "principal": { "type": "team", "id": self.team }, "role": role })
    }

    async fn grant(&self, body: Value) -> String {
        let grants = format!("{}/grants", self.project);
        self.ana.post(&grants, body).await.expect(201).id()
    }

    /// Ben's access as the API answers it to Ana, now or at a time.
    async fn of_ben(&self, at: &str) -> Value {
        let path = format!("{}/access?user={}{at}", self.project, self.ben_id);
        self.ana.get(&path).await.expect(200).body
    }
}

/// The explanation, the list of subjects, the project and the session contain the same
/// capabilities.
pub async fn effective_access_matches_subjects_and_sessions<H: Harness>(surface: &H) {
    let fixture = Fixture::new(surface).await;
    let nothing = fixture.of_ben("").await;
    assert_eq!(
        (&nothing["capabilities"], &nothing["reasons"]),
        (&json!([]), &json!([]))
    );
    let grant = fixture.grant(fixture.to_team("contributor")).await;
    let reported = fixture.of_ben("").await;
    assert_eq!(reported["reasons"][0]["source"], "team_grant");
    assert_eq!(reported["reasons"][0]["record_id"], grant.as_str());
    let own = fixture
        .ben
        .get(&format!("{}/access", fixture.project))
        .await
        .expect(200);
    assert_eq!(own.body, reported);
    let project = fixture.ben.get(&fixture.project).await.expect(200);
    assert_eq!(project.body["capabilities"], reported["capabilities"]);
    let session = fixture.ben.get("/v1/session").await.expect(200);
    assert_eq!(
        session.body["projects"][0]["capabilities"],
        reported["capabilities"]
    );
    let subjects = format!("{}/subjects", fixture.project);
    let all = fixture.ana.list(&subjects).await;
    let ben = all
        .iter()
        .find(|subject| subject["user"] == fixture.ben_id.as_str())
        .unwrap();
    assert_eq!(ben["capabilities"], reported["capabilities"]);
    for (capability, expected) in [("artifact.create", 2), ("project.delete", 1)] {
        let path = format!("{subjects}?capability={capability}");
        assert_eq!(
            fixture.ana.list(&path).await.len(),
            expected,
            "{capability}"
        );
    }
    fixture
        .ben
        .get(&subjects)
        .await
        .expect(403)
        .expect_problem("forbidden");
    fixture
        .ana
        .get(&format!("{subjects}?capability=nothing"))
        .await
        .expect_field("capability");
}

fn capabilities(access: &Value) -> Vec<Value> {
    access["capabilities"].as_array().unwrap().clone()
}

/// A preview reports exactly the effect of the change, and changes nothing itself.
pub async fn preview_agrees_with_the_effect_of_the_change<H: Harness>(surface: &H) {
    let fixture = Fixture::new(surface).await;
    let first = fixture.grant(fixture.to_team("contributor")).await;
    let before = fixture.of_ben("").await;
    let entries = async || {
        fixture
            .ana
            .list(&format!("{}/journal", fixture.project))
            .await
            .len()
    };
    let journal = entries().await;
    let viewer = json!({ "principal": { "type": "user", "id": fixture.ben_id }, "role": "viewer" });
    let change = json!({ "add": [viewer], "revoke": [first] });
    let preview = fixture
        .ana
        .post(&format!("{}/access/preview", fixture.project), change)
        .await;
    let preview = preview.expect(200);
    assert_eq!(
        (fixture.of_ben("").await, entries().await),
        (before.clone(), journal)
    );
    fixture.grant(viewer).await;
    let path = format!("{}/grants/{first}", fixture.project);
    fixture.ana.delete(&path).await.expect(204);
    let after = fixture.of_ben("").await;
    let (had, has) = (capabilities(&before), capabilities(&after));
    let lost: Vec<_> = had.iter().filter(|one| !has.contains(one)).collect();
    let gained: Vec<_> = has.iter().filter(|one| !had.contains(one)).collect();
    assert!(!lost.is_empty());
    let expected = json!([{ "user": fixture.ben_id, "gained": gained, "lost": lost }]);
    assert_eq!(preview.body["items"], expected);
}

/// Access at an earlier time is answered from the journal. A time in the future is refused.
pub async fn past_access_is_reported<H: Harness>(surface: &H) {
    let fixture = Fixture::new(surface).await;
    let pause = || surface.pass(std::time::Duration::from_secs(5)).is_err();
    let wait = async || {
        if pause() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    wait().await;
    let grant = fixture.grant(fixture.to_team("contributor")).await;
    let path = format!("{}/grants/{grant}", fixture.project);
    let made = fixture.ana.get(&path).await.expect(200).text("created_at");
    let then = fixture.of_ben("").await;
    wait().await;
    fixture.ana.delete(&path).await.expect(204);
    assert_eq!(fixture.of_ben("").await["capabilities"], json!([]));
    let past = fixture.of_ben(&format!("&at={made}")).await;
    assert_eq!(past["capabilities"], then["capabilities"]);
    assert_eq!(past["reasons"], then["reasons"]);
    let founded = fixture
        .ana
        .get(&fixture.project)
        .await
        .expect(200)
        .text("created_at");
    let earlier = fixture.of_ben(&format!("&at={founded}")).await;
    assert_eq!(earlier["capabilities"], json!([]));
    let future = format!("{}/access?at=2999-01-01T00:00:00Z", fixture.project);
    fixture
        .ana
        .get(&future)
        .await
        .expect(400)
        .expect_field("at");
}
