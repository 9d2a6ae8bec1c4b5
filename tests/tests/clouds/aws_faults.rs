//! What goes wrong around the real functions: the table, the bus, the processes themselves. Nothing is
//! lost, nothing is doubled, and whoever asked gets a clear answer.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use wm_core::http::Request;
use wm_test_results::Recording;
use wm_tests::{
    client::{Answered, Person},
    emulators::{
        ministack::Ministack,
        proxy::{Fault, Proxy, cancelled, refusal},
    },
    harness::Harness,
    lambda::Outcome,
    suite,
    surfaces::aws::{AwsSurface, Behind, Options, bus, event::Front},
};

/// What a transaction is called on the wire.
const TRANSACTION: &str = "TransactWriteItems";
/// More often than anything is tried.
const ALWAYS: usize = 1000;
/// What API Gateway waits for, less what it takes itself.
const IN_TIME: Duration = Duration::from_secs(20);

/// How a fault is made anew for each call.
type Made = fn() -> Fault;

/// A surface whose table and bus are behind a proxy, and an account on it.
struct Fixture {
    surface: AwsSurface,
    proxy: Proxy,
    account: String,
}

impl Fixture {
    /// One instance of `api`, so that a fault strikes the call it is meant for.
    async fn new() -> Self {
        Self::with(1).await
    }

    async fn with(instances: usize) -> Self {
        let proxy = Proxy::start(&Ministack::shared().url).await;
        let behind = ["DYNAMODB", "EVENTBRIDGE"];
        let environment =
            behind.map(|name| (format!("AWS_ENDPOINT_URL_{name}"), proxy.url.clone()));
        let surface = AwsSurface::with(Options {
            instances,
            environment: environment.into(),
            ..Options::default()
        })
        .await;
        let account = Person::new(&surface, "ana").account().await;
        Self {
            surface,
            proxy,
            account,
        }
    }

    fn ana(&self) -> Person<'_, AwsSurface> {
        Person::new(&self.surface, "ana")
    }

    fn teams(&self) -> String {
        format!("/v1/accounts/{}/teams", self.account)
    }

    async fn create(&self, key: &str) -> Answered {
        let body = json!({ "name": key });
        let headers = [("idempotency-key", key)];
        self.ana()
            .send("POST", &self.teams(), &headers, Some(body))
            .await
    }

    /// The same for a request that nobody may answer: what comes back need not be ours.
    fn request(&self, key: &str) -> Request {
        let token = self.surface.access_token("ana@example.com");
        Request {
            method: "POST".into(),
            path: self.teams(),
            query: String::new(),
            headers: vec![
                ("authorization".into(), format!("Bearer {token}")),
                ("content-type".into(), "application/json".into()),
                ("idempotency-key".into(), key.into()),
            ],
            body: json!({ "name": key }).to_string().into_bytes(),
        }
    }

    async fn names(&self) -> Vec<String> {
        let teams = self.ana().list(&self.teams()).await;
        teams
            .iter()
            .map(|team| team["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Asserts that exactly these teams were made, each by one entry of a valid journal and told of by
    /// one event, however often the bus carried it.
    async fn assert_made(&self, expected: &[&str]) {
        let mut names = self.names().await;
        names.sort();
        assert_eq!(names, expected);
        let account = format!("/v1/accounts/{}", self.account);
        let journal = self.ana().list(&format!("{account}/journal")).await;
        let made: Vec<&Value> = journal
            .iter()
            .filter(|entry| entry["event"] == "team.created")
            .collect();
        assert_eq!(made.len(), expected.len(), "{journal:?}");
        let verified = self
            .ana()
            .get(&format!("{account}/journal/verification"))
            .await;
        assert_eq!(verified.expect(200).body["valid"], true);
        self.surface.drain().await;
        let mut carried: BTreeMap<String, usize> = BTreeMap::new();
        for event in self.surface.events().await {
            *carried.entry(event.id).or_default() += 1;
        }
        for entry in &journal {
            let ending = format!("{}/{}", self.account, entry["seq"]);
            let of_it = carried.keys().filter(|id| id.ends_with(&ending)).count();
            assert_eq!(of_it, 1, "{entry} is not one event: {carried:?}");
        }
    }
}

/// Asserts a clear refusal to be tried again, which says nothing of what is behind.
#[track_caller]
fn assert_later(answer: &Answered) {
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(
        answer.raw.header("retry-after").is_some(),
        "{:?}",
        answer.raw
    );
    assert_tells_nothing(answer);
}

#[track_caller]
fn assert_tells_nothing(answer: &Answered) {
    let text = answer.body.to_string().to_lowercase();
    for word in [
        "dynamo",
        "aws",
        "wm-test",
        "injected",
        "exception",
        "127.0.0.1",
    ] {
        assert!(!text.contains(word), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_52_an_answer_lost_after_the_commit_is_found_again() {
    let _recording = Recording::start();
    let stage = Fixture::new().await;
    let mut names = Vec::new();
    // Once is mended by the SDK and the request token, more often by the entry that was written.
    for lost in 1..=2 {
        stage
            .proxy
            .inject_many(TRANSACTION, Fault::LoseAnswer, lost);
        let name = format!("lost-{lost}");
        stage.create(&name).await.expect(201);
        assert_eq!(stage.proxy.calm(), 0, "every fault strikes");
        names.push(name);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    stage.assert_made(&names).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_52_a_lost_answer_makes_nobody_twice() {
    let stage = Fixture::new().await;
    for (name, lost) in [("ben", 1), ("cleo", 2), ("dan", 3)] {
        stage.proxy.inject_many("PutItem", Fault::LoseAnswer, lost);
        let person = Person::new(&stage.surface, name);
        let first = person.id().await;
        assert_eq!(stage.proxy.calm(), 0, "every fault strikes");
        assert_eq!(person.id().await, first);
        stage.ana().bring(&stage.account, &person, "guest").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_56_passing_refusals_are_waited_out() {
    let stage = Fixture::new().await;
    let throttled = || refusal(400, "ThrottlingException", "injected");
    let busy = || refusal(400, "ProvisionedThroughputExceededException", "injected");
    let broken = || refusal(500, "InternalServerError", "injected");
    let faults: [(&str, &str, Made); 8] = [
        ("a", TRANSACTION, throttled),
        ("b", TRANSACTION, busy),
        ("c", TRANSACTION, broken),
        ("d", TRANSACTION, || cancelled("TransactionConflict")),
        ("e", TRANSACTION, || cancelled("ThrottlingError")),
        ("f", TRANSACTION, || Fault::Drop),
        ("g", "Query", throttled),
        ("h", "GetItem", broken),
    ];
    for (name, operation, fault) in faults {
        stage.proxy.inject_many(operation, fault(), 3);
        stage.create(name).await.expect(201);
        assert_eq!(stage.proxy.calm(), 0, "every fault of `{name}` strikes");
    }
    stage
        .assert_made(&["a", "b", "c", "d", "e", "f", "g", "h"])
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_56_lasting_refusals_end_in_a_clear_answer() {
    let stage = Fixture::new().await;
    let faults: [(&str, Made); 5] = [
        (TRANSACTION, || {
            refusal(400, "ThrottlingException", "injected")
        }),
        (TRANSACTION, || cancelled("TransactionConflict")),
        (TRANSACTION, || {
            refusal(500, "InternalServerError", "injected")
        }),
        ("Query", || {
            refusal(400, "ProvisionedThroughputExceededException", "injected")
        }),
        ("GetItem", || Fault::Drop),
    ];
    for (operation, fault) in faults {
        stage.proxy.take_calls(operation);
        stage.proxy.inject_many(operation, fault(), ALWAYS);
        let begun = Instant::now();
        assert_later(&stage.create("later").await);
        assert!(begun.elapsed() < IN_TIME, "{:?}", begun.elapsed());
        stage.proxy.calm();
        let calls = stage.proxy.take_calls(operation);
        // Each of three reads or one commit, eight times, each time again by the SDK.
        assert!((2..=64).contains(&calls), "{operation}: {calls} calls");
        assert_eq!(stage.names().await, [""; 0]);
    }
    stage.create("later").await.expect(201);
    stage.assert_made(&["later"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_for_good_is_not_tried_again() {
    let stage = Fixture::new().await;
    let faults: [Made; 2] = [
        || cancelled("ValidationError"),
        || refusal(400, "ResourceNotFoundException", "injected"),
    ];
    for fault in faults {
        stage.proxy.take_calls(TRANSACTION);
        stage.proxy.inject_many(TRANSACTION, fault(), ALWAYS);
        let refused = stage.create("never").await.expect(500);
        assert_tells_nothing(&refused);
        stage.proxy.calm();
        assert_eq!(stage.proxy.take_calls(TRANSACTION), 1);
    }
    stage.assert_made(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_does_not_answer_is_given_up_in_time() {
    let stage = Fixture::new().await;
    for operation in ["GetItem", "Query", TRANSACTION] {
        stage
            .proxy
            .inject_many(operation, Fault::HoldBefore, ALWAYS);
        let begun = Instant::now();
        assert_later(&stage.create("slow").await);
        assert!(
            begun.elapsed() < IN_TIME,
            "{operation}: {:?}",
            begun.elapsed()
        );
        stage.proxy.calm();
    }
    // What was held arrives after all, in whatever order, and the same request comes again.
    stage.proxy.release();
    stage.create("slow").await.expect(201);
    stage.assert_made(&["slow"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_55_an_instance_killed_before_its_commit_leaves_nothing() {
    let stage = Fixture::new().await;
    let before = stage.proxy.strikes();
    stage.proxy.inject(TRANSACTION, Fault::HoldBefore);
    let request = stage.request("killed");
    let kill = async {
        stage.proxy.struck(before).await;
        assert_eq!(stage.surface.api().kill_busy(), 1);
    };
    let (answer, ()) = tokio::join!(stage.surface.send(Front::ApiGateway, &request), kill);
    assert_eq!(answer.status, 500);
    assert_eq!(stage.names().await, [""; 0]);
    stage.create("killed").await.expect(201);
    // The dead instance's transaction arrives last: its condition does not hold any more.
    stage.proxy.release();
    stage.create("after").await.expect(201);
    stage.assert_made(&["after", "killed"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_52_an_instance_killed_after_its_commit_is_repeated() {
    let stage = Fixture::new().await;
    let before = stage.proxy.strikes();
    stage.proxy.inject(TRANSACTION, Fault::HoldAfter);
    let request = stage.request("killed");
    let kill = async {
        stage.proxy.struck(before).await;
        while stage.names_behind().await.is_empty() {}
        assert_eq!(stage.surface.api().kill_busy(), 1);
    };
    let (answer, ()) = tokio::join!(stage.surface.send(Front::ApiGateway, &request), kill);
    assert_eq!(answer.status, 500);
    let first = stage.create("killed").await.expect(201).id();
    assert_eq!(stage.create("killed").await.expect(201).id(), first);
    stage.assert_made(&["killed"]).await;
}

impl Fixture {
    /// The names of teams in the table itself, asked past the functions.
    async fn names_behind(&self) -> Vec<Value> {
        let query = json!({
            "TableName": self.surface.resources.table,
            "ConsistentRead": true,
            "KeyConditionExpression": "PK = :account AND begins_with(SK, :team)",
            "ExpressionAttributeValues": {
                ":account": { "S": format!("ACCOUNT#{}", self.account) },
                ":team": { "S": "TEAM#" },
            },
        });
        let answer = Ministack::shared()
            .json("DynamoDB_20120810.Query", &query)
            .await;
        answer["Items"].as_array().unwrap().clone()
    }

    /// Invites somebody, which is one event and one mail.
    async fn invite(&self, name: &str) -> String {
        let email = format!("{name}@example.com");
        let path = format!("/v1/accounts/{}/invitations", self.account);
        let body = json!({ "email": email, "role": "guest" });
        self.ana().post(&path, body).await.expect(201);
        email
    }

    /// Asserts that each of these got one mail.
    async fn assert_mailed_once(&self, people: &[String]) {
        for email in people {
            let mails = self.surface.mails(email).await;
            assert_eq!(mails.len(), 1, "{email}: {mails:?}");
        }
    }

    /// Hands events to `notify` as they are.
    async fn notify(&self, events: impl Iterator<Item = &Value>) {
        let notify = self.surface.function(Behind::Notify).await;
        for event in events {
            notify.invoke(event).await.answer();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_57_of_a_batch_only_what_failed_is_published_again() {
    let stage = Fixture::new().await;
    stage.surface.drain().await;
    let people = [
        stage.invite("ben").await,
        stage.invite("cleo").await,
        stage.invite("dan").await,
    ];
    stage.proxy.inject(
        "PutEvents",
        Fault::Alter(
            Arc::new(|asked| drop(asked["Entries"].as_array_mut().unwrap().pop())),
            Arc::new(|answered| {
                let failed =
                    json!({ "ErrorCode": "ThrottlingException", "ErrorMessage": "injected" });
                answered["Entries"].as_array_mut().unwrap().push(failed);
                answered["FailedEntryCount"] = 1.into();
            }),
        ),
    );
    let relay = stage.surface.function(Behind::Relay).await;
    let mut stream = stage.surface.stream().await;
    stream.read(&stage.surface.resources).await;
    assert_eq!(stream.waiting.len(), 3);
    stream.deliver_batch(relay).await;
    assert_eq!(stage.proxy.calm(), 0);
    assert_eq!(stream.waiting.len(), 1, "only the failed record is left");
    drop(stream);
    assert_eq!(bus::drain(&stage.surface.resources).await.len(), 2);
    stage.surface.drain().await;
    let carried = stage.surface.events().await;
    assert_eq!(carried.last().unwrap().kind, "wm.invitation.created");
    // The two that were drained above are delivered by nobody: they are not lost, they were taken.
    assert_eq!(stage.surface.mails(&people[2]).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_killed_in_the_middle_publishes_again_and_mails_once() {
    let _recording = Recording::start();
    let stage = Fixture::new().await;
    stage.surface.drain().await;
    let people = [stage.invite("ben").await, stage.invite("cleo").await];
    let relay = stage.surface.function(Behind::Relay).await;
    let mut stream = stage.surface.stream().await;
    stream.read(&stage.surface.resources).await;
    for operation in ["PutEvents", TRANSACTION] {
        for fault in [Fault::HoldBefore, Fault::HoldAfter] {
            let before = stage.proxy.strikes();
            stage.proxy.inject(operation, fault);
            let kill = async {
                stage.proxy.struck(before).await;
                assert_eq!(relay.kill_busy(), 1);
            };
            tokio::join!(stream.deliver_batch(relay), kill);
            assert_eq!(
                stream.waiting.len(),
                2,
                "a batch of a dead instance is delivered again"
            );
        }
    }
    stage.proxy.release();
    drop(stream);
    stage.surface.drain().await;
    stage.assert_made(&[]).await;
    stage.assert_mailed_once(&people).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_that_come_twice_and_out_of_order_mail_once() {
    let stage = Fixture::new().await;
    let mut people = Vec::new();
    for name in ["ben", "cleo", "dan", "eli"] {
        people.push(stage.invite(name).await);
    }
    let relay = stage.surface.function(Behind::Relay).await;
    let mut stream = stage.surface.stream().await;
    stream.read(&stage.surface.resources).await;
    let mut records: Vec<Value> = stream.waiting.iter().cloned().collect();
    drop(stream);
    for _ in 0..2 {
        records.reverse();
        relay.invoke(&json!({ "Records": records })).await.answer();
    }
    let events = bus::drain(&stage.surface.resources).await;
    assert!(events.len() >= records.len(), "{events:?}");
    stage.notify(events.iter().rev()).await;
    stage.notify(events.iter()).await;
    stage.assert_mailed_once(&people).await;
    stage.assert_made(&[]).await;
    stage.assert_mailed_once(&people).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sweep_publishes_what_a_broken_relay_left() {
    let stage = Fixture::new().await;
    let people = [stage.invite("ben").await];
    stage.surface.sweep().await;
    let events = bus::drain(&stage.surface.resources).await;
    assert!(!events.is_empty());
    stage.notify(events.iter()).await;
    stage.assert_mailed_once(&people).await;
    // The relay comes back and is handed all of it once more.
    stage.assert_made(&[]).await;
    stage.assert_mailed_once(&people).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_mailed_now_stays_an_error_of_the_function() {
    let proxy = Proxy::start(&Ministack::shared().url).await;
    let environment = vec![("AWS_ENDPOINT_URL_SESV2".to_owned(), proxy.url.clone())];
    let options = Options {
        environment,
        ..Options::default()
    };
    let surface = AwsSurface::with(options).await;
    let ana = Person::new(&surface, "ana");
    let path = format!("/v1/accounts/{}/invitations", ana.account().await);
    surface.drain().await;
    let body = json!({ "email": "ben@example.com", "role": "guest" });
    ana.post(&path, body).await.expect(201);
    let relay = surface.function(Behind::Relay).await;
    let mut stream = surface.stream().await;
    stream.read(&surface.resources).await;
    stream.deliver(relay).await;
    let throttled = json!({ "message": "injected" });
    proxy.inject_many("POST v2", Fault::Refuse(429, throttled), ALWAYS);
    let notify = surface.function(Behind::Notify).await;
    for event in bus::drain(&surface.resources).await {
        let outcome = notify.invoke(&event).await;
        let Outcome::Failed(error) = outcome else {
            panic!("{outcome:?}");
        };
        let told = error.to_string();
        assert!(
            !told.contains("injected") && !told.contains("ben@example.com"),
            "{told}"
        );
    }
    assert!(surface.mails("ben@example.com").await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_61_what_an_index_still_says_is_not_shown() {
    let stage = Fixture::new().await;
    let kept = stage.create("kept").await.expect(201).id();
    let gone = stage.create("gone").await.expect(201).id();
    let query = json!({
        "TableName": stage.surface.resources.table,
        "IndexName": "GSI1",
        "KeyConditionExpression": "GSI1PK = :account AND begins_with(GSI1SK, :team)",
        "ExpressionAttributeValues": {
            ":account": { "S": format!("ACCOUNT#{}", stage.account) },
            ":team": { "S": "TEAM#" },
        },
    });
    let stale = Ministack::shared()
        .json("DynamoDB_20120810.Query", &query)
        .await;
    assert_eq!(stale["Items"].as_array().unwrap().len(), 2);
    stage
        .ana()
        .delete(&format!("{}/{gone}", stage.teams()))
        .await
        .expect(204);
    let renamed = json!({ "name": "renamed" });
    stage
        .ana()
        .patch(&format!("{}/{kept}", stage.teams()), renamed)
        .await
        .expect(200);
    let items = stale["Items"].clone();
    stage.proxy.inject(
        "Query GSI1",
        Fault::Alter(
            Arc::new(|_| ()),
            Arc::new(move |answered| answered["Items"] = items.clone()),
        ),
    );
    assert_eq!(stage.names().await, ["renamed"]);
    assert_eq!(stage.proxy.calm(), 0, "the index was read");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_past_its_deadline_is_replaced() {
    let proxy = Proxy::start(&Ministack::shared().url).await;
    let surface = AwsSurface::with(Options {
        instances: 1,
        timeout: Duration::from_millis(1500),
        environment: vec![("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), proxy.url.clone())],
        ..Options::default()
    })
    .await;
    let ana = Person::new(&surface, "ana");
    let account = ana.account().await;
    let token = surface.access_token("ana@example.com");
    let request = Request {
        method: "GET".into(),
        path: format!("/v1/accounts/{account}"),
        headers: vec![("authorization".into(), format!("Bearer {token}"))],
        ..Request::default()
    };
    proxy.inject_many("Query", Fault::HoldBefore, ALWAYS);
    proxy.inject_many("GetItem", Fault::HoldBefore, ALWAYS);
    let answer = surface.send(Front::ApiGateway, &request).await;
    assert_eq!(answer.status, 500);
    proxy.calm();
    let answer = surface.send(Front::ApiGateway, &request).await;
    assert_eq!(answer.status, 200, "{}", surface.api().last_lines());
}

/// How many clients write while instances are killed, and how often each.
const CLIENTS: usize = 4;
const WRITES: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_63_instances_killed_under_load_lose_nothing() {
    let stage = Fixture::with(3).await;
    let written = AtomicUsize::new(0);
    let client = async |client: usize| {
        for number in 0..WRITES {
            let request = stage.request(&format!("{client}-{number}"));
            let mut attempts = 0;
            while stage.surface.send(Front::ApiGateway, &request).await.status != 201 {
                attempts += 1;
                assert!(attempts < 200, "{}", stage.surface.api().last_lines());
            }
            written.fetch_add(1, Ordering::SeqCst);
        }
    };
    let (mut killed, mut seen) = (0, None);
    let load = async {
        tokio::join!(client(0), client(1), client(2), client(3));
    };
    tokio::pin!(load);
    let mut pause = 20;
    loop {
        tokio::select! {
            () = &mut load => break,
            () = tokio::time::sleep(Duration::from_millis(pause)) => {
                // Only after another write: on a slow machine no instance may live long enough for one otherwise.
                let now = Some(written.load(Ordering::SeqCst));
                if now != seen {
                    killed += stage.surface.api().kill_busy();
                    seen = now;
                }
                pause = (pause * 7 + 31) % 200 + 20;
            }
        }
    }
    assert!(killed > CLIENTS, "{killed} instances were killed");
    let expected: Vec<String> = (0..CLIENTS)
        .flat_map(|client| (0..WRITES).map(move |number| format!("{client}-{number}")))
        .collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    stage.assert_made(&expected).await;
}

#[test]
fn case_50_no_address_of_a_peer_leads_inside() {
    let reason = "nothing takes an address from a caller before there is sync";
    suite::skip("aws", "case_50", reason);
}
