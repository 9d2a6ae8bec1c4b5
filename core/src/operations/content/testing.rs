//! A project with people in every role, for the tests of documents.

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde_json::{Value, json};

use crate::{
    api::{self, Handler, Problem, Request},
    authority::head_key,
    commit::Commit,
    facts::Stat,
    model::{EventType, Grant, Member, Principal, Project, Record, Revocation, Visibility},
    operations::system::record_upload::record_upload,
    permission::{AccountRole, Permit, ProjectRole},
    storage::{Scope, Sort},
    testing::{Answered, Person, World},
    use_case::{Outcome, Reply, Sign, SignDownload, SignUpload, UseCase},
    value::{AccountId, ProjectId, Sha256},
};

/// The scene: Ana owns the account and the project, Ben and Bea contribute, Cleo comments, Vera
/// views, and Otto is an outsider.
pub(crate) struct Desk {
    pub(crate) world: World,
    pub(crate) ana: Person,
    pub(crate) ben: Person,
    pub(crate) bea: Person,
    pub(crate) cleo: Person,
    pub(crate) vera: Person,
    pub(crate) otto: Person,
    account: String,
    pub(crate) project: ProjectId,
}

/// The bytes most tests upload.
pub(crate) const BYTES: &[u8] = b"Dear reader,";

/// The size of a large object: seven parts.
pub(crate) const LARGE: u64 = 100 * 1024 * 1024;

/// The body that completes an upload in these parts.
pub(crate) fn parts(numbers: impl IntoIterator<Item = u16>) -> Value {
    let parts = numbers
        .into_iter()
        .map(|number| json!({ "number": number, "etag": "\"mark\"" }));
    json!({ "parts": parts.collect::<Vec<_>>() })
}

/// A declaration of these bytes as a PDF.
pub(crate) fn declaration(bytes: &[u8]) -> Value {
    json!({
        "name": "report.pdf",
        "media_type": "application/pdf",
        "size": bytes.len(),
        "sha256": Sha256::of(bytes),
    })
}

impl Desk {
    pub(crate) fn new() -> Self {
        let mut world = World::new();
        let people = ["ana", "ben", "bea", "cleo", "vera", "otto"].map(|name| world.person(name));
        let [ana, ben, bea, cleo, vera, otto] = people;
        let account = world.account(&ana);
        for person in [&ben, &bea, &cleo, &vera] {
            world.join(&account, person, AccountRole::Guest);
        }
        let id: AccountId = account.parse().unwrap();
        let project = ProjectId::new(id, ulid::Ulid::from_parts(3, 3));
        let mut desk = Self {
            world,
            ana,
            ben,
            bea,
            cleo,
            vera,
            otto,
            account,
            project,
        };
        desk.open(project);
        desk
    }

    /// A second project of the same people; answers the path of its artifacts.
    pub(crate) fn second_project(&mut self) -> String {
        let project = ProjectId::new(self.project.account(), ulid::Ulid::from_parts(3, 4));
        self.open(project);
        format!("/v1/projects/{project}/artifacts")
    }

    fn open(&mut self, project: ProjectId) {
        let body = Project {
            name: "Letters".parse().unwrap(),
            description: None,
            visibility: Visibility::Private,
            archived: false,
        };
        let roles = [
            (self.ana.clone(), ProjectRole::Owner),
            (self.ben.clone(), ProjectRole::Contributor),
            (self.bea.clone(), ProjectRole::Contributor),
            (self.cleo.clone(), ProjectRole::Commenter),
            (self.vera.clone(), ProjectRole::Viewer),
        ];
        let grants = roles.map(|(person, role)| self.grant(project, &person, role));
        self.write(project, |commit| {
            commit.create(project, body);
            for (grant, label) in grants.into_iter().zip(1..) {
                let ulid = ulid::Ulid::from_parts(4, label);
                commit.create(crate::value::id::Id::from_ulid(ulid), grant);
            }
        });
    }

    fn grant(&self, project: ProjectId, person: &Person, role: ProjectRole) -> Grant {
        let account = Scope::Account(self.account.parse().unwrap());
        let member = account.key(Sort::member(person.actor.user));
        let member: Record<Member> = self.world.record(&member).unwrap();
        Grant {
            project_id: project,
            principal: Principal::User(person.actor.user),
            membership_id: Some(member.body.membership_id),
            role,
            expires_at: None,
            revoked: None,
        }
    }

    fn write(&mut self, project: ProjectId, change: impl FnOnce(&mut Commit<'_>)) {
        let scope = Scope::Project(project);
        let surface = self.world.surface.clone();
        let context = self.world.context(&surface, &self.ana, None);
        let head = self.world.record(&head_key(scope));
        let mut commit = Commit::open(&context, Permit::system(scope), head);
        change(&mut commit);
        let outcome = commit.finish(EventType::ProjectUpdated, Reply::no_content());
        let Ok(Outcome::Commit(batch, _)) = outcome else {
            panic!("a change of the scene commits")
        };
        self.world.commit(&batch);
    }

    /// Makes the project read-only.
    pub(crate) fn archive(&mut self) {
        let key = Scope::Project(self.project).key(Sort::project());
        let before: Record<Project> = self.world.record(&key).unwrap();
        let body = Project {
            archived: true,
            ..before.body.clone()
        };
        self.write(self.project, |commit| {
            commit.update(&before, body);
        });
    }

    /// Revokes a person's grant.
    pub(crate) fn revoke(&mut self, person: &Person) {
        let principal = Principal::User(person.actor.user);
        let stored = self.world.dump();
        let grants = stored.iter().filter(|item| {
            let sort = item.key.sort.as_str();
            item.key.scope == Scope::Project(self.project) && sort.starts_with(Sort::GRANTS)
        });
        let grant = grants
            .map(|item| Record::<Grant>::decode(item).unwrap())
            .find(|grant| grant.body.principal == principal)
            .unwrap();
        let mut body = grant.body.clone();
        body.revoked = Some(Revocation {
            at: self.world.now,
            by: Some(self.ana.actor.user),
            reason: None,
        });
        self.write(self.project, |commit| {
            commit.update(&grant, body);
        });
    }

    /// What is decided on a POST, not committed yet.
    pub(crate) fn decided(&mut self, person: &Person, path: &str, body: &Value) -> Outcome {
        let request = Request {
            method: "POST".into(),
            path: path.into(),
            headers: [("content-type".into(), "application/json".into())].into(),
            body: body.to_string().into_bytes(),
            ..Request::default()
        };
        let (route, parsed) = api::find(&request).unwrap();
        let Handler::UseCase(parse) = route.handler else {
            panic!("not a use-case")
        };
        let use_case = parse(&parsed).unwrap();
        self.world.decide(person, &*use_case, None).unwrap()
    }

    /// The upload in parts is begun, as the surface does before it answers with the plan.
    pub(crate) fn start_parts(&mut self, upload: &SignUpload) {
        let use_case = record_upload(&upload.path, "parts-1".into());
        self.system(&*use_case).unwrap();
    }

    /// Runs something the system does by itself.
    pub(crate) fn system(&mut self, use_case: &dyn UseCase) -> Result<Reply, Problem> {
        let nobody = self.otto.clone();
        self.world.run(&nobody, use_case, None)
    }

    /// Removes a person from the account.
    pub(crate) fn remove(&mut self, person: &Person) {
        let path = format!("/v1/accounts/{}/members/{}", self.account, person.id());
        let ana = self.ana.clone();
        self.world.delete(&ana, &path).expect(204);
    }

    /// The path of the project's artifacts.
    pub(crate) fn artifacts(&self) -> String {
        format!("/v1/projects/{}/artifacts", self.project)
    }

    /// Ben declares an artifact of these bytes; answers its path.
    pub(crate) fn declared(&mut self, bytes: &[u8]) -> String {
        let (ben, path) = (self.ben.clone(), self.artifacts());
        let answer = self.world.post(&ben, &path, declaration(bytes)).expect(201);
        format!("{path}/{}", answer.body["artifact"]["id"].as_str().unwrap())
    }

    /// Ben uploads an artifact of [`BYTES`]; answers its path.
    pub(crate) fn uploaded(&mut self) -> String {
        let path = self.declared(BYTES);
        self.put(&format!("{path}/versions/1"), BYTES);
        self.complete(&format!("{path}/versions/1")).expect(200);
        path
    }

    /// Ben declares an artifact of [`LARGE`] bytes and its upload in parts is begun; answers its
    /// version's path.
    pub(crate) fn large(&mut self) -> String {
        let (ben, path) = (self.ben.clone(), self.artifacts());
        let mut body = declaration(BYTES);
        body["size"] = json!(LARGE);
        let answer = self.world.post(&ben, &path, body).expect(201);
        self.start_parts(answer.upload());
        let id = answer.body["artifact"]["id"].as_str().unwrap();
        format!("{path}/{id}/versions/1")
    }

    /// The same with all parts there, which the object store has no digest of.
    pub(crate) fn verifying(&mut self) -> String {
        let version = self.large();
        self.put_large(&version, None);
        let (ben, complete) = (self.ben.clone(), format!("{version}/complete"));
        self.world.post(&ben, &complete, parts(1..=7)).expect(202);
        version
    }

    /// [`LARGE`] bytes of this digest are there.
    pub(crate) fn put_large(&mut self, version: &str, sha256: Option<Sha256>) {
        let stat = Stat {
            size: LARGE,
            sha256,
            version: None,
        };
        self.put_stat(version, stat);
    }

    /// Ben adds a version of these bytes; answers its path.
    pub(crate) fn added(&mut self, artifact: &str, bytes: &[u8]) -> String {
        let (ben, path) = (self.ben.clone(), format!("{artifact}/versions"));
        let answer = self.world.post(&ben, &path, declaration(bytes)).expect(201);
        format!("{path}/{}", answer.body["version"]["number"])
    }

    /// Ben declares an output of version 1 of these bytes; answers its path.
    pub(crate) fn derived(&mut self, artifact: &str, bytes: &[u8], more: Value) -> String {
        let (ben, path) = (self.ben.clone(), format!("{artifact}/derived"));
        let mut body = declaration(bytes);
        body["source_version"] = json!(1);
        body["kind"] = json!("text");
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let answer = self.world.post(&ben, &path, body).expect(201);
        format!("{path}/{}", answer.body["derived"]["id"].as_str().unwrap())
    }

    /// The bytes arrive in the object store.
    pub(crate) fn put(&mut self, document: &str, bytes: &[u8]) {
        let stat = Stat {
            size: bytes.len() as u64,
            sha256: Some(Sha256::of(bytes)),
            version: Some("object-1".into()),
        };
        self.put_stat(document, stat);
    }

    /// The object store says this of the object.
    pub(crate) fn put_stat(&mut self, document: &str, stat: Stat) {
        let path = self.object_path(document);
        self.world.objects.insert(path, stat);
    }

    /// Where the bytes of a version or derived output belong.
    pub(crate) fn object_path(&self, document: &str) -> String {
        let below = document.strip_prefix("/v1/projects/").unwrap();
        let below = below.replace("/versions/", "/raw/");
        format!("accounts/{}/projects/{below}/report.pdf", self.account)
    }

    /// Ben completes an upload.
    pub(crate) fn complete(&mut self, document: &str) -> Answered {
        let ben = self.ben.clone();
        self.world
            .post(&ben, &format!("{document}/complete"), json!({}))
    }

    /// What Ben is shown at a path.
    pub(crate) fn shown(&mut self, path: &str) -> Value {
        let ben = self.ben.clone();
        self.world.get(&ben, path).expect(200).body
    }

    /// The events of the project's journal, in order.
    pub(crate) fn events(&self) -> Vec<String> {
        let entries = self.world.dump().into_iter().filter(|item| {
            item.key.scope == Scope::Project(self.project)
                && item.key.sort.as_str().starts_with(Sort::JOURNAL)
        });
        let event = |item: crate::storage::Item| {
            let body: Value = serde_json::from_str(&item.body).unwrap();
            body["body"]["event"].as_str().unwrap().to_string()
        };
        entries.map(event).collect()
    }

    /// Asserts that no answer so far gave away what stays inside.
    pub(crate) fn assert_discreet(body: &Value) {
        let members: BTreeMap<String, Value> = serde_json::from_value(body.clone()).unwrap();
        for internal in ["upload_id", "object_version", "stored_as", "content"] {
            assert!(!members.contains_key(internal), "{internal} in {body}");
        }
    }
}

impl Answered {
    /// The upload to be signed for this answer.
    pub(crate) fn upload(&self) -> &SignUpload {
        match self.reply.as_ref().and_then(|reply| reply.sign.as_ref()) {
            Some(Sign::Upload(upload)) => upload,
            other => panic!("no upload to sign but {other:?}"),
        }
    }

    /// The download to be signed for this answer.
    pub(crate) fn download(&self) -> &SignDownload {
        match self.reply.as_ref().and_then(|reply| reply.sign.as_ref()) {
            Some(Sign::Download(download)) => download,
            other => panic!("no download to sign but {other:?}"),
        }
    }

    /// The field a 400 names.
    pub(crate) fn field(&self) -> String {
        assert_eq!(self.status, 400, "{}", self.body);
        self.body["errors"][0]["field"].as_str().unwrap().into()
    }
}
