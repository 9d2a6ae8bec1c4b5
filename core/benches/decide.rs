//! Benchmarks of core alone: from a received request to its decision. The in-memory reference
//! database answers every read. For a write, the decision includes the whole batch. Token checks,
//! network and disk are not measured.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark may stop where it fails"
)]

use divan::Bencher;
use serde_json::{Value, json};
use ulid::Ulid;
use wm_core::{
    catalog::Provider,
    http::{self, Request},
    operation::{Answer, Context, Drive, Handler, Next, Outcome, ReadRequest, Surface},
    record::{Actor, Claims},
    selection::BackendSelection,
    storage::{UploadLimits, memory::Memory},
    value::{Env, RequestId, Sha256, SurfaceId, Timestamp, id::Id},
};

/// The operations that applications call most.
#[derive(Debug, Clone, Copy)]
enum Hot {
    GetProject,
    CreateArtifact,
    CreateGrant,
    AppendEvent,
}

impl Hot {
    const ALL: [Self; 4] = [
        Self::GetProject,
        Self::CreateArtifact,
        Self::CreateGrant,
        Self::AppendEvent,
    ];
}

/// A surface in memory with one person, who owns the account.
struct Fixture {
    surface: Surface,
    store: Memory,
    actor: Actor,
    requests: u64,
    project: String,
    artifact: String,
    team: String,
}

impl Fixture {
    /// A fixture whose project has this many live grants. Every decision reads all of them.
    fn new(grants: usize) -> Self {
        let env = Env::new(now(), [1; 32]);
        let claims = Claims {
            issuer: "https://issuer.example".into(),
            subject: "ana".into(),
            client: None,
            verified_email: Some("ana@example.com".parse().unwrap()),
            name: None,
        };
        let mut fixture = Self {
            surface: Surface {
                id: SurfaceId::first(env.ulid("surface")),
                secret: [2; 32],
                selection: BackendSelection::defaults(Provider::Local),
                public_url: "http://surface.example".into(),
                upload: UploadLimits::default(),
            },
            store: Memory::default(),
            actor: Actor {
                user: env.id("user"),
                claims,
            },
            requests: 0,
            project: String::new(),
            artifact: String::new(),
            team: String::new(),
        };
        fixture.fill(grants);
        fixture
    }

    /// An account, a project with its grants, a document, and a team without a grant.
    fn fill(&mut self, grants: usize) {
        let account = self.make(
            "/v1/accounts",
            json!({ "name": "Acme", "kind": "organisation" }),
        );
        let account = format!("/v1/accounts/{}", id(&account));
        let project = self.make(
            &format!("{account}/projects"),
            json!({ "name": "Bridge", "visibility": "private" }),
        );
        self.project = format!("/v1/projects/{}", id(&project));
        let teams = format!("{account}/teams");
        for number in 0..grants {
            let team = self.make(&teams, json!({ "name": format!("Team {number}") }));
            let grant = grant_to(id(&team));
            self.make(&format!("{}/grants", self.project), grant);
        }
        self.team = id(&self.make(&teams, json!({ "name": "Review" }))).to_owned();
        let made = self.make(&format!("{}/artifacts", self.project), document());
        let artifact = id(made.get("artifact").expect("an artifact"));
        self.artifact = format!("{}/artifacts/{artifact}", self.project);
    }

    fn request(&self, hot: Hot) -> Request {
        match hot {
            Hot::GetProject => request("GET", &self.project, None),
            Hot::CreateArtifact => request(
                "POST",
                &format!("{}/artifacts", self.project),
                Some(document()),
            ),
            Hot::CreateGrant => {
                let grant = grant_to(&self.team);
                request("POST", &format!("{}/grants", self.project), Some(grant))
            }
            Hot::AppendEvent => {
                let event = json!({ "kind": "comment", "text": "The piers need another look." });
                request("POST", &format!("{}/events", self.artifact), Some(event))
            }
        }
    }

    /// Carries out a request and returns the body of the answer.
    fn make(&mut self, path: &str, body: Value) -> Value {
        self.requests += 1;
        match self.decide(&request("POST", path, Some(body))) {
            Outcome::Commit(batch, reply) => {
                self.store
                    .commit(batch.scope(), batch.operations())
                    .unwrap();
                reply.body.unwrap()
            }
            other => panic!("{path} commits nothing: {other:?}"),
        }
    }

    /// The measured work. It changes nothing, so it can be repeated.
    fn decide(&self, request: &Request) -> Outcome {
        let (route, mut parsed) = http::find(request).unwrap();
        parsed.read_query(route).unwrap();
        let Handler::UseCase(parse) = route.handler else {
            panic!("`{}` is no use-case", request.path)
        };
        let use_case = parse(&parsed).unwrap();
        let entropy = Sha256::of(&self.requests.to_be_bytes());
        let context = Context {
            surface: &self.surface,
            env: Env::new(now(), *entropy.as_bytes()),
            actor: self.actor.clone(),
            request_id: RequestId::from_ulid(Ulid::nil()),
            idempotency: None,
            work_partitions: WorkPartitions::default(),
        };
        let mut drive = Drive::new(&*use_case, &context);
        loop {
            match drive.advance().unwrap() {
                Next::Done(outcome) => return outcome,
                Next::Assemble(assembly) => panic!("{assembly:?} is no part of a decision"),
                Next::Read(reads) => {
                    for read in reads {
                        let answer = self.answer(&read);
                        drive.answer(read, answer);
                    }
                }
            }
        }
    }

    fn answer(&self, read: &ReadRequest) -> Answer {
        match read {
            ReadRequest::Get(key) => Answer::Item(self.store.get(key).cloned()),
            ReadRequest::Scan(range) => Answer::Page(self.store.scan(range)),
            ReadRequest::List(list) => Answer::Page(self.store.list(list)),
            other => panic!("unexpected read {other:?}"),
        }
    }
}

fn now() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000)
}

fn id(made: &Value) -> &str {
    made.get("id").and_then(Value::as_str).expect("an id")
}

fn grant_to(team: &str) -> Value {
    json!({ "principal": { "type": "team", "id": team }, "role": "viewer" })
}

fn document() -> Value {
    json!({
        "name": "report.pdf",
        "media_type": "application/pdf",
        "size": 1_000_000,
        "sha256": Sha256::of(b"report"),
    })
}

fn request(method: &str, path: &str, body: Option<Value>) -> Request {
    Request {
        method: method.into(),
        path: path.into(),
        headers: vec![("content-type".into(), "application/json".into())],
        body: body
            .map(|body| body.to_string().into_bytes())
            .unwrap_or_default(),
        ..Request::default()
    }
}

#[divan::bench(args = Hot::ALL, consts = [0, 20])]
fn decide<const GRANTS: usize>(bencher: Bencher<'_, '_>, hot: Hot) {
    let fixture = Fixture::new(GRANTS);
    let request = fixture.request(hot);
    bencher.bench_local(|| fixture.decide(&request));
}

fn main() {
    divan::main();
}
