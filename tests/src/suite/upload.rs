//! A declared upload and its possible outcomes.

use serde_json::{Value, json};

use crate::{
    client::{Answered, Person, declaration, object_request},
    harness::{Answer, Harness, ObjectRequest},
};

/// The bytes of every upload here.
pub(super) const BYTES: &[u8] = b"forty-two bytes of text, more or less: yes";

/// A declared upload.
pub(super) struct Upload<'a, H> {
    /// The person who declared it.
    pub(super) owner: Person<'a, H>,
    pub(super) project: String,
    /// The path of its version.
    pub(super) version: String,
    pub(super) plan: Value,
}

impl<'a, H: Harness> Upload<'a, H> {
    /// Declares an upload as the owner of a new project.
    pub(super) async fn declared(surface: &'a H) -> Self {
        let ana = Person::new(surface, "ana");
        let project = ana.project(&ana.account().await).await;
        Self::by(ana, project).await
    }

    /// Declares an upload as this person.
    pub(super) async fn by(owner: Person<'a, H>, project: String) -> Self {
        Self::of(owner, project, declaration("a.txt", BYTES)).await
    }

    /// Declares an upload with this body.
    pub(super) async fn of(owner: Person<'a, H>, project: String, declaration: Value) -> Self {
        let artifacts = format!("/v1/projects/{project}/artifacts");
        let declared = owner.post(&artifacts, declaration).await.expect(201).body;
        let artifact = declared["artifact"]["id"].as_str().unwrap();
        Self {
            version: format!("{artifacts}/{artifact}/versions/1"),
            plan: declared["upload"].clone(),
            owner,
            project,
        }
    }

    /// The account of the project.
    pub(super) async fn account(&self) -> String {
        let project = format!("/v1/projects/{}", self.project);
        let project = self.owner.get(&project).await.expect(200);
        project.text("account_id")
    }

    /// The request of the upload plan with these bytes.
    pub(super) fn request(&self, body: &[u8]) -> ObjectRequest {
        object_request(&self.plan, body.to_vec())
    }

    /// Sends these bytes according to the plan.
    pub(super) async fn put(&self, body: &[u8]) -> Answer {
        self.send(self.request(body)).await
    }

    /// Sends any request to the store.
    pub(super) async fn send(&self, request: ObjectRequest) -> Answer {
        self.owner.harness().object(request).await
    }

    /// Requests an action on the version.
    pub(super) async fn request_action(&self, who: &Person<'a, H>, action: &str) -> Answered {
        let path = format!("{}/{action}", self.version);
        who.post(&path, json!({})).await
    }

    /// Completes the upload as its owner.
    pub(super) async fn complete(&self) -> Answered {
        self.request_action(&self.owner, "complete").await
    }

    pub(super) async fn downloaded(&self) -> Answer {
        let plan = self
            .request_action(&self.owner, "download")
            .await
            .expect(200)
            .body;
        let step = json!({ "method": "GET", "url": plan["url"], "headers": plan["headers"] });
        self.send(object_request(&step, Vec::new())).await
    }

    /// Asserts that no bytes are served, and the status of the version.
    pub(super) async fn assert_not_served(&self, status: &str) {
        let refused = self.request_action(&self.owner, "download").await;
        refused.expect(409).expect_problem("conflict");
        self.assert_status(status, &self.owner).await;
    }

    /// Asserts the status of the version for this person.
    pub(super) async fn assert_status(&self, status: &str, seen_by: &Person<'a, H>) {
        let shown = seen_by.get(&self.version).await.expect(200);
        assert_eq!(shown.body["status"], status, "{}", shown.body);
    }

    /// Asserts that no bytes were accepted: the version is still pending and not served.
    pub(super) async fn assert_awaited(&self) {
        self.complete().await.expect(409).expect_problem("conflict");
        self.assert_not_served("pending").await;
    }

    /// Asserts that other bytes were stored: the version is rejected permanently and never served.
    pub(super) async fn assert_rejected(&self) {
        for _ in 0..2 {
            let refused = self.complete().await.expect(409);
            refused.expect_problem("upload-mismatch");
        }
        self.request_action(&self.owner, "upload").await.expect(409);
        self.assert_not_served("rejected").await;
    }

    /// Asserts that the declared bytes were verified and are served.
    pub(super) async fn assert_available(&self) {
        self.assert_status("available", &self.owner).await;
        let served = self.downloaded().await;
        assert_eq!((served.status, served.body.as_slice()), (200, BYTES));
    }

    /// Asserts that the plan is still usable.
    pub(super) async fn assert_completes(&self) {
        assert_taken(&self.put(BYTES).await);
        self.complete().await.expect(200);
        self.assert_available().await;
    }

    /// Asserts that the person can declare and upload the bytes again as the next version.
    pub(super) async fn assert_can_be_declared_anew(&self, who: &Person<'a, H>) {
        let (versions, _) = self.version.rsplit_once('/').unwrap();
        let declared = who.post(versions, declaration("a.txt", BYTES)).await;
        let declared = declared.expect(201).body;
        let number = &declared["version"]["number"];
        let next = Self {
            owner: who.clone(),
            project: self.project.clone(),
            version: format!("{versions}/{number}"),
            plan: declared["upload"].clone(),
        };
        next.assert_completes().await;
    }
}

/// Asserts that the store accepted the request.
#[track_caller]
pub(super) fn assert_taken(answer: &Answer) {
    let (status, text) = (answer.status, String::from_utf8_lossy(&answer.body));
    assert!((200..300).contains(&status), "{status} {text}");
}

/// Asserts that the store refused the request.
pub(super) fn assert_refused(answer: &Answer, what: &str) {
    let (status, text) = (answer.status, String::from_utf8_lossy(&answer.body));
    assert!((400..500).contains(&status), "{what}: {status} {text}");
}
