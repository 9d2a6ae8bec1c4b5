//! The description of the deployed stack, and the parts of the template that the emulator drops.

use serde_json::{Value, json};
use wm_tests::{emulators::ministack::Credentials, suite};

use super::{
    roles::{Call, send},
    stack::{STACK, Stack},
};

/// A property of the template, the call that reads it, and the expected text. Spaces are ignored.
type ExpectedProperty = (&'static str, Call, &'static str);

const BUCKET: &str = "workspace-management-dev-documents";

fn database(operation: &'static str, words: &'static str, what: &'static str) -> ExpectedProperty {
    (
        what,
        Call::Json(operation, json!({ "TableName": STACK })),
        words,
    )
}

fn bucket(setting: &str, words: &'static str, what: &'static str) -> ExpectedProperty {
    (what, get("s3", format!("/{BUCKET}?{setting}=")), words)
}

fn get(service: &'static str, target: String) -> Call {
    Call::Rest(service, "GET", target, &[], Value::Null)
}

fn function(name: &str) -> String {
    format!("/2015-03-31/functions/{STACK}-{name}")
}

/// The properties that the emulator keeps.
fn kept(api: &str) -> Vec<ExpectedProperty> {
    let describe = "DynamoDB_20120810.DescribeTable";
    let stages = get("apigateway", format!("/v2/apis/{api}/stages"));
    let rules = json!({ "EventBusName": STACK });
    vec![
        database(
            describe,
            r#""DeletionProtectionEnabled":true"#,
            "the table is protected",
        ),
        database(
            describe,
            r#""StreamViewType":"NEW_IMAGE""#,
            "the stream has new images",
        ),
        database(
            describe,
            r#""BillingMode":"PAY_PER_REQUEST""#,
            "the table is paid for by use",
        ),
        database(
            describe,
            r#""IndexName":"GSI4""#,
            "the table has four indexes",
        ),
        bucket(
            "versioning",
            "<Status>Enabled</Status>",
            "the bucket keeps versions",
        ),
        bucket(
            "publicAccessBlock",
            "<RestrictPublicBuckets>true",
            "nothing in the bucket is public",
        ),
        bucket(
            "ownershipControls",
            "BucketOwnerEnforced",
            "the bucket has no access lists",
        ),
        bucket(
            "notification",
            "EventBridgeConfiguration",
            "the bucket tells what arrives",
        ),
        (
            "the stream is filtered and ends somewhere",
            get("lambda", "/2015-03-31/event-source-mappings/".into()),
            "relay-dead-letters",
        ),
        (
            "rules are on the bus",
            Call::Json("AWSEvents.ListRules", rules),
            "workspace-management.redrive",
        ),
        ("the gateway limits requests", stages, r#"RateLimit":100"#),
        (
            "functions log where the stack says",
            get("lambda", function("api")),
            r#""LogGroup":"/aws/lambda/workspace-management-dev-api""#,
        ),
    ]
}

/// The properties that the emulator drops silently.
fn dropped() -> Vec<ExpectedProperty> {
    let describe = "DynamoDB_20120810.DescribeTable";
    vec![
        database(
            "DynamoDB_20120810.DescribeTimeToLive",
            r#""TimeToLiveStatus":"ENABLED""#,
            "expired items are deleted",
        ),
        database(
            "DynamoDB_20120810.DescribeContinuousBackups",
            r#""PointInTimeRecoveryStatus":"ENABLED""#,
            "the table can be restored",
        ),
        database(
            describe,
            r#""SSEType":"KMS""#,
            "the table is encrypted with a key of the account",
        ),
        bucket(
            "lifecycle",
            "unfinished-uploads",
            "unfinished uploads are deleted",
        ),
        bucket(
            "encryption",
            "<BucketKeyEnabled>true",
            "the bucket is encrypted as configured",
        ),
        (
            "the function keeps dead letters",
            get("lambda", function("notify")),
            "notify-dead-letters",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn stack_matches_the_template_as_far_as_emulated() {
    let stack = Stack::shared().await;
    let root = Credentials::root();
    let is_so = async |call: &Call, words: &str| {
        let text = send(&stack.cloud, &root, call).await.text;
        let text: String = text.split_whitespace().collect();
        (text.contains(words), text)
    };
    for (what, call, words) in kept(stack.api()) {
        let (found, text) = is_so(&call, words).await;
        assert!(found, "{what}: {text}");
    }
    for (what, call, words) in dropped() {
        let (found, text) = is_so(&call, words).await;
        assert!(
            !found,
            "the emulator keeps this property now; move it to `kept`: {what}: {text}"
        );
        suite::known_limitation(
            "aws, deployed",
            what,
            "the emulator drops it; tests of the template check it instead",
        );
    }
}
