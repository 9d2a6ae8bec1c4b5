//! Faults around the real functions: the database, the event bus, the mail service and the
//! processes themselves. No data is lost or duplicated, and every caller gets a clear answer.

/// Generates a test per cloud from each scenario.
macro_rules! scenarios {
    ($cloud:ty) => {
        $crate::harness::scenarios! { $cloud:
            case_52_lost_answer_of_a_commit_is_recovered,
            case_52_lost_answer_creates_one_person,
            case_56_transient_refusals_are_retried,
            case_56_persistent_refusals_get_a_clear_answer,
            final_refusal_is_not_retried,
            unresponsive_database_times_out,
            killed_relay_publishes_again_and_mails_once,
            duplicate_and_reordered_batches_mail_once,
            sweep_publishes_entries_of_a_broken_relay,
            unavailable_bus_delays_the_batch,
            failed_mail_stays_undelivered,
            case_63_instances_killed_under_load_lose_nothing,
            case_50_peer_url_leads_to_no_internal_address,
        }
    };
}

mod aws;
mod azure;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use wm_core::http::Request;
use wm_tests::{
    client::{Answered, Person},
    harness::{Answer, Harness},
    suite,
};

use crate::harness::Cloud;

/// More calls than any retry makes.
const ALWAYS: usize = 1000;
/// The timeout of the front of `api`, without its own processing time.
const IN_TIME: Duration = Duration::from_secs(20);

/// A surface whose calls to other services can fail on demand.
trait Faulty: Sized {
    type Surface: Cloud;
    type Fault: Clone;

    /// The name of the surface in skips.
    const NAME: &str;
    /// The database operations, by the names that faults use.
    const READ: &str;
    const QUERY: &str;
    const COMMIT: &str;
    /// The operations that store a new person.
    const INTRODUCTIONS: &[&str];
    /// Whether the SDK repeats a commit by itself after a lost answer. The fault must then lose
    /// every repeated answer too.
    const REPEATS_COMMITS: bool;
    /// The number of consecutive failed calls that a request survives.
    const PASSING: usize;
    /// The maximum number of calls of one operation before a request gives up.
    const MOST_CALLS: usize;
    /// The shortest time between two kills under load, and the maximum random addition, in
    /// milliseconds.
    const PAUSE: (u64, u64);

    /// A surface with this number of instances of `api`, where the platform runs several.
    async fn start(instances: usize) -> Self;

    fn surface(&self) -> &Self::Surface;

    /// The last lines of the log, for messages.
    fn last_lines(&self) -> String;

    /// Makes this number of calls of this operation fail.
    async fn inject(&self, operation: &str, times: usize, fault: Self::Fault);

    /// Removes all pending faults and returns the number of calls that they would still have hit.
    async fn clear_faults(&self) -> usize;

    /// Waits until the last injected fault has occurred.
    async fn wait_for_fault(&self);

    /// Releases held calls.
    fn release(&self) {}

    /// The ways to lose the answer of a commit.
    fn lost_answers() -> Vec<Self::Fault>;

    /// Transient faults, each with its operation.
    fn passing_faults() -> Vec<(&'static str, Self::Fault)>;

    /// Faults that a request reports if they persist.
    fn lasting_faults() -> Vec<(&'static str, Self::Fault)>;

    /// Refusals of a commit that another attempt cannot change.
    fn final_refusals() -> Vec<Self::Fault>;

    /// A call that is not answered.
    fn held() -> Self::Fault;

    /// The calls at which `relay` can be held.
    fn relay_holds() -> Vec<(&'static str, Self::Fault)>;

    /// The changes since the last call, as `relay` gets them.
    async fn committed(&self) -> Vec<Value>;

    /// The number of journal entries in a batch for `relay`.
    fn entries(batch: &[Value]) -> usize;

    /// Delivers a batch to `relay` once. Returns whether it is completely processed.
    async fn relay(&self, batch: &[Value]) -> bool;

    /// Kills `relay` during work and waits for another instance.
    async fn kill_relay(&self);

    /// Kills all instances of `api` and returns their number.
    async fn kill_api(&self) -> usize;

    /// The events of the bus since the last call, as `notify` gets them.
    async fn carried(&self) -> Vec<Value>;

    /// Delivers an event to `notify` once.
    ///
    /// # Errors
    ///
    /// The error of the function.
    async fn notify(&self, event: &Value) -> Result<(), String>;

    async fn break_bus(&self, down: bool);

    async fn break_mail(&self, down: bool);

    /// Asserts that the platform reported no error.
    fn assert_quiet(&self) {}
}

/// A surface with an account.
struct Fixture<C> {
    cloud: C,
    account: String,
}

impl<C: Faulty> Fixture<C> {
    /// One instance of `api`, so that a fault hits the intended call.
    async fn new() -> Self {
        Self::with(1).await
    }

    async fn with(instances: usize) -> Self {
        let cloud = C::start(instances).await;
        let account = Person::new(cloud.surface(), "ana").account().await;
        Self { cloud, account }
    }

    fn surface(&self) -> &C::Surface {
        self.cloud.surface()
    }

    fn ana(&self) -> Person<'_, C::Surface> {
        Person::new(self.surface(), "ana")
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

    /// Sends the same request. Its answer may come from the platform.
    async fn try_create(&self, key: &str) -> Answer {
        let token = self.surface().access_token("ana@example.com");
        let request = Request {
            method: "POST".into(),
            path: self.teams(),
            query: String::new(),
            headers: vec![
                ("authorization".into(), format!("Bearer {token}")),
                ("content-type".into(), "application/json".into()),
                ("idempotency-key".into(), key.into()),
            ],
            body: json!({ "name": key }).to_string().into_bytes(),
        };
        self.surface().send_as_is(&request).await
    }

    async fn names(&self) -> Vec<String> {
        let teams = self.ana().list(&self.teams()).await;
        teams
            .iter()
            .map(|team| team["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Asserts that exactly these teams exist, each with one entry of a valid journal and one
    /// published event, even if the bus delivered it repeatedly.
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
        self.surface().drain().await;
        let mut carried: BTreeMap<String, usize> = BTreeMap::new();
        for event in self.surface().events().await {
            *carried.entry(event.id).or_default() += 1;
        }
        for entry in &journal {
            let ending = format!("{}/{}", self.account, entry["seq"]);
            let of_entry = carried.keys().filter(|id| id.ends_with(&ending)).count();
            assert_eq!(of_entry, 1, "{entry} is not one event: {carried:?}");
        }
        self.cloud.assert_quiet();
    }

    /// Invites a person, which leads to one event and one mail.
    async fn invite(&self, name: &str) -> String {
        let email = format!("{name}@example.com");
        let path = format!("/v1/accounts/{}/invitations", self.account);
        let body = json!({ "email": email, "role": "guest" });
        self.ana().post(&path, body).await.expect(201);
        email
    }

    /// Delivers events to `notify` successfully.
    async fn notify_all(&self, events: impl Iterator<Item = &Value>) {
        for event in events {
            self.cloud.notify(event).await.unwrap();
        }
    }

    /// Asserts that each of these people got one mail.
    async fn assert_mailed_once(&self, people: &[String]) {
        for email in people {
            let mails = self.surface().mails(email).await;
            assert_eq!(mails.len(), 1, "{email}: {mails:?}");
        }
    }
}

/// Asserts a refusal that asks for a retry and reveals no details of other services.
#[track_caller]
fn assert_later(answer: &Answered) {
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(
        answer.raw.header("retry-after").is_some(),
        "{:?}",
        answer.raw
    );
    assert_reveals_nothing(answer);
}

#[track_caller]
fn assert_reveals_nothing(answer: &Answered) {
    let text = answer.body.to_string().to_lowercase();
    for word in [
        "dynamo",
        "aws",
        "exception",
        "cosmos",
        "azure",
        "key vault",
        "wm-test",
        "injected",
        "127.0.0.1",
    ] {
        assert!(!text.contains(word), "{text}");
    }
}

async fn case_52_lost_answer_of_a_commit_is_recovered<C: Faulty>() {
    let fixture = Fixture::<C>::new().await;
    let mut names = Vec::new();
    for (kind, fault) in C::lost_answers().into_iter().enumerate() {
        for lost in 1..=2 {
            fixture.cloud.inject(C::COMMIT, lost, fault.clone()).await;
            let name = format!("lost-{kind}-{lost}");
            fixture.create(&name).await.expect(201);
            names.push(name);
            let left = fixture.cloud.clear_faults().await;
            assert!(left == 0 || !C::REPEATS_COMMITS, "every fault occurs");
        }
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    fixture.assert_made(&names).await;
}

async fn case_52_lost_answer_creates_one_person<C: Faulty>() {
    let fixture = Fixture::<C>::new().await;
    let lost_answer = C::lost_answers().remove(0);
    for (name, lost) in [("ben", 1), ("cleo", 2), ("dan", 3)] {
        for operation in C::INTRODUCTIONS {
            let fault = lost_answer.clone();
            fixture.cloud.inject(operation, lost, fault).await;
        }
        let person = Person::new(fixture.surface(), name);
        let first = person.id().await;
        let left = fixture.cloud.clear_faults().await;
        assert!(left == 0 || !C::REPEATS_COMMITS, "every fault occurs");
        assert_eq!(person.id().await, first);
        fixture
            .ana()
            .bring(&fixture.account, &person, "guest")
            .await;
    }
}

async fn case_56_transient_refusals_are_retried<C: Faulty>() {
    let fixture = Fixture::<C>::new().await;
    let mut names = Vec::new();
    for (name, (operation, fault)) in ('a'..).zip(C::passing_faults()) {
        let name = name.to_string();
        fixture.cloud.inject(operation, C::PASSING, fault).await;
        fixture.create(&name).await.expect(201);
        let left = fixture.cloud.clear_faults().await;
        assert_eq!(left, 0, "every fault of `{name}` occurs");
        names.push(name);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    fixture.assert_made(&names).await;
}

async fn case_56_persistent_refusals_get_a_clear_answer<C: Faulty>() {
    let fixture = Fixture::<C>::new().await;
    for (operation, fault) in C::lasting_faults() {
        fixture.cloud.inject(operation, ALWAYS, fault).await;
        let begun = Instant::now();
        assert_later(&fixture.create("later").await);
        assert!(begun.elapsed() < IN_TIME, "{:?}", begun.elapsed());
        let calls = ALWAYS - fixture.cloud.clear_faults().await;
        assert!(
            (2..=C::MOST_CALLS).contains(&calls),
            "{operation}: {calls} calls"
        );
        assert_eq!(fixture.names().await, [""; 0]);
    }
    fixture.create("later").await.expect(201);
    fixture.assert_made(&["later"]).await;
}

async fn final_refusal_is_not_retried<C: Faulty>() {
    let fixture = Fixture::<C>::new().await;
    for (number, fault) in C::final_refusals().into_iter().enumerate() {
        fixture.cloud.inject(C::COMMIT, ALWAYS, fault).await;
        let refused = fixture.create("never").await.expect(500);
        assert_reveals_nothing(&refused);
        assert_eq!(
            ALWAYS - fixture.cloud.clear_faults().await,
            1,
            "refusal {number}"
        );
    }
    fixture.assert_made(&[]).await;
}

async fn unresponsive_database_times_out<C: Faulty>() {
    let fixture = Fixture::<C>::new().await;
    for operation in [C::READ, C::QUERY, C::COMMIT] {
        fixture.cloud.inject(operation, ALWAYS, C::held()).await;
        let begun = Instant::now();
        assert_later(&fixture.create("slow").await);
        assert!(
            begun.elapsed() < IN_TIME,
            "{operation}: {:?}",
            begun.elapsed()
        );
        fixture.cloud.clear_faults().await;
    }
    // The held calls arrive late, in any order, and the request is repeated.
    fixture.cloud.release();
    fixture.create("slow").await.expect(201);
    fixture.assert_made(&["slow"]).await;
}

async fn killed_relay_publishes_again_and_mails_once<C: Faulty>() {
    let fixture = Fixture::<C>::new().await;
    fixture.surface().drain().await;
    let people = [fixture.invite("ben").await, fixture.invite("cleo").await];
    let batch = fixture.cloud.committed().await;
    assert_eq!(C::entries(&batch), 2);
    for (operation, fault) in C::relay_holds() {
        fixture.cloud.inject(operation, 1, fault).await;
        let kill = async {
            fixture.cloud.wait_for_fault().await;
            fixture.cloud.kill_relay().await;
        };
        let (delivered, ()) = tokio::join!(fixture.cloud.relay(&batch), kill);
        assert!(!delivered, "a batch of a dead instance is delivered again");
    }
    fixture.cloud.release();
    assert!(fixture.cloud.relay(&batch).await);
    fixture.surface().drain().await;
    fixture.assert_made(&[]).await;
    fixture.assert_mailed_once(&people).await;
}

async fn duplicate_and_reordered_batches_mail_once<C: Faulty>() {
    let fixture = Fixture::<C>::new().await;
    let mut people = Vec::new();
    for name in ["ben", "cleo", "dan", "eli"] {
        people.push(fixture.invite(name).await);
    }
    let mut batch = fixture.cloud.committed().await;
    for _ in 0..2 {
        batch.reverse();
        assert!(fixture.cloud.relay(&batch).await);
    }
    let events = fixture.cloud.carried().await;
    assert!(events.len() >= C::entries(&batch), "{events:?}");
    fixture.notify_all(events.iter().rev()).await;
    fixture.notify_all(events.iter()).await;
    fixture.assert_mailed_once(&people).await;
    fixture.assert_made(&[]).await;
    fixture.assert_mailed_once(&people).await;
}

async fn sweep_publishes_entries_of_a_broken_relay<C: Faulty>() {
    let fixture = Fixture::<C>::new().await;
    let people = [fixture.invite("ben").await];
    fixture.surface().sweep().await;
    let events = fixture.cloud.carried().await;
    assert!(!events.is_empty());
    fixture.notify_all(events.iter()).await;
    fixture.assert_mailed_once(&people).await;
    // The relay restarts and gets all entries again.
    fixture.assert_made(&[]).await;
    fixture.assert_mailed_once(&people).await;
}

async fn unavailable_bus_delays_the_batch<C: Faulty>() {
    let fixture = Fixture::<C>::new().await;
    fixture.surface().drain().await;
    let people = [fixture.invite("ben").await];
    let batch = fixture.cloud.committed().await;
    fixture.cloud.break_bus(true).await;
    for _ in 0..2 {
        assert!(!fixture.cloud.relay(&batch).await);
    }
    fixture.cloud.break_bus(false).await;
    assert!(fixture.cloud.relay(&batch).await);
    fixture.surface().drain().await;
    fixture.assert_mailed_once(&people).await;
    fixture.assert_made(&[]).await;
}

/// The failed attempt holds the delivery claim for a minute. The platform delivers again after
/// that.
async fn failed_mail_stays_undelivered<C: Faulty>() {
    let fixture = Fixture::<C>::new().await;
    fixture.surface().drain().await;
    let email = fixture.invite("ben").await;
    let batch = fixture.cloud.committed().await;
    assert!(fixture.cloud.relay(&batch).await);
    let events = fixture.cloud.carried().await;
    assert!(!events.is_empty());
    fixture.cloud.break_mail(true).await;
    for event in &events {
        let error = fixture.cloud.notify(event).await.unwrap_err();
        for secret in ["injected", "own words", &email] {
            assert!(!error.contains(secret), "{error}");
        }
    }
    fixture.cloud.break_mail(false).await;
    for event in &events {
        fixture.cloud.notify(event).await.unwrap_err();
    }
    assert_eq!(fixture.surface().mails(&email).await, [""; 0]);
}

/// The number of clients that write while instances are killed, and the number of writes of each.
const CLIENTS: usize = 4;
const WRITES: usize = 8;

async fn case_63_instances_killed_under_load_lose_nothing<C: Faulty>() {
    let fixture = Fixture::<C>::with(3).await;
    let written = AtomicUsize::new(0);
    let client = async |client: usize| {
        for number in 0..WRITES {
            let key = format!("{client}-{number}");
            let mut attempts = 0;
            while fixture.try_create(&key).await.status != 201 {
                attempts += 1;
                assert!(attempts < 200, "{}", fixture.cloud.last_lines());
            }
            written.fetch_add(1, Ordering::SeqCst);
        }
    };
    let (mut killed, mut seen) = (0, None);
    let load = async {
        tokio::join!(client(0), client(1), client(2), client(3));
    };
    tokio::pin!(load);
    let (shortest, more) = C::PAUSE;
    let mut pause = shortest;
    loop {
        tokio::select! {
            () = &mut load => break,
            () = tokio::time::sleep(Duration::from_millis(pause)) => {
                // Wait for another write before the next kill: on a slow machine, no instance may
                // live long enough for one otherwise.
                let now = Some(written.load(Ordering::SeqCst));
                if now != seen {
                    killed += fixture.cloud.kill_api().await;
                    seen = now;
                }
                pause = (pause * 7 + 31) % more + shortest;
            }
        }
    }
    assert!(killed > CLIENTS, "{killed} instances were killed");
    let expected: Vec<String> = (0..CLIENTS)
        .flat_map(|client| (0..WRITES).map(move |number| format!("{client}-{number}")))
        .collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    fixture.assert_made(&expected).await;
}

async fn case_50_peer_url_leads_to_no_internal_address<C: Faulty>() {
    let reason = "no operation accepts the URL of a peer before sync exists";
    suite::skip(C::NAME, "case_50", reason);
}
