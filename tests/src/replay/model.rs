//! The state that a script has reached, and the request that a command means in that state.

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use wm_core::{
    http::{self, Request},
    operation::Route,
    storage::ObjectPath,
    value::{Sha256, Timestamp},
};

use super::script::{Action, Command, PEOPLE};

/// The objects created so far, with the ids of the reference, which the other surfaces share.
#[derive(Debug, Clone)]
pub struct Model {
    /// Distinguishes the people of this run from those of other runs.
    pub run: String,
    /// The start time of the script.
    pub begun: Timestamp,
    users: [Option<String>; PEOPLE],
    accounts: Vec<String>,
    teams: Vec<String>,
    members: Vec<String>,
    invitations: Vec<String>,
    projects: Vec<String>,
    grants: Vec<String>,
    artifacts: Vec<String>,
    versions: Vec<String>,
    derived: Vec<String>,
    /// The planned uploads.
    pub uploads: Vec<Upload>,
    /// Creations with an idempotency key, for repetition.
    keyed: Vec<RequestTemplate>,
}

/// A planned upload.
#[derive(Debug, Clone)]
pub struct Upload {
    pub path: ObjectPath,
    /// The expected bytes.
    pub bytes: Vec<u8>,
}

/// The caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// One of the script's people.
    Person(usize),
    /// One of the script's people, with an expired token.
    Expired(usize),
    /// An unknown caller with this token, or without one.
    Stranger(Option<&'static str>),
}

/// The precondition of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    Nothing,
    /// `If-Match: *`.
    Any,
    /// The ETag of the last answer.
    Current,
    /// The ETag of the first answer.
    First,
    /// An ETag that never existed.
    Unknown,
}

/// A request without its per-target values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestTemplate {
    /// The caller.
    pub who: Sender,
    pub method: &'static str,
    pub path: String,
    pub query: String,
    /// Whether the request continues a list at its last cursor.
    pub goes_on: bool,
    pub precondition: Precondition,
    pub key: Option<String>,
    pub media_type: &'static str,
    pub body: Body,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    Nothing,
    /// These bytes, valid or not.
    Bytes(Vec<u8>),
    Json(Value),
    /// JSON whose named member is a token of this person for one of their e-mail addresses.
    Token(&'static str, usize),
    /// JSON with the token of the newest mail to this person.
    Mailed(usize),
}

/// The meaning of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Send(RequestTemplate),
    /// A request for a signed URL and a download of its object.
    Fetch(RequestTemplate),
    /// An upload according to a plan.
    Put(usize),
}

const ACCOUNT_ROLES: [&str; 4] = ["member", "guest", "admin", "owner"];
const PROJECT_ROLES: [&str; 5] = ["viewer", "contributor", "manager", "owner", "commenter"];
/// The last values of each list are refused. They are picked rarely.
const NAMES: [&str; 6] = ["House", "Atelier", "Ä Ö", "a/b", "Tower", ""];
const FILES: [&str; 5] = ["plan.txt", "Grundriß.pdf", "a b.txt", "n.txt", "../x"];
const EVENTS: [&str; 5] = [
    "account.updated",
    "project.created",
    "member.updated",
    "grant.created",
    "no.such",
];
const CONTENTS: [&[u8]; 4] = [b"plan", b"", b"another plan", &[0, 255, 10, 13]];

/// A size above the limit of a single request.
const IN_PARTS: usize = 70 * 1024 * 1024;

fn pick<T: Copy>(values: &[T], choice: u32) -> T {
    values[choice as usize % values.len()]
}

/// One of these values. The last one, which is refused, is picked once in 16 times.
fn rarely_last<T: Copy>(values: &[T], choice: u32) -> T {
    match (values, choice % 16) {
        ([.., last], 15) => *last,
        ([good @ .., _], choice) => pick(good, choice),
        ([], _) => unreachable!("there are some"),
    }
}

fn prepared(who: usize, method: &'static str, path: impl Into<String>) -> RequestTemplate {
    RequestTemplate {
        who: Sender::Person(who),
        method,
        path: path.into(),
        query: String::new(),
        goes_on: false,
        precondition: Precondition::Nothing,
        key: None,
        media_type: "application/json",
        body: Body::Nothing,
    }
}

impl RequestTemplate {
    /// The request of the caller's session.
    #[must_use]
    pub fn session() -> Self {
        prepared(0, "GET", "/v1/session")
    }

    /// Whether the answer may hold digests over values of the provider: those of documents, of a
    /// project's journal and of people.
    #[must_use]
    pub fn is_opaque(&self) -> bool {
        let appended = ["/metadata", "/events"];
        let of_project = self.path.starts_with("/v1/projects/");
        let of_document = self.path.contains("/artifacts")
            && !appended.iter().any(|end| self.path.ends_with(end));
        self.path.starts_with("/v1/session")
            || of_project && (of_document || self.path.contains("/journal"))
    }

    /// The requested operation.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.find().map_or("none", |route| route.operation)
    }

    /// The requested route.
    #[must_use]
    pub fn route(&self) -> &'static Route {
        self.find().expect("the path of a route")
    }

    fn find(&self) -> Option<&'static Route> {
        let request = Request {
            method: self.method.into(),
            path: self.path.clone(),
            ..Request::default()
        };
        http::find(&request).ok().map(|(route, _)| route)
    }

    fn with_body(self, body: Value) -> Self {
        Self {
            body: Body::Json(body),
            ..self
        }
    }

    fn with_query(self, query: impl Into<String>) -> Self {
        Self {
            query: query.into(),
            ..self
        }
    }

    fn under(self, choice: u32) -> Self {
        let conditions = [
            Precondition::Current,
            Precondition::Any,
            Precondition::Current,
            Precondition::First,
            Precondition::Unknown,
            Precondition::Nothing,
        ];
        Self {
            precondition: pick(&conditions, choice),
            ..self
        }
    }
}

impl Model {
    /// An empty state.
    #[must_use]
    pub fn new(run: String, begun: Timestamp) -> Self {
        Self {
            run,
            begun,
            users: Default::default(),
            accounts: Vec::new(),
            teams: Vec::new(),
            members: Vec::new(),
            invitations: Vec::new(),
            projects: Vec::new(),
            grants: Vec::new(),
            artifacts: Vec::new(),
            versions: Vec::new(),
            derived: Vec::new(),
            uploads: Vec::new(),
            keyed: Vec::new(),
        }
    }

    /// The route of a command in any state.
    #[must_use]
    pub fn route(command: &Command) -> &'static Route {
        let nothing = Self::new(String::new(), Timestamp::from_millis(0));
        match nothing.step(0, command) {
            Step::Send(template) | Step::Fetch(template) => template.route(),
            Step::Put(_) => panic!("{command:?} sends bytes to the object store"),
        }
    }

    /// The e-mail address of a person.
    #[must_use]
    pub fn email(&self, person: usize) -> String {
        format!("p{person}-{}@example.com", self.run)
    }

    /// One of the existing paths. Rarely, or if there is none, a path that does not exist.
    fn one(&self, places: &[String], choice: u32, kind: &str) -> String {
        let place = places.get(choice as usize % places.len().max(1));
        match place {
            Some(place) if !choice.is_multiple_of(29) => place.clone(),
            _ => self.missing_path(kind),
        }
    }

    fn missing_path(&self, kind: &str) -> String {
        let ulid = "01h2xcejqtf2nbrexx3vqjhp41";
        let account = || format!("/v1/accounts/acc_{ulid}");
        let project = || format!("/v1/projects/prj_{ulid}{ulid}");
        let artifact = || format!("{}/artifacts/art_{ulid}", project());
        match kind {
            "account" => account(),
            "team" => format!("{}/teams/team_{ulid}", account()),
            "member" => format!("{}/members/usr_{ulid}", account()),
            "invitation" => format!("{}/invitations/inv_{ulid}", account()),
            "project" => project(),
            "grant" => format!("{}/grants/grt_{ulid}", project()),
            "artifact" => artifact(),
            "version" => format!("{}/versions/1", artifact()),
            _ => format!("{}/derived/der_{ulid}", artifact()),
        }
    }

    fn user(&self, choice: u32) -> String {
        let known: Vec<&String> = self.users.iter().flatten().collect();
        let user = known.get(choice as usize % known.len().max(1));
        user.map_or("usr_01h2xcejqtf2nbrexx3vqjhp41".into(), |user| {
            (*user).clone()
        })
    }

    fn id(place: &str) -> &str {
        place.rsplit('/').next().unwrap_or_default()
    }

    fn principal(&self, choice: u32) -> Value {
        if choice.is_multiple_of(3) && !self.teams.is_empty() {
            let team = self.one(&self.teams, choice / 3, "team");
            json!({ "type": "team", "id": Self::id(&team) })
        } else {
            json!({ "type": "user", "id": self.user(choice / 3) })
        }
    }

    /// An expiry: usually none, rarely one in the past.
    fn end(&self, choice: u32) -> Option<String> {
        let day = 24 * 60 * 60 * 1000;
        let after = match choice % 8 {
            0 => 30 * day,
            1 => -day,
            _ => return None,
        };
        let time = Timestamp::from_millis(self.begun.millis() + after);
        Some(time.to_string())
    }

    fn file(choice: u32) -> Value {
        let bytes = pick(&CONTENTS, choice / 8);
        let types = ["text/plain", "application/pdf", "text/html", "no type"];
        // Rarely a size that needs parts. The bytes of those are never sent.
        let size = match choice % 16 {
            7 => IN_PARTS,
            _ => bytes.len(),
        };
        json!({
            "name": rarely_last(&FILES, choice),
            "media_type": rarely_last(&types, choice / 3),
            "size": size,
            "sha256": Sha256::of(bytes).to_string(),
        })
    }

    /// The meaning of this command in the present state.
    #[must_use]
    pub fn step(&self, number: usize, command: &Command) -> Step {
        let [a, b, c] = command.picks;
        match command.what {
            Action::Put => match self.uploads.len() {
                0 => Step::Send(self.template(command)),
                uploads => Step::Put(a as usize % uploads),
            },
            Action::Download | Action::DownloadDerived => Step::Fetch(self.template(command)),
            Action::Replay => Step::Send(self.again(a, b)),
            Action::BadInput => Step::Send(self.bad(command.who, a, b, c)),
            _ => {
                let mut template = self.template(command);
                if command.keyed && template.method == "POST" {
                    template.key = Some(format!("key-{}-{number}", self.run));
                }
                Step::Send(template)
            }
        }
    }

    /// Repeats a creation, with the same body or with another body under the same key.
    fn again(&self, a: u32, b: u32) -> RequestTemplate {
        let Some(last) = self.keyed.get(a as usize % self.keyed.len().max(1)) else {
            return prepared(0, "GET", "/v1/session");
        };
        let mut template = last.clone();
        if b.is_multiple_of(4) {
            template.body = Body::Json(json!({ "name": "Otherwise" }));
        }
        if b.is_multiple_of(5) {
            template.who = Sender::Person(1);
        }
        template
    }

    fn template(&self, command: &Command) -> RequestTemplate {
        let [a, b, c] = command.picks;
        let who = command.who;
        let account = self.one(&self.accounts, a, "account");
        let team = self.one(&self.teams, a, "team");
        let member = self.one(&self.members, a, "member");
        let invitation = self.one(&self.invitations, a, "invitation");
        let project = self.one(&self.projects, a, "project");
        let grant = self.one(&self.grants, a, "grant");
        let artifact = self.one(&self.artifacts, a, "artifact");
        let version = self.one(&self.versions, a, "version");
        let derived = self.one(&self.derived, a, "derived");
        let name = rarely_last(&NAMES, b);
        let get = |path: String| prepared(who, "GET", path);
        let post = |path: String, body: Value| prepared(who, "POST", path).with_body(body);
        let patch =
            |path: String, body: Value| prepared(who, "PATCH", path).with_body(body).under(c);
        let delete = |path: String| prepared(who, "DELETE", path);
        let list = |path: String| {
            let limits = ["", "limit=1", "limit=2", "limit=200", "limit=0"];
            let limit = pick(&limits, b);
            RequestTemplate {
                goes_on: c.is_multiple_of(2),
                ..get(path).with_query(limit)
            }
        };
        match command.what {
            Action::Session | Action::Replay | Action::BadInput => get("/v1/session".into()),
            Action::Public => {
                let paths = [
                    "/v1/catalog",
                    "/openapi.json",
                    "/health/live",
                    "/v1/nothing",
                ];
                get(pick(&paths, a).into())
            }
            Action::Identity | Action::Link => {
                let (path, member) = match command.what {
                    Action::Identity => ("/v1/session/identity", "id_token"),
                    _ => ("/v1/session/identities", "access_token"),
                };
                let whose = if b.is_multiple_of(4) {
                    (who + 1) % PEOPLE
                } else {
                    who
                };
                RequestTemplate {
                    body: Body::Token(member, whose),
                    ..prepared(who, "POST", path)
                }
            }
            Action::CreateAccount => {
                let kinds = ["organisation", "personal", "consulting", "other"];
                post(
                    "/v1/accounts".into(),
                    json!({ "name": name, "kind": pick(&kinds, c) }),
                )
            }
            Action::GetAccount => get(account),
            Action::PatchAccount => patch(account, json!({ "name": name })),
            Action::CloseAccount => delete(account),
            Action::ListMembers => list(format!("{account}/members")),
            Action::GetMember => get(member),
            Action::PatchMember => {
                let changes = [
                    json!({ "role": pick(&ACCOUNT_ROLES, b / 4) }),
                    json!({ "status": "suspended" }),
                    json!({ "status": "active" }),
                    json!({ "role": pick(&ACCOUNT_ROLES, b / 4) }),
                ];
                patch(member, changes[b as usize % 4].clone())
            }
            Action::RemoveMember => delete(member),
            Action::CreateTeam => post(format!("{account}/teams"), json!({ "name": name })),
            Action::ListTeams => list(format!("{account}/teams")),
            Action::GetTeam => get(team),
            Action::PatchTeam => patch(team, json!({ "name": name })),
            Action::DeleteTeam => delete(team),
            Action::ListTeamMembers => list(format!("{team}/members")),
            Action::PutTeamMember => {
                let place = format!("{team}/members/{}", self.user(b));
                let role = pick(&["member", "lead"], c);
                prepared(who, "PUT", place).with_body(json!({ "role": role }))
            }
            Action::GetTeamMember => get(format!("{team}/members/{}", self.user(b))),
            Action::RemoveTeamMember => delete(format!("{team}/members/{}", self.user(b))),
            Action::Invite => {
                let mut body = json!({
                    "email": self.email(1 + b as usize % (PEOPLE - 1)),
                    "role": pick(&ACCOUNT_ROLES, b / 4),
                });
                if c.is_multiple_of(3) && !self.teams.is_empty() {
                    body["teams"] = json!([Self::id(&self.one(&self.teams, c, "team"))]);
                }
                if c.is_multiple_of(2) && !self.projects.is_empty() {
                    let project = self.one(&self.projects, c, "project");
                    let role = pick(&PROJECT_ROLES, c);
                    body["project_grants"] =
                        json!([{ "project_id": Self::id(&project), "role": role }]);
                }
                body["expires_at"] = json!(self.end(c));
                post(format!("{account}/invitations"), body)
            }
            Action::ListInvitations => list(format!("{account}/invitations")),
            Action::GetInvitation => get(invitation),
            Action::Resend => post(format!("{invitation}/resend"), json!({})),
            Action::RevokeInvitation => delete(invitation),
            Action::Accept | Action::Decline => {
                let path = match command.what {
                    Action::Accept => "/v1/invitations/accept",
                    _ => "/v1/invitations/decline",
                };
                let whose = 1 + a as usize % (PEOPLE - 1);
                let by = if b.is_multiple_of(8) { who } else { whose };
                RequestTemplate {
                    body: Body::Mailed(whose),
                    ..prepared(by, "POST", path)
                }
            }
            Action::CreateProject => {
                let visibility = pick(&["private", "account"], c);
                let body = json!({ "name": name, "visibility": visibility });
                post(format!("{account}/projects"), body)
            }
            Action::ListProjects => list(format!("{account}/projects")),
            Action::GetProject => get(project),
            Action::PatchProject => {
                let changes = [
                    json!({ "name": name }),
                    json!({ "archived": b.is_multiple_of(3) }),
                    json!({ "visibility": pick(&["account", "private"], b) }),
                    json!({ "description": null }),
                ];
                patch(project, changes[b as usize / 8 % 4].clone())
            }
            Action::DeleteProject => delete(project),
            Action::CreateGrant => {
                let mut body = json!({
                    "principal": self.principal(b),
                    "role": pick(&PROJECT_ROLES, c),
                });
                body["expires_at"] = json!(self.end(c / 8));
                post(format!("{project}/grants"), body)
            }
            Action::ListGrants => {
                let listed = list(format!("{project}/grants"));
                let revoked = ["include=revoked", ""];
                let query = [pick(&revoked, c / 2), &listed.query].join("&");
                let query = query.trim_matches('&').to_owned();
                RequestTemplate { query, ..listed }
            }
            Action::GetGrant => get(grant),
            Action::PatchGrant => {
                let body = json!({ "role": pick(&PROJECT_ROLES, b), "expires_at": self.end(b) });
                patch(grant, body)
            }
            Action::RevokeGrant => delete(grant).with_query(pick(&["", "reason=left%20us"], b)),
            Action::Access => {
                let queries = [String::new(), format!("user={}", self.user(b / 4))];
                get(format!("{project}/access")).with_query(queries[b as usize % 2].clone())
            }
            Action::Preview => {
                let grant =
                    json!({ "principal": self.principal(b), "role": pick(&PROJECT_ROLES, c) });
                post(
                    format!("{project}/access/preview"),
                    json!({ "add": [grant] }),
                )
            }
            Action::Subjects => {
                let queries = [
                    "",
                    "capability=project.view",
                    "capability=grant.manage",
                    "capability=x",
                ];
                get(format!("{project}/subjects")).with_query(pick(&queries, b))
            }
            Action::Declare => post(format!("{project}/artifacts"), Self::file(b)),
            Action::ListArtifacts => list(format!("{project}/artifacts")),
            Action::GetArtifact => get(artifact),
            Action::PatchArtifact => {
                let changes = [
                    json!({ "name": pick(&FILES, b / 4) }),
                    json!({ "labels": { "phase": name } }),
                ];
                patch(artifact, changes[b as usize % 2].clone())
            }
            Action::DeleteArtifact => delete(artifact),
            Action::RestoreArtifact => post(format!("{artifact}/restore"), json!({})),
            Action::NewVersion => post(format!("{artifact}/versions"), Self::file(b)),
            Action::ListVersions => list(format!("{artifact}/versions")),
            Action::GetVersion => get(version),
            Action::Reissue | Action::Put => post(format!("{version}/upload"), json!({})),
            Action::Complete => {
                let parts = json!({ "parts": [{ "number": 1, "etag": "x" }] });
                let body = if c.is_multiple_of(9) {
                    parts
                } else {
                    json!({})
                };
                post(format!("{version}/complete"), body)
            }
            Action::Download => post(format!("{version}/download"), json!({})),
            Action::RestoreVersion => post(format!("{version}/restore"), json!({})),
            Action::Derive => {
                let mut body = Self::file(b);
                body["source_version"] = json!(1 + c % 2);
                body["kind"] = json!("text");
                if c.is_multiple_of(3) && !self.derived.is_empty() {
                    let other = self.one(&self.derived, c, "derived");
                    body["supersedes"] = json!(Self::id(&other));
                }
                post(format!("{artifact}/derived"), body)
            }
            Action::ListDerived => list(format!("{artifact}/derived")),
            Action::GetDerived => get(derived),
            Action::ReissueDerived => post(format!("{derived}/upload"), json!({})),
            Action::CompleteDerived => post(format!("{derived}/complete"), json!({})),
            Action::DownloadDerived => post(format!("{derived}/download"), json!({})),
            Action::AppendMetadata => {
                let values = [
                    json!({ "pages": b }),
                    json!({ "a": { "b": [1.5, null, name] } }),
                    json!({}),
                ];
                let values = values[c as usize % 3].clone();
                post(format!("{artifact}/metadata"), json!({ "values": values }))
            }
            Action::ListMetadata => list(format!("{artifact}/metadata")),
            Action::AppendEvent => {
                let body = json!({ "kind": pick(&["note", "review", "No"], c), "text": name });
                post(format!("{artifact}/events"), body)
            }
            Action::ListEvents => list(format!("{artifact}/events")),
            Action::GetPreferences => get("/v1/preferences/notifications".into()),
            Action::PutPreferences => {
                let mut rule = json!({
                    "event": pick(&EVENTS, b),
                    "channel": "mail",
                    "enabled": !c.is_multiple_of(3),
                });
                if c.is_multiple_of(2) {
                    let project = self.one(&self.projects, a, "project");
                    rule["scope"] = json!(Self::id(&project));
                }
                prepared(who, "PUT", "/v1/preferences/notifications")
                    .with_body(json!({ "rules": [rule] }))
            }
            Action::Journal => {
                let queries = ["", "limit=2", "after=1", "after=1&limit=1", "after=x"];
                get(format!("{}/journal", self.journalled(a))).with_query(pick(&queries, b))
            }
            Action::Verification => get(format!("{}/journal/verification", self.journalled(a))),
        }
    }

    fn journalled(&self, choice: u32) -> String {
        match choice % 2 {
            0 => self.one(&self.projects, choice / 2, "project"),
            _ => self.one(&self.accounts, choice / 2, "account"),
        }
    }

    /// An invalid request.
    fn bad(&self, who: usize, a: u32, b: u32, c: u32) -> RequestTemplate {
        let account = self.one(&self.accounts, b, "account");
        let project = self.one(&self.projects, b, "project");
        let raw = |bytes: &[u8]| RequestTemplate {
            body: Body::Bytes(bytes.to_vec()),
            ..prepared(who, "POST", "/v1/accounts")
        };
        let by = |stranger: Sender| RequestTemplate {
            who: stranger,
            ..prepared(who, "GET", account.clone())
        };
        let list =
            |query: &str| prepared(who, "GET", format!("{account}/members")).with_query(query);
        match a % 20 {
            0 => raw(b"{"),
            1 => raw(b""),
            2 => raw(b"[1]"),
            3 => raw(br#"{"name":"a","name":"b","kind":"personal"}"#),
            4 => raw(b"{\"name\":\"\xff\",\"kind\":\"personal\"}"),
            5 => raw(br#"{"name":"a\u0000b","kind":"personal"}"#),
            6 => raw(br#"{"name":7,"kind":"personal"}"#),
            7 => raw(br#"{"name":"a","kind":"personal","owner":"me"}"#),
            8 => RequestTemplate {
                media_type: pick(
                    &[
                        "text/plain",
                        "application/xml",
                        "application/JSON; charset=utf-8",
                    ],
                    c,
                ),
                ..raw(br#"{"name":"a","kind":"personal"}"#)
            },
            9 => by(Sender::Stranger(None)),
            10 => by(Sender::Stranger(Some("Bearer x.y.z"))),
            11 => by(Sender::Stranger(Some("Basic YTpi"))),
            12 => by(Sender::Expired(who)),
            13 => list(pick(
                &[
                    "limit=-1",
                    "limit=201",
                    "limit=x",
                    "nothing=1",
                    "cursor=YWJj",
                    "limit=1&limit=2",
                ],
                c,
            )),
            14 => prepared(who, "PUT", account.clone()),
            15 => prepared(
                who,
                "GET",
                pick(
                    &[
                        "/v1/accounts/acc_x",
                        "/v1/projects/prj_",
                        "/v2/session",
                        "/v1//session",
                        "/v1/session/",
                    ],
                    c,
                ),
            ),
            16 => prepared(who, "PATCH", account.clone())
                .with_body(json!({ "name": "x".repeat(300) }))
                .under(c),
            17 => prepared(who, "POST", format!("{project}/grants"))
                .with_body(json!({ "principal": { "type": "robot", "id": 1 } })),
            18 => RequestTemplate {
                key: Some(pick(&["", "a key", "ü"], c).to_owned()),
                ..raw(br#"{"name":"a","kind":"personal"}"#)
            },
            _ => prepared(who, "DELETE", project.clone()).with_body(json!({ "surplus": true })),
        }
    }

    /// Records the reference's answer.
    pub fn record_answer(
        &mut self,
        command: &Command,
        template: &RequestTemplate,
        status: u16,
        body: &Value,
    ) {
        if template.key.is_some() && status < 500 && !self.keyed.contains(template) {
            self.keyed.push(template.clone());
        }
        let user = body["user"]["id"].as_str();
        if let (Sender::Person(who), Some(user), "/v1/session") =
            (template.who, user, &*template.path)
        {
            self.users[who] = Some(user.to_owned());
        }
        if !(200..300).contains(&status) {
            return;
        }
        let id = |body: &Value| body["id"].as_str().map(str::to_owned);
        let below = |collection: &str, id: Option<String>| {
            id.map(|id| format!("{}/{collection}{id}", template.path.trim_end_matches('/')))
        };
        let (places, place) = match command.what {
            Action::CreateAccount => {
                let account = id(body).map(|id| format!("/v1/accounts/{id}"));
                let owner = self.users[command.who].clone();
                let member = account.as_ref().zip(owner);
                self.members
                    .extend(member.map(|(account, owner)| format!("{account}/members/{owner}")));
                (&mut self.accounts, account)
            }
            Action::CreateTeam => (&mut self.teams, below("", id(body))),
            Action::Invite => (&mut self.invitations, below("", id(body))),
            Action::CreateProject => {
                let project = id(body).map(|id| format!("/v1/projects/{id}"));
                (&mut self.projects, project)
            }
            Action::CreateGrant => (&mut self.grants, below("", id(body))),
            Action::Declare => {
                let artifact = below("", id(&body["artifact"]));
                self.versions.extend(
                    artifact
                        .as_ref()
                        .map(|artifact| format!("{artifact}/versions/1")),
                );
                (&mut self.artifacts, artifact)
            }
            Action::NewVersion => {
                let number = body["version"]["number"].as_u64();
                (
                    &mut self.versions,
                    below("", number.map(|number| number.to_string())),
                )
            }
            Action::RestoreVersion => {
                let number = body["number"].as_u64();
                let versions = template.path.split("/versions/").next().unwrap_or_default();
                let place = number.map(|number| format!("{versions}/versions/{number}"));
                (&mut self.versions, place)
            }
            Action::Derive => (&mut self.derived, below("", id(&body["derived"]))),
            Action::Accept => {
                let account = body["account"]["id"]
                    .as_str()
                    .or(body["account_id"].as_str());
                let Sender::Person(who) = template.who else {
                    return;
                };
                let user = self.users[who].clone();
                let place = account.zip(user);
                let place =
                    place.map(|(account, user)| format!("/v1/accounts/{account}/members/{user}"));
                (&mut self.members, place)
            }
            _ => return,
        };
        places.extend(place);
        let mut all = std::mem::take(places);
        all.dedup();
        *places = all;
    }

    /// The object of an upload plan. `None` if there is no plan, or one in parts.
    #[must_use]
    pub fn planned(upload: &Value) -> Option<ObjectPath> {
        Self::object(&upload["url"])
    }

    /// The object that a signed URL names. `None` if the URL names none.
    #[must_use]
    pub fn object(url: &Value) -> Option<ObjectPath> {
        let url = url.as_str()?.split('?').next()?;
        let path = &url[url.find("accounts/")?..];
        percent_decode_str(path).decode_utf8().ok()?.parse().ok()
    }

    /// The bytes that were declared with this digest.
    #[must_use]
    pub fn bytes(digest: &str) -> Option<Vec<u8>> {
        let mut contents = CONTENTS.iter();
        let found = contents.find(|bytes| Sha256::of(bytes).to_string() == digest);
        found.map(|bytes| bytes.to_vec())
    }
}
