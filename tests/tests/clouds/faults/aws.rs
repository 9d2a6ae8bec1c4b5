//! Faults of DynamoDB, EventBridge and SES come from a proxy in front of ministack. Faults of
//! Lambda are killed instances.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use wm_core::http::Request;
use wm_tests::{
    client::Person,
    emulators::{
        ministack::Ministack,
        proxy::{Fault, Proxy, cancelled, refusal},
    },
    harness::Harness,
    lambda::Outcome,
    surfaces::aws::{AwsSurface, Behind, Options, bus},
};

use super::{ALWAYS, Faulty, Fixture};
use crate::harness::Cloud;

scenarios!(AwsFaults);

/// The operation that publishes events, and the one that sends mail.
const PUBLISH: &str = "PutEvents";
const MAIL: &str = "POST v2";

/// A surface whose table, bus and mail are behind a proxy.
struct AwsFaults {
    surface: AwsSurface,
    proxy: Proxy,
    /// The number of faults that had occurred before the last one was injected.
    before: AtomicUsize,
}

fn throttled() -> Fault {
    refusal(400, "ThrottlingException", "injected")
}

fn busy() -> Fault {
    refusal(400, "ProvisionedThroughputExceededException", "injected")
}

fn broken() -> Fault {
    refusal(500, "InternalServerError", "injected")
}

impl Faulty for AwsFaults {
    type Surface = AwsSurface;
    type Fault = Fault;

    const NAME: &str = "aws";
    const READ: &str = "GetItem";
    const QUERY: &str = "Query";
    const COMMIT: &str = "TransactWriteItems";
    const INTRODUCTIONS: &[&str] = &["PutItem"];
    // The SDK and the request token repair one lost answer. The stored entry repairs further ones.
    const REPEATS_COMMITS: bool = true;
    const PASSING: usize = 3;
    // Three reads or one commit, eight attempts each, and the retries of the SDK.
    const MOST_CALLS: usize = 64;
    const PAUSE: (u64, u64) = (20, 200);

    async fn start(instances: usize) -> Self {
        let proxy = Proxy::start(&Ministack::shared().url).await;
        let behind = ["DYNAMODB", "EVENTBRIDGE", "SESV2"];
        let environment =
            behind.map(|name| (format!("AWS_ENDPOINT_URL_{name}"), proxy.url.clone()));
        let surface = AwsSurface::with(Options {
            instances,
            environment: environment.into(),
            ..Options::default()
        })
        .await;
        Self {
            surface,
            proxy,
            before: AtomicUsize::new(0),
        }
    }

    fn surface(&self) -> &AwsSurface {
        &self.surface
    }

    fn last_lines(&self) -> String {
        self.surface.api().last_lines()
    }

    async fn inject(&self, operation: &str, times: usize, fault: Fault) {
        self.before
            .store(self.proxy.fault_count(), Ordering::SeqCst);
        self.proxy.inject_many(operation, fault, times);
    }

    async fn clear_faults(&self) -> usize {
        self.proxy.clear_faults()
    }

    async fn wait_for_fault(&self) {
        self.proxy
            .wait_for_fault(self.before.load(Ordering::SeqCst))
            .await;
    }

    fn release(&self) {
        self.proxy.release();
    }

    fn lost_answers() -> Vec<Fault> {
        vec![Fault::LoseAnswer]
    }

    fn passing_faults() -> Vec<(&'static str, Fault)> {
        vec![
            (Self::COMMIT, throttled()),
            (Self::COMMIT, busy()),
            (Self::COMMIT, broken()),
            (Self::COMMIT, cancelled("TransactionConflict")),
            (Self::COMMIT, cancelled("ThrottlingError")),
            (Self::COMMIT, Fault::Drop),
            (Self::QUERY, throttled()),
            (Self::READ, broken()),
        ]
    }

    fn lasting_faults() -> Vec<(&'static str, Fault)> {
        vec![
            (Self::COMMIT, throttled()),
            (Self::COMMIT, cancelled("TransactionConflict")),
            (Self::COMMIT, broken()),
            (Self::QUERY, busy()),
            (Self::READ, Fault::Drop),
        ]
    }

    fn final_refusals() -> Vec<Fault> {
        vec![
            cancelled("ValidationError"),
            refusal(400, "ResourceNotFoundException", "injected"),
        ]
    }

    fn held() -> Fault {
        Fault::HoldBefore
    }

    fn relay_holds() -> Vec<(&'static str, Fault)> {
        vec![
            (PUBLISH, Fault::HoldBefore),
            (PUBLISH, Fault::HoldAfter),
            (Self::COMMIT, Fault::HoldBefore),
            (Self::COMMIT, Fault::HoldAfter),
        ]
    }

    /// The stream keeps its position: [`Harness::drain`] delivers the records again.
    async fn committed(&self) -> Vec<Value> {
        let mut stream = self.surface.stream().await;
        stream.read(&self.surface.resources).await;
        stream.waiting.iter().cloned().collect()
    }

    /// The filter of the stream's mapping passes only entries.
    fn entries(batch: &[Value]) -> usize {
        batch.len()
    }

    async fn relay(&self, batch: &[Value]) -> bool {
        let relay = self.surface.function(Behind::Relay).await;
        match relay.invoke(&json!({ "Records": batch })).await {
            Outcome::Answered(answer) => answer == json!({ "batchItemFailures": [] }),
            Outcome::Failed(_) | Outcome::Died | Outcome::TimedOut => false,
        }
    }

    async fn kill_relay(&self) {
        let relay = self.surface.function(Behind::Relay).await;
        assert_eq!(relay.kill_busy(), 1);
    }

    async fn kill_api(&self) -> usize {
        self.surface.api().kill_busy()
    }

    async fn carried(&self) -> Vec<Value> {
        bus::drain(&self.surface.resources).await
    }

    async fn notify(&self, event: &Value) -> Result<(), String> {
        let notify = self.surface.function(Behind::Notify).await;
        match notify.invoke(event).await {
            Outcome::Answered(_) => Ok(()),
            Outcome::Failed(error) => Err(error.to_string()),
            outcome @ (Outcome::Died | Outcome::TimedOut) => panic!("{outcome:?}"),
        }
    }

    async fn break_bus(&self, down: bool) {
        if down {
            self.inject(PUBLISH, ALWAYS, broken()).await;
        } else {
            self.clear_faults().await;
        }
    }

    async fn break_mail(&self, down: bool) {
        if down {
            let throttled = json!({ "message": "injected" });
            self.inject(MAIL, ALWAYS, Fault::Refuse(429, throttled))
                .await;
        } else {
            self.clear_faults().await;
        }
    }
}

impl Fixture<AwsFaults> {
    /// The teams in the table, or in one of its indexes. The query bypasses the proxy.
    async fn teams_in_table(&self, index: Option<&str>) -> Vec<Value> {
        let prefix = index.unwrap_or_default();
        let mut query = json!({
            "TableName": self.cloud.surface.resources.table,
            "ConsistentRead": index.is_none(),
            "KeyConditionExpression": format!("{prefix}PK = :account AND begins_with({prefix}SK, :team)"),
            "ExpressionAttributeValues": {
                ":account": { "S": format!("ACCOUNT#{}", self.account) },
                ":team": { "S": "TEAM#" },
            },
        });
        if let Some(index) = index {
            query["IndexName"] = index.into();
        }
        let answer = Ministack::shared()
            .json("DynamoDB_20120810.Query", &query)
            .await;
        answer["Items"].as_array().unwrap().clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_55_instance_killed_before_commit_leaves_nothing() {
    let fixture = Fixture::<AwsFaults>::new().await;
    let cloud = &fixture.cloud;
    cloud.inject(AwsFaults::COMMIT, 1, Fault::HoldBefore).await;
    let kill = async {
        cloud.wait_for_fault().await;
        assert_eq!(cloud.surface.api().kill_busy(), 1);
    };
    let (answer, ()) = tokio::join!(fixture.try_create("killed"), kill);
    assert_eq!(answer.status, 500);
    assert_eq!(fixture.names().await, [""; 0]);
    fixture.create("killed").await.expect(201);
    // The transaction of the dead instance arrives last, and its condition fails.
    cloud.release();
    fixture.create("after").await.expect(201);
    fixture.assert_made(&["after", "killed"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_52_commit_of_a_killed_instance_is_repeated() {
    let fixture = Fixture::<AwsFaults>::new().await;
    let cloud = &fixture.cloud;
    cloud.inject(AwsFaults::COMMIT, 1, Fault::HoldAfter).await;
    let kill = async {
        cloud.wait_for_fault().await;
        while fixture.teams_in_table(None).await.is_empty() {}
        assert_eq!(cloud.surface.api().kill_busy(), 1);
    };
    let (answer, ()) = tokio::join!(fixture.try_create("killed"), kill);
    assert_eq!(answer.status, 500);
    let first = fixture.create("killed").await.expect(201).id();
    assert_eq!(fixture.create("killed").await.expect(201).id(), first);
    fixture.assert_made(&["killed"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_57_only_the_failed_entry_of_a_batch_is_republished() {
    let fixture = Fixture::<AwsFaults>::new().await;
    let surface = fixture.surface();
    surface.drain().await;
    let people = [
        fixture.invite("ben").await,
        fixture.invite("cleo").await,
        fixture.invite("dan").await,
    ];
    let last_fails = Fault::Alter(
        Arc::new(|asked| drop(asked["Entries"].as_array_mut().unwrap().pop())),
        Arc::new(|answered| {
            let failed = json!({ "ErrorCode": "ThrottlingException", "ErrorMessage": "injected" });
            answered["Entries"].as_array_mut().unwrap().push(failed);
            answered["FailedEntryCount"] = 1.into();
        }),
    );
    fixture.cloud.inject(PUBLISH, 1, last_fails).await;
    let relay = surface.function(Behind::Relay).await;
    let mut stream = surface.stream().await;
    stream.read(&surface.resources).await;
    assert_eq!(stream.waiting.len(), 3);
    stream.deliver_batch(relay).await;
    assert_eq!(fixture.cloud.clear_faults().await, 0);
    assert_eq!(stream.waiting.len(), 1, "only the failed record is left");
    drop(stream);
    assert_eq!(fixture.cloud.carried().await.len(), 2);
    surface.drain().await;
    let carried = surface.events().await;
    assert_eq!(carried.last().unwrap().kind, "wm.invitation.created");
    // This test took the other two events off the queue above without delivering them.
    assert_eq!(surface.mails(&people[2]).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_61_stale_index_rows_are_not_shown() {
    let fixture = Fixture::<AwsFaults>::new().await;
    let kept = fixture.create("kept").await.expect(201).id();
    let gone = fixture.create("gone").await.expect(201).id();
    let stale = fixture.teams_in_table(Some("GSI1")).await;
    assert_eq!(stale.len(), 2);
    fixture
        .ana()
        .delete(&format!("{}/{gone}", fixture.teams()))
        .await
        .expect(204);
    let renamed = json!({ "name": "renamed" });
    fixture
        .ana()
        .patch(&format!("{}/{kept}", fixture.teams()), renamed)
        .await
        .expect(200);
    let rows_are_stale = Fault::Alter(
        Arc::new(|_| ()),
        Arc::new(move |answered| answered["Items"] = stale.clone().into()),
    );
    fixture.cloud.inject("Query GSI1", 1, rows_are_stale).await;
    assert_eq!(fixture.names().await, ["renamed"]);
    assert_eq!(fixture.cloud.clear_faults().await, 0, "the index was read");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instance_past_its_deadline_is_replaced() {
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
    proxy.inject_many(AwsFaults::QUERY, Fault::HoldBefore, ALWAYS);
    proxy.inject_many(AwsFaults::READ, Fault::HoldBefore, ALWAYS);
    let answer = surface.send_as_is(&request).await;
    assert_eq!(answer.status, 500);
    proxy.clear_faults();
    let answer = surface.send_as_is(&request).await;
    assert_eq!(answer.status, 200, "{}", surface.api().last_lines());
}
