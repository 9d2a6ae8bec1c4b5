//! ministack: AWS in one process, with IAM enforced and signatures verified.

use std::{process::Command, sync::OnceLock, time::Duration};

use reqwest::{Client, Method};
use serde_json::Value;
use tempfile::TempDir;

use super::free_port;
use crate::{process::Companion, tools};

mod signature;

pub use signature::Credentials;

pub const REGION: &str = "us-east-1";
pub const ACCOUNT: &str = "000000000000";
/// The number of ports to try if another process takes one.
const ATTEMPTS: usize = 5;

/// The server that runs it. Its HTTP parser and event loop are compiled. The server that ministack
/// starts by itself is written in Python, needs twice the processor time for a request, and keeps
/// every connection that a client closed.
const SERVER: [&str; 8] = [
    "-m",
    "uvicorn",
    "ministack.app:app",
    "--host=127.0.0.1",
    "--http=httptools",
    "--loop=uvloop",
    "--no-access-log",
    "--timeout-keep-alive=75",
];

/// A running ministack. It ends on drop or with the test program.
#[derive(Debug)]
pub struct Ministack {
    process: Companion,
    /// The URL of all services.
    pub url: String,
    client: Client,
    _state: TempDir,
}

/// An answer of a service.
#[derive(Debug, Clone)]
pub struct Answered {
    pub status: u16,
    pub text: String,
}

impl Answered {
    /// The body as JSON, or null.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }
}

impl Ministack {
    /// The instance of this test program. Its tests share it, and each creates its own table,
    /// bucket and bus.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Ministack> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Starts ministack on a free port.
    #[must_use]
    pub fn start() -> Self {
        let python = tools::ministack();
        let mut last_output = String::new();
        for _ in 0..ATTEMPTS {
            let (state, port) = (tempfile::tempdir().unwrap(), free_port());
            let mut command = Command::new(python);
            command.args(SERVER).args(["--port", &port.to_string()]);
            command.env_clear().envs(environment(&state, port));
            // The process prints this line only if it has the port. If another process has it,
            // ministack ends.
            match Companion::start(&command, "running on http://127.0.0.1:") {
                Ok(process) => {
                    let client = Client::builder()
                        .no_proxy()
                        .timeout(Duration::from_secs(60));
                    return Self {
                        process,
                        url: format!("http://127.0.0.1:{port}"),
                        // Each test has its own runtime, and a connection must not outlive it.
                        client: client.pool_max_idle_per_host(0).build().unwrap(),
                        _state: state,
                    };
                }
                Err(output) => last_output = output,
            }
        }
        panic!("ministack does not start: {last_output}");
    }

    #[must_use]
    pub fn output(&self) -> String {
        self.process.output()
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.url.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// The environment variables with which a program uses it as root.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        let root = Credentials::root();
        [
            ("AWS_REGION", REGION),
            ("AWS_ENDPOINT_URL", &self.url),
            ("AWS_ACCESS_KEY_ID", &root.key),
            ("AWS_SECRET_ACCESS_KEY", &root.secret),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// Calls a service of a JSON protocol as root and asserts success. The target names service and
    /// operation, such as `DynamoDB_20120810.CreateTable`.
    pub async fn json(&self, target: &str, body: &Value) -> Value {
        let answered = self.json_as(&Credentials::root(), target, body).await;
        assert_eq!(answered.status, 200, "{target}: {}", answered.text);
        answered.json()
    }

    /// Calls a service of a JSON protocol with these credentials.
    pub async fn json_as(&self, who: &Credentials, target: &str, body: &Value) -> Answered {
        let (service, version) = json_protocol(target);
        let content_type = format!("application/x-amz-json-{version}");
        let headers = [
            ("content-type", content_type.as_str()),
            ("x-amz-target", target),
        ];
        let body = body.to_string().into_bytes();
        self.send(who, service, "POST", "/", &headers, body).await
    }

    /// Calls a service of the query protocol (IAM, STS) with these credentials.
    pub async fn query_as(
        &self,
        who: &Credentials,
        service: &str,
        parameters: &[(&str, &str)],
    ) -> Answered {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(parameters);
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let body = body.finish().into_bytes();
        self.send(who, service, "POST", "/", &headers, body).await
    }

    /// Sends any signed request: to S3, or to SES, whose protocol is REST.
    pub async fn send(
        &self,
        who: &Credentials,
        service: &str,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answered {
        self.send_to(&self.url, who, service, method, target, headers, body)
            .await
    }

    /// Sends a signed request to a service at another URL.
    #[expect(
        clippy::too_many_arguments,
        reason = "a signed request has these parts"
    )]
    pub async fn send_to(
        &self,
        base: &str,
        who: &Credentials,
        service: &str,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answered {
        let signed = who.sign(service, method, (base, target), headers, &body);
        let method: Method = method.parse().unwrap();
        let mut request = self.client.request(method, format!("{base}{target}"));
        for (name, value) in signed {
            request = request.header(name, value);
        }
        let response = request.body(body).send().await.unwrap();
        Answered {
            status: response.status().as_u16(),
            text: response.text().await.unwrap(),
        }
    }

    /// A page of ministack itself, such as `/_ministack/health`.
    pub async fn page(&self, path: &str) -> Value {
        let response = self.client.get(format!("{}{path}", self.url)).send().await;
        let text = response.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

/// Opens only the needed port, and keeps the state in its own directory.
fn environment(state: &TempDir, port: u16) -> Vec<(&'static str, String)> {
    let state = state.path().to_str().unwrap().to_owned();
    let path = std::env::var("PATH").unwrap_or_default();
    [
        ("PATH", path.as_str()),
        ("GATEWAY_PORT", &port.to_string()),
        ("AUTH", "true"),
        ("LAMBDA_EXECUTOR", "local"),
        ("IOT_MTLS_ENABLED", "0"),
        ("SFTP_ENABLED", "0"),
        ("STATE_DIR", &state),
        ("S3_DATA_DIR", &state),
        ("TMPDIR", &state),
        ("HOME", &state),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

/// The signing name of a service and the version of its protocol.
fn json_protocol(target: &str) -> (&'static str, &'static str) {
    match target.split('.').next().unwrap() {
        "DynamoDB_20120810" | "DynamoDBStreams_20120810" => ("dynamodb", "1.0"),
        "AWSEvents" => ("events", "1.1"),
        "AmazonSQS" => ("sqs", "1.0"),
        "AmazonSSM" => ("ssm", "1.1"),
        "secretsmanager" => ("secretsmanager", "1.1"),
        "AWSCognitoIdentityProviderService" => ("cognito-idp", "1.1"),
        other => panic!("no protocol is known for `{other}`"),
    }
}
