//! The deployed stack as a surface: requests through its gateway, with tokens of its own pool.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::{runtime::Handle, task::block_in_place};
use wm_core::{
    http::Request,
    record::CloudEvent,
    storage::{Work, WorkPartitions},
};
use wm_tests::{
    emulators::ministack::Credentials,
    harness::{Answer, Harness, ObjectRequest},
};

use super::stack::{SENDER, STACK, Stack};

/// The timeout for effects of a commit, on a loaded machine that starts every function anew.
const TIMEOUT: Duration = Duration::from_secs(90);
/// The passphrase of all test users. It gives access only to the pool of a test.
const PASSPHRASE: &str = "Quite-Long-And-Mixed-7";

/// Polls until the condition holds.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < TIMEOUT, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Both tokens of a person.
#[derive(Clone)]
struct Tokens {
    access: String,
    id: String,
}

/// The harness over a deployed stack.
pub(crate) struct Deployed {
    stack: &'static Stack,
    client: Client,
    people: Mutex<BTreeMap<String, Tokens>>,
}

impl Deployed {
    pub(crate) fn on(stack: &'static Stack) -> Self {
        Self {
            stack,
            client: Client::builder().no_proxy().build().unwrap(),
            people: Mutex::default(),
        }
    }

    /// A request to the stack's gateway. The host name selects the API.
    fn request(&self, method: &str, target: &str) -> RequestBuilder {
        let cloud = &self.stack.cloud;
        let host = format!(
            "{}.execute-api.localhost:{}",
            self.stack.api(),
            cloud.port()
        );
        let method: Method = method.parse().unwrap();
        self.client
            .request(method, format!("{}{target}", cloud.url))
            .header("host", host)
    }

    /// A request without a body, with any text as its token.
    pub(crate) async fn bare(&self, method: &str, path: &str, token: Option<&str>) -> Answer {
        let mut request = self.request(method, path);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        answer(request).await
    }

    /// The gateway's answer to a preflight request of a browser.
    pub(crate) async fn preflight(&self, origin: &str) -> Answer {
        let request = self.request("OPTIONS", "/v1/session");
        let request = request.header("origin", origin);
        answer(request.header("access-control-request-method", "POST")).await
    }

    /// Runs a function now and returns its answer.
    pub(crate) async fn invoke(&self, function: &str) -> Value {
        let target = format!("/2015-03-31/functions/{STACK}-{function}/invocations");
        let root = Credentials::root();
        let answered = self
            .stack
            .cloud
            .send(&root, "lambda", "POST", &target, &[], b"{}".to_vec())
            .await;
        let answer = answered.json();
        assert!(
            answered.status == 200 && answer["errorType"].is_null(),
            "{}",
            answered.text
        );
        answer
    }

    fn tokens(&self, email: &str) -> Tokens {
        let known = self
            .people
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(email)
            .cloned();
        if let Some(tokens) = known {
            return tokens;
        }
        // The suite requests tokens in synchronous code.
        let tokens = block_in_place(|| Handle::current().block_on(self.register(email)));
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        people.insert(email.to_owned(), tokens.clone());
        tokens
    }

    /// Creates a person in the pool, signs them in and presents their ID token to the API.
    async fn register(&self, email: &str) -> Tokens {
        let pool = self.stack.output("UserPoolId");
        let cognito = async |operation: &str, body: Value| {
            let target = format!("AWSCognitoIdentityProviderService.{operation}");
            self.stack
                .cloud
                .json_as(&Credentials::root(), &target, &body)
                .await
        };
        let attributes = json!([{ "Name": "email", "Value": email }, { "Name": "email_verified", "Value": "true" }]);
        let created = cognito(
            "AdminCreateUser",
            json!({
                "UserPoolId": pool, "Username": email, "MessageAction": "SUPPRESS",
                "TemporaryPassword": PASSPHRASE, "UserAttributes": attributes,
            }),
        )
        .await;
        let known = created.text.contains("UsernameExistsException");
        assert!(created.status == 200 || known, "{}", created.text);
        let set = json!({ "UserPoolId": pool, "Username": email, "Password": PASSPHRASE, "Permanent": true });
        let set = cognito("AdminSetUserPassword", set).await;
        assert_eq!(set.status, 200, "{}", set.text);
        let signed_in = cognito(
            "AdminInitiateAuth",
            json!({
                "UserPoolId": pool, "ClientId": self.stack.output("ClientId"),
                "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
                "AuthParameters": { "USERNAME": email, "PASSWORD": PASSPHRASE },
            }),
        )
        .await;
        let result = &signed_in.json()["AuthenticationResult"];
        let token = |name: &str| {
            result[name]
                .as_str()
                .unwrap_or_else(|| panic!("{}", signed_in.text))
                .to_owned()
        };
        let tokens = Tokens {
            access: token("AccessToken"),
            id: token("IdToken"),
        };
        let body = json!({ "id_token": tokens.id });
        let introduction = self
            .request("POST", "/v1/session/identity")
            .bearer_auth(&tokens.access)
            .json(&body);
        let introduced = answer(introduction).await;
        assert_eq!(
            introduced.status,
            200,
            "{}",
            String::from_utf8_lossy(&introduced.body)
        );
        tokens
    }

    /// Whether a journal entry is not published yet.
    async fn is_behind(&self) -> bool {
        for work in WorkPartitions::default().rows(Work::Outbox) {
            let ask = json!({
                "TableName": self.stack.output("TableName"),
                "IndexName": "GSI1",
                "KeyConditionExpression": "GSI1PK = :work",
                "ExpressionAttributeValues": { ":work": { "S": work.list(1).partition } },
            });
            let found = self.stack.cloud.json("DynamoDB_20120810.Query", &ask).await;
            let items = found["Items"].as_array().unwrap();
            if items
                .iter()
                .any(|item| item["SK"]["S"].as_str().unwrap().starts_with("JOURNAL#"))
            {
                return true;
            }
        }
        false
    }

    /// The number of events that `notify` has processed, from its log.
    async fn notified(&self) -> usize {
        let body = json!({ "logGroupName": format!("/aws/lambda/{STACK}-notify"), "filterPattern": "END", "limit": 10_000 });
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", "Logs_20140328.FilterLogEvents"),
        ];
        let root = Credentials::root();
        let answered = self
            .stack
            .cloud
            .send(
                &root,
                "logs",
                "POST",
                "/",
                &headers,
                body.to_string().into_bytes(),
            )
            .await;
        let events = answered.json()["events"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        events
            .iter()
            .filter(|event| {
                event["message"]
                    .as_str()
                    .unwrap_or_default()
                    .starts_with("END RequestId")
            })
            .count()
    }
}

async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let text =
        |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into();
    Answer {
        status: response.status().as_u16(),
        headers: response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect(),
        body: response.bytes().await.unwrap().to_vec(),
    }
}

impl Harness for Deployed {
    fn name(&self) -> &'static str {
        "aws, deployed"
    }

    async fn call(&self, request: Request) -> Answer {
        let target = match request.query.as_str() {
            "" => request.path.clone(),
            query => format!("{}?{query}", request.path),
        };
        let mut built = self.request(&request.method, &target);
        for (name, value) in &request.headers {
            built = built.header(name, value);
        }
        answer(built.body(request.body)).await
    }

    async fn object(&self, request: ObjectRequest) -> Answer {
        let method: Method = request.method.parse().unwrap();
        let mut built = self.client.request(method, &request.url);
        for (name, value) in &request.headers {
            built = built.header(name, value);
        }
        answer(built.body(request.body)).await
    }

    fn access_token(&self, email: &str) -> String {
        self.tokens(email).access
    }

    fn id_token(&self, email: &str) -> String {
        self.tokens(email).id
    }

    fn expired_token(&self, _: &str) -> String {
        panic!("the pool makes no tokens that have expired")
    }

    /// Published means that no entry waits. Mailed means that `notify` has processed the same
    /// number of events.
    async fn drain(&self) {
        until("every entry is published", async || !self.is_behind().await).await;
        let carried = self.events().await.len();
        until("every event is mailed", async || {
            self.notified().await >= carried
        })
        .await;
    }

    async fn events(&self) -> Vec<CloudEvent> {
        self.stack.carried().await
    }

    async fn mails(&self, to: &str) -> Vec<String> {
        let page = self.stack.cloud.page("/_ministack/ses/messages").await;
        let accounts = page["messages"].as_object().unwrap().values();
        let messages = accounts.flat_map(|messages| messages.as_array().unwrap());
        let ours = messages.filter(|message| {
            message["Source"] == SENDER && message["To"].as_array().unwrap().contains(&to.into())
        });
        ours.map(|message| message["BodyText"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn sweep(&self) {
        self.invoke("sweep").await;
    }

    fn pass(&self, _: Duration) -> Result<(), &'static str> {
        Err("the clock of a deployed stack is the machine's")
    }
}
