//! The stack: the template of this repository, deployed by sam onto its own ministack.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use regex::Regex;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{Mutex, OnceCell};
use wm_aws::config::Function;
use wm_core::record::CloudEvent;
use wm_tests::{
    emulators::ministack::{ACCOUNT, Credentials, Ministack, REGION},
    infra::{TEMPLATE, Template},
    process, suite, tools,
};

/// The name of the stack and the prefix of all other names.
pub(crate) const STACK: &str = "workspace-management-dev";
const SURFACE: &str = "srf_01k9p3t5w7x9y1z3a5c7e9g1jm_00001";
/// The sender of mail.
pub(crate) const SENDER: &str = "workspace@example.com";
/// The origin whose pages may call the API.
pub(crate) const ORIGIN: &str = "https://app.example.com";
/// The target of links in mails.
const PUBLIC_URL: &str = "https://workspace.test";

/// A change of the template, and the reason for it.
type Change = (&'static str, fn(&mut Template));

/// The parts that the emulator does not support.
const CHANGES: &[Change] = &[
    ("the emulator has no event archives", |template| {
        remove(template, "Archive");
    }),
    (
        "the emulator has no TLS, which the policies of bucket and queues require",
        |template| {
            remove(template, "BucketPolicy");
            for function in ["Relay", "Ingest", "Notify", "Sweep"] {
                remove(template, &format!("{function}DeadLettersPolicy"));
            }
        },
    ),
    (
        "the emulator denies GetParametersByPath and GetSecretValue to permitted roles",
        |template| {
            let common = &mut template.0["Globals"]["Function"]["Environment"]["Variables"];
            common["AWS_SURFACE_ID"] = json!({ "Ref": "SurfaceId" });
            common["AWS_PUBLIC_URL"] = PUBLIC_URL.into();
            common["AWS_SURFACE_SECRET"] = "of-the-stack-under-test-and-of-no-other".into();
        },
    ),
    (
        "the emulator gives policies neither the identity nor the sender of a mail",
        |template| {
            let role = &mut template.0["Resources"]["NotifyRole"]["Properties"];
            let statements = &mut role["Policies"][0]["PolicyDocument"]["Statement"];
            let mut statements = statements.as_array_mut().unwrap().iter_mut();
            let mail = statements
                .find(|statement| statement["Sid"] == "Mail")
                .unwrap();
            mail["Resource"] = "*".into();
            mail.as_object_mut().unwrap().remove("Condition");
        },
    ),
];

/// Sets the URL of the emulator in the functions' environment.
fn point_to(template: &mut Template, cloud: &Ministack) {
    let common = &mut template.0["Globals"]["Function"]["Environment"]["Variables"];
    common["AWS_ENDPOINT_URL"] = cloud.url.as_str().into();
    let api = &mut template.0["Resources"]["ApiFunction"]["Properties"];
    let keys = format!("{}/${{UserPool}}/.well-known/jwks.json", cloud.url);
    api["Environment"]["Variables"]["AWS_COGNITO_JWKS_URL"] = json!({ "Fn::Sub": keys });
}

fn remove(template: &mut Template, resource: &str) {
    let resources = template.0["Resources"].as_object_mut().unwrap();
    assert!(
        resources.remove(resource).is_some(),
        "there is no `{resource}`"
    );
}

pub(crate) struct Stack {
    /// The emulator that runs it.
    pub(crate) cloud: Ministack,
    /// The outputs of the stack.
    pub(crate) outputs: BTreeMap<String, String>,
    /// The URL of a queue that receives all events of the bus.
    queue: String,
    carried: Mutex<Vec<CloudEvent>>,
    _directory: TempDir,
}

impl Stack {
    /// The stack of this test program.
    pub(crate) async fn shared() -> &'static Self {
        static SHARED: OnceCell<Stack> = OnceCell::const_new();
        SHARED.get_or_init(Self::deploy).await
    }

    async fn deploy() -> Self {
        let (cloud, directory) = (Ministack::start(), tempfile::tempdir().unwrap());
        let template = lay_out(&cloud, directory.path());
        let deployed = sam(&cloud, directory.path())
            .args(["deploy", "--template-file"])
            .arg(template)
            .args(["--stack-name", STACK, "--capabilities", "CAPABILITY_IAM"])
            .args(["--resolve-s3", "--no-confirm-changeset", "--no-progressbar"])
            .arg("--parameter-overrides")
            .args(parameters())
            .output()
            .unwrap();
        let printed = [deployed.stdout, deployed.stderr];
        let printed = printed
            .map(|text| String::from_utf8_lossy(&text).into_owned())
            .concat();
        assert!(deployed.status.success(), "{printed}\n{}", cloud.output());
        let outputs = outputs(&cloud).await;
        Self {
            queue: listen(&cloud).await,
            cloud,
            outputs,
            carried: Mutex::default(),
            _directory: directory,
        }
    }

    /// All events on the bus so far. Tests share the queue, so only one of them receives at a time.
    /// Otherwise an event that another test has just received would be missing.
    pub(crate) async fn carried(&self) -> Vec<CloudEvent> {
        let mut carried = self.carried.lock().await;
        loop {
            let ask = json!({ "QueueUrl": self.queue, "MaxNumberOfMessages": 10 });
            let answer = self.cloud.json("AmazonSQS.ReceiveMessage", &ask).await;
            let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
            if messages.is_empty() {
                return carried.clone();
            }
            for message in messages {
                let event: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
                carried.push(serde_json::from_value(event["detail"].clone()).unwrap());
                let done =
                    json!({ "QueueUrl": self.queue, "ReceiptHandle": message["ReceiptHandle"] });
                self.cloud.json("AmazonSQS.DeleteMessage", &done).await;
            }
        }
    }

    pub(crate) fn api(&self) -> &str {
        let url = self.output("ApiUrl").trim_start_matches("https://");
        url.split('.').next().unwrap()
    }

    pub(crate) fn output(&self, name: &str) -> &str {
        &self.outputs[name]
    }
}

fn parameters() -> [String; 4] {
    let architecture = match env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    };
    [
        format!("SurfaceId={SURFACE}"),
        format!("MailFrom={SENDER}"),
        format!("AllowedOrigins={ORIGIN}"),
        format!("Architecture={architecture}"),
    ]
}

/// Copies the deployable files in the layout that the template expects: the template, and each
/// function in its folder.
fn lay_out(cloud: &Ministack, directory: &Path) -> PathBuf {
    let mut template = Template::read(TEMPLATE);
    point_to(&mut template, cloud);
    for (reason, change) in CHANGES {
        change(&mut template);
        suite::known_limitation("aws, deployed", "the test changes the template", reason);
    }
    for function in Function::ALL.map(Function::name) {
        let folder = directory.join("target/lambda").join(function);
        fs::create_dir_all(&folder).unwrap();
        // The binaries are packed and unpacked several times, so debug symbols are stripped.
        let strip = Command::new("strip")
            .arg("-o")
            .args([&folder.join("bootstrap"), &process::binary(function)])
            .status();
        assert!(strip.unwrap().success(), "`{function}` cannot be stripped");
    }
    let place = directory.join(TEMPLATE).with_extension("json");
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(&place, template.0.to_string()).unwrap();
    place
}

fn sam(cloud: &Ministack, home: &Path) -> Command {
    let python = tools::python_environment("sam", "tests/tools/sam/requirements.txt");
    let mut command = Command::new(python.with_file_name("sam"));
    command.env_clear().envs(cloud.environment());
    command.env("PATH", env::var_os("PATH").unwrap_or_default());
    command.env("HOME", home).env("AWS_DEFAULT_REGION", REGION);
    command.env("SAM_CLI_TELEMETRY", "0").current_dir(home);
    command
}

/// The outputs of the stack.
async fn outputs(cloud: &Ministack) -> BTreeMap<String, String> {
    let root = Credentials::root();
    let ask = [
        ("Action", "DescribeStacks"),
        ("StackName", STACK),
        ("Version", "2010-05-15"),
    ];
    let answered = cloud.query_as(&root, "cloudformation", &ask).await;
    let output =
        Regex::new(r"(?s)<OutputKey>(.*?)</OutputKey>.*?<OutputValue>(.*?)</OutputValue>").unwrap();
    let outputs = output.captures_iter(&answered.text);
    let outputs: BTreeMap<_, _> = outputs
        .map(|found| (found[1].to_owned(), found[2].to_owned()))
        .collect();
    assert!(outputs.contains_key("ApiUrl"), "{}", answered.text);
    outputs
}

/// Creates a queue that receives all events of the bus.
async fn listen(cloud: &Ministack) -> String {
    let call = async |target: &str, body: Value| cloud.json(target, &body).await;
    let queue = call("AmazonSQS.CreateQueue", json!({ "QueueName": "heard" })).await;
    let pattern = json!({ "source": [wm_aws::events::SOURCE] }).to_string();
    let rule = json!({ "Name": "heard", "EventBusName": STACK, "EventPattern": pattern });
    call("AWSEvents.PutRule", rule).await;
    let target = json!({ "Id": "heard", "Arn": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:heard") });
    let targets = json!({ "Rule": "heard", "EventBusName": STACK, "Targets": [target] });
    call("AWSEvents.PutTargets", targets).await;
    queue["QueueUrl"].as_str().unwrap().to_owned()
}
