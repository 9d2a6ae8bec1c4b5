//! Test fixture: people who call the API of a surface in memory, one request at a time.

pub(crate) mod document_fixture;
mod fixtures;
mod grant_fixture;

use alloc::{
    boxed::Box,
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};
use core::time::Duration;

pub(crate) use fixtures::principal_of;
pub(crate) use grant_fixture::GrantFixture;
use serde_json::{Value, json};
use ulid::Ulid;

use crate::{
    catalog::Provider,
    http::{self, Request, Response},
    jobs,
    operation::{
        Answer, Batch, Commit, Context, Drive, Handler, IdempotencyRequest, Next, Outcome, Problem,
        ReadRequest, Reply, Stat, Surface, UseCase,
    },
    operations::members,
    permission::Permit,
    record::{
        Actor, Body, Claims, Counting, EventType, Head, Member, MemberStatus, Record, Usage, User,
    },
    selection::BackendSelection,
    storage::{
        Condition, Item, Key, Operation, Range, Scope, Sort, UploadLimits, WorkPartitions,
        memory::{Conflict, Memory},
    },
    value::{
        AccountId, AccountRole, CommitId, Email, Env, RequestId, Sha256, SurfaceId, Timestamp,
        UserId, id::Id,
    },
};

/// A surface in memory.
pub(crate) struct Fixture {
    pub(crate) surface: Surface,
    pub(crate) store: Memory,
    pub(crate) now: Timestamp,
    /// Objects by path.
    pub(crate) objects: BTreeMap<String, Stat>,
    /// Tokens that [`ReadRequest::Token`] accepts.
    pub(crate) tokens: BTreeMap<String, Claims>,
    /// Whether requests finish the work that their replies name. `false` simulates a crash after
    /// the commit.
    pub(crate) finishes: bool,
    /// Read rounds of the last request.
    pub(crate) rounds: usize,
    /// The maximum number of reads in one of these rounds.
    pub(crate) widest: usize,
    /// An outdated state that the indexes still show.
    pub(crate) behind: Option<Memory>,
    requests: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) actor: Actor,
}

impl Person {
    pub(crate) fn id(&self) -> String {
        self.actor.user.to_string()
    }
}

/// An answer with its body parsed.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) etag: Option<String>,
    pub(crate) body: Value,
    pub(crate) reply: Option<Reply>,
}

impl Answered {
    pub(crate) fn id(&self) -> String {
        self.text("id")
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.body[name]
            .as_str()
            .unwrap_or_else(|| panic!("no `{name}` in {}", self.body))
            .into()
    }

    /// Asserts the status and returns the answer.
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// Asserts a problem of this type, such as `not-found`.
    pub(crate) fn expect_problem(self, kind: &str) -> Self {
        assert_eq!(
            self.body["type"],
            format!("urn:wm:problem:{kind}"),
            "{} {}",
            self.status,
            self.body
        );
        self
    }
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let surface = Surface {
            id: SurfaceId::first(Ulid::from_parts(1, 1)),
            secret: [7; 32],
            selection: BackendSelection::for_tests(Provider::Local),
            public_url: "http://surface.test".into(),
            upload: UploadLimits::default(),
        };
        Self {
            surface,
            store: Memory::default(),
            now: Timestamp::from_millis(1_800_000_000_000),
            objects: BTreeMap::new(),
            tokens: BTreeMap::new(),
            finishes: true,
            rounds: 0,
            widest: 0,
            behind: None,
            requests: 0,
        }
    }

    /// A person with a profile and a verified address, as sign-up stores them.
    pub(crate) fn person(&mut self, name: &str) -> Person {
        let email: Email = format!("{name}@example.com").parse().unwrap();
        let seed = Sha256::of(name.as_bytes());
        let user: UserId = Env::new(self.now, *seed.as_bytes()).id("user");
        let claims = Claims {
            issuer: "https://issuer.test".into(),
            subject: name.into(),
            client: None,
            verified_email: Some(email),
            name: Some(name.parse().unwrap()),
        };
        let person = Person {
            actor: Actor { user, claims },
        };
        let surface = self.surface.clone();
        let context = self.context(&surface, &person, None);
        let mut commit = Commit::open(&context, Permit::own_profile(&person.actor), None).unwrap();
        commit.create(user, User::new(&person.actor.claims, self.now, seed));
        let outcome = commit.finish(EventType::UserCreated, Reply::no_content());
        let Ok(Outcome::Commit(batch, _)) = outcome else {
            panic!("sign-up commits")
        };
        self.commit(&batch);
        person
    }

    /// Creates an account with this owner. Returns its id.
    pub(crate) fn account(&mut self, owner: &Person) -> String {
        let body = json!({ "name": "Acme", "kind": "organisation" });
        self.post(owner, "/v1/accounts", body).expect(201).id()
    }

    /// Creates a team of this account. Returns its id.
    pub(crate) fn team(&mut self, admin: &Person, account: &str) -> String {
        let path = format!("/v1/accounts/{account}/teams");
        self.post(admin, &path, json!({ "name": "Review" }))
            .expect(201)
            .id()
    }

    /// Makes a person an active member of an account, as an accepted invitation would. A former
    /// member begins a new stay.
    pub(crate) fn join(&mut self, account: &str, person: &Person, role: AccountRole) {
        let account: AccountId = account.parse().unwrap();
        let (scope, user) = (Scope::Account(account), person.actor.user);
        let record = self.record(&scope.key(Sort::account())).unwrap();
        let before: Option<Record<Member>> = self.record(&scope.key(Sort::member(user)));
        let event = EventType::InvitationAccepted;
        self.write(person, scope, event, |context, commit| {
            let member = Member {
                account_id: account,
                membership_id: context.env.id("membership"),
                role,
                status: MemberStatus::Active,
                invitation_id: None,
            };
            members::ensure_active_owner(commit, &record, user, &member).unwrap();
            match before {
                Some(before) => commit.update(&before, member),
                None => commit.create(user, member),
            };
        });
    }

    pub(crate) fn pass(&mut self, duration: Duration) {
        self.now = self.now.after(duration);
    }

    /// Removes expired items, as a database does some time after they expire.
    pub(crate) fn collect_garbage(&mut self) {
        let mut expired = self.dump();
        expired.retain(|item| item.expires_at.is_some_and(|end| end <= self.now));
        for item in expired {
            let Key { scope, sort } = item.key;
            let removal = Operation::Delete(sort, Condition::Matches(item.etag));
            let commit_id = CommitId::from_ulid(Ulid::nil());
            self.commit(&Batch::unchecked(scope, commit_id, vec![removal]));
        }
    }

    pub(crate) fn get(&mut self, person: &Person, path: &str) -> Answered {
        self.send(person, "GET", path, &[], None)
    }

    pub(crate) fn post(&mut self, person: &Person, path: &str, body: Value) -> Answered {
        self.send(person, "POST", path, &[], Some(body))
    }

    pub(crate) fn put(&mut self, person: &Person, path: &str, body: Value) -> Answered {
        self.send(person, "PUT", path, &[], Some(body))
    }

    /// `PATCH` with `If-Match: *`.
    pub(crate) fn patch(&mut self, person: &Person, path: &str, body: Value) -> Answered {
        self.send(person, "PATCH", path, &[("if-match", "*")], Some(body))
    }

    pub(crate) fn delete(&mut self, person: &Person, path: &str) -> Answered {
        self.send(person, "DELETE", path, &[], None)
    }

    /// Sends a request and commits its decision.
    pub(crate) fn send(
        &mut self,
        person: &Person,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answered {
        let request = request(method, target, headers, body);
        let result = self.carry_out(person, &request);
        let request_id = RequestId::from_ulid(Ulid::from_parts(2, u128::from(self.requests)));
        let (response, reply) = match result {
            Ok(reply) => (Response::from_reply(reply.clone(), request_id), Some(reply)),
            Err(problem) => {
                assert!(problem.kind.status() != 500, "{:?}", problem.internal);
                (Response::from_problem(&problem, request_id), None)
            }
        };
        let etag = response.headers.iter().find(|(name, _)| *name == "etag");
        Answered {
            status: response.status,
            etag: etag.map(|(_, value)| value.clone()),
            body: serde_json::from_slice(&response.body).unwrap_or(json!(null)),
            reply,
        }
    }

    /// Returns the decision of a request without committing it, for races.
    pub(crate) fn outcome(
        &mut self,
        person: &Person,
        method: &str,
        target: &str,
        body: Option<Value>,
    ) -> Result<Outcome, Problem> {
        let use_case = use_case(&request(method, target, &[("if-match", "*")], body))?;
        self.decide(person, &*use_case, None)
    }

    fn carry_out(&mut self, person: &Person, request: &Request) -> Result<Reply, Problem> {
        let use_case = use_case(request)?;
        let idempotency = request
            .header("idempotency-key")
            .map(|key| IdempotencyRequest {
                id: Sha256::keyed(
                    b"test",
                    &[
                        person.id().as_bytes(),
                        request.path.as_bytes(),
                        key.as_bytes(),
                    ],
                ),
                fingerprint: Sha256::of(&request.body),
            });
        let reply = self.run(person, &*use_case, idempotency)?;
        Ok(self.finish(person, reply))
    }

    /// Runs a use-case and commits its decision.
    pub(crate) fn run<T>(
        &mut self,
        person: &Person,
        use_case: &dyn UseCase<T>,
        idempotency: Option<IdempotencyRequest>,
    ) -> Result<T, Problem> {
        for _ in 0..64 {
            let outcome = self.decide(person, use_case, idempotency.clone())?;
            match outcome {
                Outcome::Reply(reply) => return Ok(reply),
                Outcome::Commit(batch, reply) => {
                    self.commit(&batch);
                    return Ok(reply);
                }
                Outcome::Reject(batch, problem) => {
                    self.commit(&batch);
                    return Err(problem);
                }
                Outcome::Prepare(batch) => self.commit(&batch),
            }
        }
        panic!("the use-case does not end its preparations")
    }

    /// Finishes the work that a reply names, as surfaces do before they answer.
    fn finish(&mut self, person: &Person, mut reply: Reply) -> Reply {
        let Some(continuation) = reply.finish.clone().filter(|_| self.finishes) else {
            return reply;
        };
        let rounds = self.rounds;
        let use_case = jobs::unfinished(&continuation.key).unwrap();
        self.run(person, &*use_case, None).unwrap();
        reply.body = continuation.body.or(reply.body);
        self.rounds = rounds;
        reply
    }

    /// Commits a batch. Its conditions must hold.
    pub(crate) fn commit(&mut self, batch: &Batch) {
        batch.check().unwrap();
        self.try_commit(batch).unwrap();
    }

    /// Commits a batch if its conditions hold. The usage in the head must then equal the count of
    /// all records of the scope, and a count under way that of the records it has passed.
    pub(crate) fn try_commit(&mut self, batch: &Batch) -> Result<(), Conflict> {
        let scope = batch.scope();
        self.store.commit(scope, batch.operations())?;
        if let Some(head) = self.record::<Head>(&scope.key(Sort::head())) {
            let counted = self.counted(scope, |_| true);
            assert_eq!(head.body.usage.unwrap_or(counted), counted);
            if let Some(Counting { after, usage, .. }) = &head.body.counting {
                assert_eq!(*usage, self.counted(scope, |sort| sort <= after));
            }
        }
        Ok(())
    }

    /// What the records of a scope with these keys add up to.
    pub(crate) fn counted(&self, scope: Scope, includes: impl Fn(&Sort) -> bool) -> Usage {
        let items = self.store.scan(&Range::all(scope, "")).items;
        let included = items.iter().filter(|item| includes(&item.key.sort));
        let usages = included.map(|item| Usage::of(item).unwrap());
        usages.fold(Usage::default(), Usage::plus)
    }

    /// Runs a use-case up to its decision, without committing it.
    pub(crate) fn decide<T>(
        &mut self,
        person: &Person,
        use_case: &dyn UseCase<T>,
        idempotency: Option<IdempotencyRequest>,
    ) -> Result<Outcome<T>, Problem> {
        self.requests += 1;
        self.rounds = 0;
        self.widest = 0;
        let surface = self.surface.clone();
        let context = self.context(&surface, person, idempotency);
        let mut drive = Drive::new(use_case, &context);
        loop {
            match drive.advance()? {
                Next::Done(outcome) => return Ok(outcome),
                Next::Read(reads) => {
                    self.rounds += 1;
                    self.widest = self.widest.max(reads.len());
                    for read in reads {
                        let answer = self.answer(&read);
                        drive.answer(read, answer);
                    }
                }
                Next::Assemble(assembly) => {
                    self.rounds += 1;
                    drive.assembled(self.objects.get(&assembly.path().to_string()).cloned());
                }
            }
        }
    }

    fn answer(&self, read: &ReadRequest) -> Answer {
        match read {
            ReadRequest::Get(key) => Answer::Item(self.store.get(key).cloned()),
            ReadRequest::Scan(range) => Answer::Page(self.store.scan(range)),
            ReadRequest::List(list) => {
                Answer::Page(self.behind.as_ref().unwrap_or(&self.store).list(list))
            }
            ReadRequest::Stat { path, .. } => {
                Answer::Stat(self.objects.get(&path.to_string()).cloned())
            }
            ReadRequest::Token { token, .. } => Answer::Claims(self.tokens.get(token).cloned()),
        }
    }

    pub(crate) fn context<'a>(
        &self,
        surface: &'a Surface,
        person: &Person,
        idempotency: Option<IdempotencyRequest>,
    ) -> Context<'a> {
        let seed = Sha256::of(&self.requests.to_be_bytes());
        Context {
            surface,
            env: Env::new(self.now, *seed.as_bytes()),
            actor: person.actor.clone(),
            request_id: RequestId::from_ulid(Ulid::from_parts(2, u128::from(self.requests))),
            idempotency,
            work_partitions: WorkPartitions::default(),
        }
    }

    pub(crate) fn record<B: Body>(&self, key: &Key) -> Option<Record<B>> {
        self.store
            .get(key)
            .map(|item| Record::decode(item).unwrap())
    }

    /// All stored items, to assert that a refusal changed nothing.
    pub(crate) fn dump(&self) -> Vec<Item> {
        self.store.items().cloned().collect()
    }
}

fn request(method: &str, target: &str, headers: &[(&str, &str)], body: Option<Value>) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let json = ("content-type", "application/json");
    let headers = headers.iter().chain([&json]);
    Request {
        method: method.into(),
        path: path.into(),
        query: query.into(),
        headers: headers
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect(),
        body: body
            .map(|body| body.to_string().into_bytes())
            .unwrap_or_default(),
    }
}

fn use_case(request: &Request) -> Result<Box<dyn UseCase>, Problem> {
    let (route, mut parsed) = http::find(request)?;
    parsed.read_query(route)?;
    let Handler::UseCase(parse) = route.handler else {
        panic!("not a use-case")
    };
    parse(&parsed)
}
