//! Cases D: the limits of a signed URL at each cloud's object store.

mod aws;
mod azure;

use serde_json::{Value, json};
use wm_tests::{
    client::{Answered, Person, object_request},
    harness::{Answer, Harness, ObjectRequest},
};

use crate::harness::Cloud;

const BYTES: &[u8] = b"forty-two bytes of text, more or less: yes";

struct Declared<'a, H> {
    surface: &'a H,
    ana: Person<'a, H>,
    /// The path of its version.
    version: String,
    plan: Value,
}

impl<'a, H: Harness> Declared<'a, H> {
    async fn on(surface: &'a H, name: &str, bytes: &[u8]) -> Self {
        let ana = Person::new(surface, "ana");
        let project = ana.project(&ana.account().await).await;
        let declared = ana.declare(&project, name, bytes).await.expect(201).body;
        let artifact = declared["artifact"]["id"].as_str().unwrap();
        Self {
            surface,
            version: format!("/v1/projects/{project}/artifacts/{artifact}/versions/1"),
            plan: declared["upload"].clone(),
            ana,
        }
    }

    /// The request of the upload plan with these bytes.
    fn request(&self, bytes: &[u8]) -> ObjectRequest {
        object_request(&self.plan, bytes.to_vec())
    }

    async fn complete(&self, body: Value) -> Answered {
        self.ana
            .post(&format!("{}/complete", self.version), body)
            .await
    }

    async fn download(&self) -> Answered {
        self.ana
            .post(&format!("{}/download", self.version), json!({}))
            .await
    }

    /// The request that a download answers with.
    async fn download_request(&self) -> ObjectRequest {
        let plan = self.download().await.expect(200).body;
        let step = json!({ "method": "GET", "url": plan["url"], "headers": plan["headers"] });
        object_request(&step, Vec::new())
    }

    async fn downloaded(&self) -> Answer {
        self.surface.object(self.download_request().await).await
    }

    async fn status(&self) -> Value {
        let mut shown = self.ana.get(&self.version).await.expect(200);
        shown.body["status"].take()
    }

    /// Sends a request to the store and asserts that it is refused.
    async fn refuse(&self, request: &ObjectRequest, what: &str) {
        assert_refused(&self.surface.object(request.clone()).await, what);
    }
}

#[track_caller]
fn assert_refused(answer: &Answer, what: &str) {
    let text = String::from_utf8_lossy(&answer.body);
    assert!(
        (400..500).contains(&answer.status),
        "{what}: {} {text}",
        answer.status
    );
}

/// A parameter of a URL.
#[track_caller]
fn query(url: &str, name: &str) -> String {
    let query = url.split_once('?').unwrap().1;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let found = pairs.find(|(known, _)| known == name);
    found
        .unwrap_or_else(|| panic!("no `{name}` in {url}"))
        .1
        .into_owned()
}

/// A surface over an object store that stores large files in parts.
trait InParts: Harness + Sized {
    /// The status of a stored part.
    const PART_STORED: u16;

    async fn start() -> Self;

    /// The ETag to complete a part with.
    fn etag(answer: &Answer) -> String;

    /// Delivers the event about the stored object.
    async fn announce(&self, plan: &Value);

    /// Checks the store's refusals while the parts are stored.
    async fn check_parts(_declared: &Declared<'_, Self>, _parts: &[Value]) {}
}

/// One byte more than the limit of a single request.
const LARGE: usize = 64 * 1024 * 1024 + 1;

/// The parts of a completion.
fn completed<S: InParts>(answers: &[Answer]) -> Vec<Value> {
    let part = |(number, answer): (usize, &Answer)| {
        let text = String::from_utf8_lossy(&answer.body);
        assert_eq!(answer.status, S::PART_STORED, "{text}");
        json!({ "number": number + 1, "etag": S::etag(answer) })
    };
    answers.iter().enumerate().map(part).collect()
}

async fn large_file_is_uploaded_in_parts<S: InParts>() {
    let surface = S::start().await;
    let bytes: Vec<u8> = (0..LARGE).map(|place| (place % 251) as u8).collect();
    let declared = Declared::on(&surface, "large.bin", &bytes).await;
    assert_eq!(declared.plan["kind"], "multipart");
    let answers = declared.ana.follow(&declared.plan, &bytes).await;
    assert_eq!(answers.len(), 5);
    let parts = completed::<S>(&answers);
    S::check_parts(&declared, &parts).await;
    declared
        .complete(json!({ "parts": parts[1..] }))
        .await
        .expect(400);
    // The server would have to read more than it does within a request. The storage event completes
    // the upload.
    declared
        .complete(json!({ "parts": parts }))
        .await
        .expect(202);
    surface.announce(&declared.plan).await;
    assert_eq!(declared.status().await, "available");
    let served = declared.downloaded().await;
    assert!(served.body == bytes, "the served bytes differ");
}

async fn object_completes_its_upload<C: Cloud>() {
    let surface = C::start().await;
    let declared = Declared::on(&surface, "a.txt", BYTES).await;
    let stored = surface.object(declared.request(BYTES)).await;
    assert_eq!(stored.status, C::STORED);
    assert_eq!(declared.status().await, "pending");
    surface.drain().await;
    assert_eq!(declared.status().await, "available");
    let events = surface.events().await;
    let available = events
        .iter()
        .filter(|event| event.kind == "wm.version.available");
    assert_eq!(available.count(), 1);
    declared.complete(json!({})).await.expect(200);
}
