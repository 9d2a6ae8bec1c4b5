//! `wm deploy aws`: the commands that it runs and the parameters that it passes to the template.

use std::{collections::BTreeMap, fs};

use serde_json::json;
use wm_core::value::SurfaceId;
use wm_tests::{
    emulators::ministack::Ministack,
    infra::{TEMPLATE, Template},
};

use super::{Program, cloud::table};

/// Records its arguments and prints the outputs of a stack.
const SAM: &str = r#"
echo "telemetry=$SAM_CLI_TELEMETRY" >> "$HOME/log"
for argument in "$0" "$@"; do echo "$argument" >> "$HOME/log"; done
if [ "$1 $2" = "list stack-outputs" ]; then
  test -e "$HOME/outputs" || exit 1
  cat "$HOME/outputs"
elif test -e "$HOME/fails"; then exit 3
fi"#;
const CARGO_LAMBDA: &str = r#"for argument in "$0" "$@"; do echo "$argument" >> "$HOME/log"; done"#;

/// The outputs of a deployed stack.
pub(crate) const OUTPUTS: &str = r#"[
  { "OutputKey": "ApiUrl", "OutputValue": "https://api.example.com", "Description": "x" },
  { "OutputKey": "SignInUrl", "OutputValue": "https://people.example.com", "Description": "x" },
  { "OutputKey": "SiteUrl", "OutputValue": "https://site.example.com", "Description": "x" }
]"#;

/// The program with fakes of the tools.
pub(crate) fn tooled() -> Program {
    let program = Program::aws()
        .tool("sam", SAM)
        .tool("cargo-lambda", CARGO_LAMBDA);
    fs::write(program.home().join("outputs"), OUTPUTS).unwrap();
    program
}

/// The runs of the tools. Each is a list of the program and its arguments.
fn runs(program: &Program) -> Vec<Vec<String>> {
    let log = fs::read_to_string(program.home().join("log")).unwrap_or_default();
    let mut runs: Vec<Vec<String>> = Vec::new();
    for line in log.lines().filter(|line| *line != "telemetry=0") {
        if line.starts_with(program.home().to_str().unwrap()) {
            runs.push(Vec::new());
        }
        let name = line.rsplit('/').next().unwrap();
        let word = if runs.last().unwrap().is_empty() {
            name
        } else {
            line
        };
        runs.last_mut().unwrap().push(word.to_owned());
    }
    runs
}

/// The arguments between a flag and the next one.
fn after<'run>(run: &'run [String], flag: &str) -> Vec<&'run str> {
    let at = run
        .iter()
        .position(|word| word == flag)
        .unwrap_or_else(|| panic!("{flag}: {run:?}"));
    let words = run[at + 1..]
        .iter()
        .take_while(|word| !word.starts_with("--"));
    words.map(String::as_str).collect()
}

/// The parameters of the only deployment.
fn parameters(program: &Program) -> BTreeMap<String, String> {
    let runs = runs(program);
    let deployed: Vec<_> = runs.iter().filter(|run| run[1] == "deploy").collect();
    assert_eq!(deployed.len(), 1, "{runs:?}");
    let pairs = after(deployed[0], "--parameter-overrides").into_iter();
    pairs
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn first_deployment_builds_five_functions() {
    let program = tooled().with("AWS_TAGS", "team=The Docs");
    let out = program.works(&[
        "deploy",
        "--prefix",
        "first",
        "--mail-from",
        "docs@example.com",
        "--origin",
        "https://a.example.com",
        "--origin",
        "http://localhost:5173",
        "--alarm-topic",
        "arn:aws:sns:us-east-1:000000000000:alarms",
        "--log-retention",
        "14",
        "--public-url",
        "https://docs.example.com",
        "--ses-identity",
        "example.com",
        "--parameter",
        "SelfSignUp=false",
    ]);
    for words in [
        "the API answers at https://api.example.com",
        "people sign in at https://people.example.com",
        "next:",
    ] {
        assert!(out.contains(words), "{out}");
    }
    let runs = runs(&program);
    let (build, deploy) = (&runs[0], &runs[1]);
    assert_eq!(build[..3], ["cargo-lambda", "lambda", "build"]);
    let built: Vec<_> = build
        .iter()
        .zip(&build[1..])
        .filter(|(flag, _)| *flag == "--bin")
        .map(|(_, name)| name.as_str())
        .collect();
    assert_eq!(built, ["api", "relay", "ingest", "notify", "sweep"]);
    assert_eq!(after(build, "--profile"), ["function"]);
    assert_eq!(after(build, "--lambda-dir"), ["target/lambda"]);
    assert!(build.contains(&"--arm64".to_owned()));
    assert_eq!(after(deploy, "--stack-name"), ["first-dev"]);
    assert_eq!(after(deploy, "--template-file"), [TEMPLATE]);
    assert_eq!(after(deploy, "--capabilities"), ["CAPABILITY_NAMED_IAM"]);
    assert_eq!(
        after(deploy, "--tags"),
        [
            "application=workspace-management",
            "environment=dev",
            "team=The Docs"
        ]
    );
    let log = fs::read_to_string(program.home().join("log")).unwrap();
    assert!(
        log.contains("telemetry=0") && !log.contains("telemetry=\n"),
        "{log}"
    );

    let parameters = parameters(&program);
    for (name, value) in [
        ("Prefix", "first"),
        ("Environment", "dev"),
        ("BucketName", "first-dev-documents"),
        ("TableName", "first-dev"),
        ("DataExists", "false"),
        ("Architecture", "arm64"),
        ("MailFrom", "docs@example.com"),
        ("SesIdentity", "example.com"),
        (
            "AllowedOrigins",
            "https://a.example.com,http://localhost:5173",
        ),
        ("PublicUrl", "https://docs.example.com"),
        ("LogRetentionDays", "14"),
        ("AlarmTopicArn", "arn:aws:sns:us-east-1:000000000000:alarms"),
        ("SelfSignUp", "false"),
    ] {
        assert_eq!(
            parameters.get(name).map(String::as_str),
            Some(value),
            "{name}"
        );
    }
    parameters["SurfaceId"].parse::<SurfaceId>().unwrap();
    let template = Template::read(TEMPLATE);
    let known: BTreeMap<&str, _> = template.section("Parameters").into_iter().collect();
    for name in parameters.keys() {
        assert!(
            known.contains_key(name.as_str()),
            "the template has no parameter `{name}`"
        );
    }
    for (name, parameter) in known {
        let has_value = !parameter["Default"].is_null() || parameters.contains_key(name);
        assert!(has_value, "`{name}` has no default and is not passed");
    }
}

#[tokio::test]
async fn later_deployment_keeps_surface_and_unnamed_parameters() {
    let surface = "srf_01jd8w9z3k5m7n9p1q3r5s7t9v_00002";
    let parameter = json!({ "Name": "/later/dev/surface-id", "Type": "String", "Value": surface });
    Ministack::shared()
        .json("AmazonSSM.PutParameter", &parameter)
        .await;
    let program = tooled();
    program.works(&[
        "deploy",
        "--prefix",
        "later",
        "--no-build",
        "--architecture",
        "x86_64",
    ]);
    assert_eq!(runs(&program)[0][0], "sam");
    let parameters = parameters(&program);
    let names: Vec<&str> = parameters.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "Architecture",
            "BucketName",
            "Environment",
            "Prefix",
            "SurfaceId",
            "TableName"
        ]
    );
    assert_eq!(parameters["SurfaceId"], surface);
    assert_eq!(parameters["Architecture"], "x86_64");
}

#[tokio::test]
async fn later_deployment_keeps_a_changed_table() {
    let surface = "srf_01jd8w9z3k5m7n9p1q3r5s7t9v_00002";
    let parameter = json!({ "Name": "/moved/dev/surface-id", "Type": "String", "Value": surface });
    Ministack::shared()
        .json("AmazonSSM.PutParameter", &parameter)
        .await;
    let program = tooled();
    program.works(&["setup", "--prefix", "moved", "--table", "moved-restored"]);
    let outputs = r#"[{ "OutputKey": "TableName", "OutputValue": "moved-restored" }]"#;
    fs::write(program.home().join("outputs"), outputs).unwrap();
    program.works(&[
        "deploy",
        "--prefix",
        "moved",
        "--no-build",
        "--parameter",
        "BucketName=theirs",
    ]);
    let parameters = parameters(&program);
    assert_eq!(parameters["TableName"], "moved-restored");
    assert!(parameters["TableStreamArn"].contains(":table/moved-restored/stream/"));
    assert_eq!(parameters["BucketName"], "theirs");
}

#[tokio::test]
async fn data_of_setup_is_used_unchanged() {
    let program = tooled();
    program.works(&["setup", "--prefix", "adopted"]);
    let arguments = [
        "deploy",
        "--prefix",
        "adopted",
        "--mail-from",
        "docs@example.com",
    ];
    program.works(&arguments);
    let found = table("DescribeTable", json!({ "TableName": "adopted-dev" })).await;
    let parameters = parameters(&program);
    assert_eq!(parameters["DataExists"], "true");
    assert_eq!(
        found["Table"]["LatestStreamArn"],
        parameters["TableStreamArn"].as_str()
    );
}

#[tokio::test]
async fn partial_data_is_refused() {
    let program = tooled();
    program.works(&["setup", "--prefix", "halved"]);
    let arguments = [
        "deploy",
        "--prefix",
        "halved",
        "--mail-from",
        "docs@example.com",
    ];
    let message = program.refuses(&[&arguments[..], &["--bucket", "halved-other"]].concat(), 1);
    assert!(
        message.contains("`halved-dev` exists, but `halved-other` does not: run `wm setup aws`"),
        "{message}"
    );
    let message = program.refuses(&[&arguments[..], &["--table", "halved-other"]].concat(), 1);
    assert!(
        message.contains("`halved-dev-documents` exists, but `halved-other` does not"),
        "{message}"
    );
    let off =
        json!({ "TableName": "halved-dev", "StreamSpecification": { "StreamEnabled": false } });
    table("UpdateTable", off).await;
    let message = program.refuses(&arguments, 1);
    assert!(
        message.contains("the table `halved-dev` has no stream: run `wm setup aws` first"),
        "{message}"
    );
    assert_eq!(runs(&program), [[""; 0]; 0]);
}

#[test]
fn missing_tools_are_named_with_their_source() {
    let arguments = [
        "deploy",
        "--prefix",
        "toolless",
        "--mail-from",
        "docs@example.com",
    ];
    let message = Program::aws().refuses(&arguments, 1);
    assert!(
        message.contains(
            "`cargo-lambda` is not on the PATH: get it with `pip install cargo-lambda==1.9.2`"
        ),
        "{message}"
    );
    assert!(
        message.contains("`sam` is not on the PATH: get it with `pip install aws-sam-cli`"),
        "{message}"
    );
    let message = Program::aws().refuses(&[&arguments[..], &["--no-build"]].concat(), 1);
    assert!(!message.contains("cargo-lambda"), "{message}");
}

#[test]
fn plan_runs_no_command() {
    let program = tooled();
    let arguments = [
        "deploy",
        "--plan",
        "--prefix",
        "planned",
        "--mail-from",
        "docs@example.com",
    ];
    let out = program.works(&arguments);
    assert!(
        out.contains("  cargo-lambda lambda build --profile function"),
        "{out}"
    );
    assert!(out.contains("MailFrom=docs@example.com"), "{out}");
    assert!(out.ends_with("no steps were run\n"), "{out}");
    assert_eq!(runs(&program), [[""; 0]; 0]);
    // Works before the tools are installed too.
    let ran = Program::aws().run(&arguments);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.err
            .contains("missing: `cargo-lambda` is not on the PATH"),
        "{ran:?}"
    );
}

#[test]
fn unusable_input_is_refused_before_the_build() {
    let program = tooled();
    for (arguments, code, words) in [
        (
            &["--prefix", "senderless"][..],
            2,
            "the first deployment needs the sender of mails: use `--mail-from`",
        ),
        (
            &["--prefix", "a-prefix-that-is-a-little-too-long-for-it"],
            2,
            "is too long for the names of a stack",
        ),
        (
            &["--repository", "/"],
            2,
            "`infra/aws/template.yaml` is not in `/`",
        ),
    ] {
        let message = program.refuses(&[&["deploy"], arguments].concat(), code);
        assert!(message.contains(words), "{message}");
    }
    assert_eq!(runs(&program), [[""; 0]; 0]);
    fs::write(program.home().join("fails"), "").unwrap();
    let message = program.refuses(
        &[
            "deploy",
            "--prefix",
            "failing",
            "--mail-from",
            "docs@example.com",
        ],
        1,
    );
    assert!(
        message.contains("`sam` failed (exit status: 3)"),
        "{message}"
    );
}
