//! A run over every operation that measures the cost of each request. Each operation succeeds at
//! least once, for a person who is already known.

use std::{collections::BTreeMap, future::Future};

use serde_json::{Value, json};
use wm_core::http::{self, Request};

use crate::{
    client::{Answered, Person, declaration},
    harness::Harness,
};

/// Measures the cost of a request.
pub trait CostProbe: Sync {
    type Reading: Send;

    /// Resets the counters.
    fn reset(&self) -> impl Future<Output = ()> + Send;

    /// The cost of the request since the last reset. The sizes of its bodies are given.
    fn read(&self, bodies: Bodies) -> impl Future<Output = Self::Reading> + Send;
}

/// The sizes of a request's body and of its answer's body, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bodies {
    pub sent: usize,
    pub received: usize,
}

/// The costs of each request, by operation name.
pub type Costs<R> = BTreeMap<&'static str, Vec<R>>;

/// The highest cost of an operation.
pub fn most<R, C: PartialOrd>(costs: &Costs<R>, operation: &str, cost: impl Fn(&R) -> C) -> C {
    let requests = costs.get(operation).into_iter().flatten().map(cost);
    let dearest = requests.reduce(|one, other| if other > one { other } else { one });
    dearest.unwrap_or_else(|| panic!("`{operation}` was not requested"))
}

struct Run<'a, H, G: CostProbe> {
    surface: &'a H,
    probe: &'a G,
    costs: Costs<G::Reading>,
}

/// Calls every operation and measures each request.
pub async fn measure_all<H: Harness, G: CostProbe>(surface: &H, probe: &G) -> Costs<G::Reading> {
    let [ana, ben, cleo] = ["ana", "ben", "cleo"].map(|name| Person::new(surface, name));
    for person in [&ana, &ben, &cleo] {
        person.id().await;
    }
    let mut run = Run {
        surface,
        probe,
        costs: BTreeMap::new(),
    };
    let ben_id = ben.id().await;
    run.person(&ana).await;
    let body = json!({ "name": "Atelier", "kind": "organisation" });
    let account = run.post(&ana, "/v1/accounts", body).await.id();
    let account = format!("/v1/accounts/{account}");
    run.get(&ana, &account).await;
    run.patch(&ana, &account, json!({ "name": "Works" })).await;
    run.people(&ana, &account, &ben, &cleo).await;
    run.teams(&ana, &account, &ben_id).await;
    let projects = format!("{account}/projects");
    let body = json!({ "name": "House", "visibility": "private" });
    let project = run.post(&ana, &projects, body).await.id();
    let project = format!("/v1/projects/{project}");
    run.get(&ana, &projects).await;
    run.get(&ana, &project).await;
    run.patch(&ana, &project, json!({ "description": "Old." }))
        .await;
    run.grants(&ana, &project, &ben_id).await;
    run.documents(&ana, &project).await;
    for scope in [&account, &project] {
        run.get(&ana, &format!("{scope}/journal")).await;
        run.get(&ana, &format!("{scope}/journal/verification"))
            .await;
    }
    run.get(&ana, "/v1/session").await;
    run.delete(&ana, &project).await;
    run.delete(&ana, &format!("{account}/members/{ben_id}"))
        .await;
    run.delete(&ana, &account).await;
    run.costs
}

impl<H: Harness, G: CostProbe> Run<'_, H, G> {
    async fn call(
        &mut self,
        who: &Person<'_, H>,
        method: &str,
        target: &str,
        body: Option<Value>,
    ) -> Answered {
        let precondition = [("if-match", "*")];
        let headers: &[_] = if method == "PATCH" {
            &precondition
        } else {
            &[]
        };
        let sent = body.as_ref().map_or(0, |body| body.to_string().len());
        self.probe.reset().await;
        let answered = who.send(method, target, headers, body).await;
        let received = answered.raw.body.len();
        let cost = self.probe.read(Bodies { sent, received }).await;
        assert!(
            answered.status < 300,
            "{method} {target} answered {} {}",
            answered.status,
            answered.body
        );
        let request = Request {
            method: method.into(),
            path: target.split('?').next().unwrap().into(),
            query: String::new(),
            headers: Vec::new(),
            body: Vec::new(),
        };
        let operation = http::find(&request).unwrap().0.operation;
        self.costs.entry(operation).or_default().push(cost);
        answered
    }

    async fn get(&mut self, who: &Person<'_, H>, target: &str) -> Answered {
        self.call(who, "GET", target, None).await
    }

    async fn post(&mut self, who: &Person<'_, H>, target: &str, body: Value) -> Answered {
        self.call(who, "POST", target, Some(body)).await
    }

    async fn patch(&mut self, who: &Person<'_, H>, target: &str, body: Value) -> Answered {
        self.call(who, "PATCH", target, Some(body)).await
    }

    async fn delete(&mut self, who: &Person<'_, H>, target: &str) {
        self.call(who, "DELETE", target, None).await;
    }

    async fn person(&mut self, who: &Person<'_, H>) {
        for path in [
            "/health/live",
            "/health/ready",
            "/openapi.json",
            "/v1/catalog",
            "/v1/backend",
            "/v1/session",
            "/v1/preferences/notifications",
        ] {
            self.get(who, path).await;
        }
        let preferences = Some(json!({ "rules": [] }));
        self.call(who, "PUT", "/v1/preferences/notifications", preferences)
            .await;
        let id_token = self.surface.id_token(&who.email);
        self.post(who, "/v1/session/identity", json!({ "id_token": id_token }))
            .await;
        let access_token = self.surface.access_token("second@example.com");
        let body = json!({ "access_token": access_token });
        self.post(who, "/v1/session/identities", body).await;
    }

    /// The people of an account: three join, one leaves and one declines.
    async fn people(
        &mut self,
        ana: &Person<'_, H>,
        account: &str,
        ben: &Person<'_, H>,
        cleo: &Person<'_, H>,
    ) {
        let invitations = format!("{account}/invitations");
        for (person, answer) in [(ben, "accept"), (cleo, "decline")] {
            let body = json!({ "email": person.email, "role": "member" });
            let invitation = self.post(ana, &invitations, body).await.id();
            let invitation = format!("{invitations}/{invitation}");
            self.get(ana, &invitation).await;
            self.get(ana, &invitations).await;
            self.post(ana, &format!("{invitation}/resend"), json!({}))
                .await;
            let body = json!({ "token": person.invitation_token().await });
            self.post(person, &format!("/v1/invitations/{answer}"), body)
                .await;
        }
        let body = json!({ "email": "dan@example.com", "role": "member" });
        let invitation = self.post(ana, &invitations, body).await.id();
        self.delete(ana, &format!("{invitations}/{invitation}"))
            .await;
        self.get(ana, &format!("{account}/members")).await;
        let member = format!("{account}/members/{}", ben.id().await);
        self.get(ana, &member).await;
        self.patch(ana, &member, json!({ "role": "admin" })).await;
    }

    async fn teams(&mut self, ana: &Person<'_, H>, account: &str, ben: &str) {
        let teams = format!("{account}/teams");
        let team = self.post(ana, &teams, json!({ "name": "Review" })).await;
        let team = format!("{teams}/{}", team.id());
        self.get(ana, &teams).await;
        self.get(ana, &team).await;
        self.patch(ana, &team, json!({ "name": "Reviewers" })).await;
        let place = format!("{team}/members/{ben}");
        self.call(ana, "PUT", &place, Some(json!({ "role": "member" })))
            .await;
        self.get(ana, &place).await;
        self.get(ana, &format!("{team}/members")).await;
        self.delete(ana, &place).await;
        self.delete(ana, &team).await;
    }

    async fn grants(&mut self, ana: &Person<'_, H>, project: &str, ben: &str) {
        let grants = format!("{project}/grants");
        let body = json!({ "principal": { "type": "user", "id": ben }, "role": "viewer" });
        let grant = self.post(ana, &grants, body.clone()).await.id();
        let grant = format!("{grants}/{grant}");
        self.get(ana, &grants).await;
        self.get(ana, &grant).await;
        self.get(ana, &format!("{project}/access")).await;
        self.get(ana, &format!("{project}/subjects")).await;
        let preview = json!({ "add": [body] });
        self.post(ana, &format!("{project}/access/preview"), preview)
            .await;
        self.patch(ana, &grant, json!({ "role": "contributor" }))
            .await;
        self.delete(ana, &grant).await;
    }

    /// Declares an upload, issues its plan again, uploads, completes and downloads.
    async fn content(&mut self, ana: &Person<'_, H>, place: &str, plan: &Value, bytes: &[u8]) {
        let again = self.post(ana, &format!("{place}/upload"), json!({})).await;
        assert_eq!(again.body["upload"]["kind"], plan["kind"]);
        ana.follow(&again.body["upload"], bytes).await;
        self.post(ana, &format!("{place}/complete"), json!({}))
            .await;
        self.get(ana, place).await;
        self.post(ana, &format!("{place}/download"), json!({}))
            .await;
    }

    async fn documents(&mut self, ana: &Person<'_, H>, project: &str) {
        let artifacts = format!("{project}/artifacts");
        let made = self
            .post(ana, &artifacts, declaration("a.txt", b"first"))
            .await;
        let id = made.body["artifact"]["id"].as_str().unwrap();
        let artifact = format!("{artifacts}/{id}");
        let versions = format!("{artifact}/versions");
        self.content(
            ana,
            &format!("{versions}/1"),
            &made.body["upload"],
            b"first",
        )
        .await;
        self.post(ana, &versions, declaration("a.txt", b"second"))
            .await;
        self.post(ana, &format!("{versions}/1/restore"), json!({}))
            .await;
        self.get(ana, &versions).await;
        let derived = format!("{artifact}/derived");
        let mut body = declaration("a.text", b"text");
        body["source_version"] = json!(1);
        body["kind"] = json!("text");
        let made = self.post(ana, &derived, body).await;
        let id = made.body["derived"]["id"].as_str().unwrap();
        self.content(
            ana,
            &format!("{derived}/{id}"),
            &made.body["upload"],
            b"text",
        )
        .await;
        self.get(ana, &derived).await;
        let values = json!({ "values": { "pages": 3 } });
        let event = json!({ "kind": "note", "text": "Seen." });
        for (name, body) in [("metadata", values), ("events", event)] {
            let path = format!("{artifact}/{name}");
            self.post(ana, &path, body).await;
            self.get(ana, &path).await;
        }
        self.get(ana, &artifacts).await;
        self.get(ana, &artifact).await;
        self.patch(ana, &artifact, json!({ "name": "b.txt" })).await;
        self.delete(ana, &artifact).await;
        self.post(ana, &format!("{artifact}/restore"), json!({}))
            .await;
    }
}
