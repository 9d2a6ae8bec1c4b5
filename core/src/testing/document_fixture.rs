//! A project with people in every role, for tests of documents.

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde_json::{Value, json};

use crate::{
    http::{self, Request},
    jobs::record_upload::record_upload,
    operation::{Handler, Outcome, Problem, Sign, SignDownload, SignUpload, Stat, UseCase},
    storage::{Key, ObjectKind, ObjectPath, Range, Scope, Sort},
    testing::{Answered, Fixture, Person},
    value::{AccountRole, ArtifactId, Sha256, VersionId},
};

/// Ana owns the account and the project. Ben and Bea are contributors, Cleo is a commenter, Vera is
/// a viewer, and Otto has no access.
pub(crate) struct DocumentFixture {
    pub(crate) base: Fixture,
    pub(crate) ana: Person,
    pub(crate) ben: Person,
    pub(crate) bea: Person,
    pub(crate) cleo: Person,
    pub(crate) vera: Person,
    pub(crate) otto: Person,
    account: String,
    project: String,
}

/// The bytes that most tests upload.
pub(crate) const BYTES: &[u8] = b"Dear reader,";

/// The size of a large object, in bytes. It has seven parts.
pub(crate) const LARGE: u64 = 100 * 1024 * 1024;

/// The request body that completes an upload with these parts.
pub(crate) fn parts(numbers: impl IntoIterator<Item = u16>) -> Value {
    let parts = numbers
        .into_iter()
        .map(|number| json!({ "number": number, "etag": "\"part\"" }));
    json!({ "parts": parts.collect::<Vec<_>>() })
}

/// The request body that declares these bytes as a PDF.
pub(crate) fn declaration(bytes: &[u8]) -> Value {
    json!({
        "name": "report.pdf",
        "media_type": "application/pdf",
        "size": bytes.len(),
        "sha256": Sha256::of(bytes),
    })
}

impl DocumentFixture {
    pub(crate) fn new() -> Self {
        let mut fixture = Fixture::new();
        let people = ["ana", "ben", "bea", "cleo", "vera", "otto"].map(|name| fixture.person(name));
        let [ana, ben, bea, cleo, vera, otto] = people;
        let account = fixture.account(&ana);
        for person in [&ben, &bea, &cleo, &vera] {
            fixture.join(&account, person, AccountRole::Guest);
        }
        let mut fixture = Self {
            base: fixture,
            ana,
            ben,
            bea,
            cleo,
            vera,
            otto,
            account,
            project: String::new(),
        };
        fixture.project = fixture.open_project();
        fixture
    }

    /// Creates another project with the same people. Returns its path.
    pub(crate) fn open_project(&mut self) -> String {
        let (ana, path) = (
            self.ana.clone(),
            format!("/v1/accounts/{}/projects", self.account),
        );
        let body = json!({ "name": "Letters", "visibility": "private" });
        let id = self.base.post(&ana, &path, body).expect(201).id();
        let path = format!("/v1/projects/{id}");
        for (person, role) in [
            (self.ben.id(), "contributor"),
            (self.bea.id(), "contributor"),
            (self.cleo.id(), "commenter"),
            (self.vera.id(), "viewer"),
        ] {
            let body = json!({ "principal": { "type": "user", "id": person }, "role": role });
            self.base
                .post(&ana, &format!("{path}/grants"), body)
                .expect(201);
        }
        path
    }

    /// Archives the project.
    pub(crate) fn archive(&mut self) {
        let (ana, path) = (self.ana.clone(), self.project.clone());
        self.base
            .patch(&ana, &path, json!({ "archived": true }))
            .expect(200);
    }

    pub(crate) fn revoke(&mut self, person: &Person) {
        let (ana, path) = (self.ana.clone(), self.grant(person));
        self.base.delete(&ana, &path).expect(204);
    }

    /// Changes a person's role to viewer.
    pub(crate) fn demote(&mut self, person: &Person) {
        let (ana, path) = (self.ana.clone(), self.grant(person));
        let body = json!({ "role": "viewer" });
        self.base.patch(&ana, &path, body).expect(200);
    }

    /// The path of a person's grant.
    fn grant(&mut self, person: &Person) -> String {
        let (ana, path) = (self.ana.clone(), format!("{}/grants", self.project));
        let grants = self.base.get(&ana, &path).expect(200).body;
        let mut grants = grants["items"].as_array().unwrap().iter();
        let grant = grants.find(|grant| grant["principal"]["id"] == json!(person.id()));
        format!("{path}/{}", grant.unwrap()["id"].as_str().unwrap())
    }

    /// The decision on a POST, without committing it.
    pub(crate) fn decided(&mut self, person: &Person, path: &str, body: &Value) -> Outcome {
        let request = Request {
            method: "POST".into(),
            path: path.into(),
            headers: [("content-type".into(), "application/json".into())].into(),
            body: body.to_string().into_bytes(),
            ..Request::default()
        };
        let (route, parsed) = http::find(&request).unwrap();
        let Handler::UseCase(parse) = route.handler else {
            panic!("not a use-case")
        };
        let use_case = parse(&parsed).unwrap();
        self.base.decide(person, &*use_case, None).unwrap()
    }

    /// Records that the upload in parts was started, as a surface does before it answers with the
    /// plan.
    pub(crate) fn start_parts(&mut self, upload: &SignUpload) {
        let use_case = record_upload(upload.path(), "parts-1".into());
        self.system(&*use_case).unwrap();
    }

    /// Runs a job of the system.
    pub(crate) fn system<T>(&mut self, use_case: &dyn UseCase<T>) -> Result<T, Problem> {
        let caller = self.otto.clone();
        self.base.run(&caller, use_case, None)
    }

    pub(crate) fn remove(&mut self, person: &Person) {
        let path = format!("/v1/accounts/{}/members/{}", self.account, person.id());
        let ana = self.ana.clone();
        self.base.delete(&ana, &path).expect(204);
    }

    pub(crate) fn artifacts(&self) -> String {
        format!("{}/artifacts", self.project)
    }

    /// Ben declares an artifact with these bytes. Returns its path.
    pub(crate) fn declared(&mut self, bytes: &[u8]) -> String {
        let (ben, path) = (self.ben.clone(), self.artifacts());
        let answer = self.base.post(&ben, &path, declaration(bytes)).expect(201);
        format!("{path}/{}", answer.body["artifact"]["id"].as_str().unwrap())
    }

    /// Ben uploads an artifact with [`BYTES`]. Returns its path.
    pub(crate) fn uploaded(&mut self) -> String {
        let path = self.declared(BYTES);
        self.put(&format!("{path}/versions/1"), BYTES);
        self.complete(&format!("{path}/versions/1")).expect(200);
        path
    }

    /// Ben declares an artifact of [`LARGE`] bytes, and its upload in parts is started. Returns the
    /// path of its version.
    pub(crate) fn large(&mut self) -> String {
        let (ben, path) = (self.ben.clone(), self.artifacts());
        let mut body = declaration(BYTES);
        body["size"] = json!(LARGE);
        let answer = self.base.post(&ben, &path, body).expect(201);
        self.start_parts(answer.upload());
        let id = answer.body["artifact"]["id"].as_str().unwrap();
        format!("{path}/{id}/versions/1")
    }

    /// As [`Self::large`], with all parts uploaded. The object store has no digest of the object.
    pub(crate) fn verifying(&mut self) -> String {
        let version = self.large();
        self.put_large(&version, None);
        let (ben, complete) = (self.ben.clone(), format!("{version}/complete"));
        self.base.post(&ben, &complete, parts(1..=7)).expect(202);
        version
    }

    /// Stores [`LARGE`] bytes with this digest.
    pub(crate) fn put_large(&mut self, version: &str, sha256: Option<Sha256>) {
        let stat = Stat {
            size: LARGE,
            sha256,
            version: None,
        };
        self.put_stat(version, stat);
    }

    /// Ben adds a version with these bytes. Returns its path.
    pub(crate) fn added(&mut self, artifact: &str, bytes: &[u8]) -> String {
        let (ben, path) = (self.ben.clone(), format!("{artifact}/versions"));
        let answer = self.base.post(&ben, &path, declaration(bytes)).expect(201);
        format!("{path}/{}", answer.body["version"]["number"])
    }

    /// Ben declares an output of version 1 with these bytes. Returns its path.
    pub(crate) fn derived(&mut self, artifact: &str, bytes: &[u8], more: Value) -> String {
        let (ben, path) = (self.ben.clone(), format!("{artifact}/derived"));
        let mut body = declaration(bytes);
        body["source_version"] = json!(1);
        body["kind"] = json!("text");
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let answer = self.base.post(&ben, &path, body).expect(201);
        format!("{path}/{}", answer.body["derived"]["id"].as_str().unwrap())
    }

    /// Stores the bytes in the object store.
    pub(crate) fn put(&mut self, document: &str, bytes: &[u8]) {
        let stat = Stat {
            size: bytes.len() as u64,
            sha256: Some(Sha256::of(bytes)),
            version: Some("object-1".into()),
        };
        self.put_stat(document, stat);
    }

    /// Sets the object store's answer for the object.
    pub(crate) fn put_stat(&mut self, document: &str, stat: Stat) {
        let path = self.object_path(document);
        self.base.objects.insert(path, stat);
    }

    /// The key of a version or derived output. `None` if it does not exist.
    pub(crate) fn key(&self, document: &str) -> Option<Key> {
        let segments: Vec<&str> = document.split('/').collect();
        let [
            "",
            "v1",
            "projects",
            project,
            "artifacts",
            artifact,
            kind,
            id,
        ] = segments[..]
        else {
            panic!("`{document}` is no version or derived output")
        };
        let artifact: ArtifactId = artifact.parse().unwrap();
        let prefix = match kind {
            "versions" => Sort::versions(artifact, id.parse().unwrap()),
            _ => Sort::derived(artifact, id.parse().unwrap()).to_string(),
        };
        let range = Range::all(Scope::Project(project.parse().unwrap()), &prefix);
        let mut items = self.base.store.scan(&range).items;
        items.pop().map(|item| item.key)
    }

    /// The object path of a version or derived output. That of a version that does not exist has
    /// an id that no version has.
    pub(crate) fn object_path(&self, document: &str) -> String {
        let kind = match self.key(document) {
            Some(key) => key.sort.content().unwrap().1,
            None => ObjectKind::Raw(VersionId::new(1, ulid::Ulid::from_parts(1, 0))),
        };
        let path = ObjectPath {
            project: document.split('/').nth(3).unwrap().parse().unwrap(),
            artifact: document.split('/').nth(5).unwrap().parse().unwrap(),
            kind,
            file: "report.pdf".parse().unwrap(),
        };
        path.to_string()
    }

    /// Ben completes an upload.
    pub(crate) fn complete(&mut self, document: &str) -> Answered {
        let ben = self.ben.clone();
        self.base
            .post(&ben, &format!("{document}/complete"), json!({}))
    }

    /// The answer to Ben's GET of this path.
    pub(crate) fn shown(&mut self, path: &str) -> Value {
        let ben = self.ben.clone();
        self.base.get(&ben, path).expect(200).body
    }

    /// The event types in the project's journal, in order.
    pub(crate) fn events(&self) -> Vec<String> {
        let project = self.project.strip_prefix("/v1/projects/").unwrap();
        let scope = Scope::Project(project.parse().unwrap());
        let entries = self.base.dump().into_iter().filter(|item| {
            item.key.scope == scope && item.key.sort.as_str().starts_with(Sort::JOURNAL)
        });
        let event = |item: crate::storage::Item| {
            let body: Value = serde_json::from_str(&item.body).unwrap();
            body["body"]["event"].as_str().unwrap().to_string()
        };
        entries.map(event).collect()
    }

    /// Asserts that an answer contains no internal fields.
    pub(crate) fn assert_no_internal_fields(body: &Value) {
        let members: BTreeMap<String, Value> = serde_json::from_value(body.clone()).unwrap();
        for internal in ["upload_id", "object_version", "stored_as", "content"] {
            assert!(!members.contains_key(internal), "{internal} in {body}");
        }
    }
}

impl Answered {
    /// The upload of this answer, to be signed.
    pub(crate) fn upload(&self) -> &SignUpload {
        match self.reply.as_ref().and_then(|reply| reply.sign.as_ref()) {
            Some(Sign::Upload(upload)) => upload,
            other => panic!("expected an upload to sign, got {other:?}"),
        }
    }

    /// The download of this answer, to be signed.
    pub(crate) fn download(&self) -> &SignDownload {
        match self.reply.as_ref().and_then(|reply| reply.sign.as_ref()) {
            Some(Sign::Download(download)) => download,
            other => panic!("expected a download to sign, got {other:?}"),
        }
    }

    /// The field that a 400 names.
    pub(crate) fn field(&self) -> String {
        assert_eq!(self.status, 400, "{}", self.body);
        self.body["errors"][0]["field"].as_str().unwrap().into()
    }
}
