//! The state of the cloud, read from the services.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wm_tests::emulators::ministack::{Credentials, Ministack};

/// Calls the database.
pub(crate) async fn table(operation: &str, body: Value) -> Value {
    let target = format!("DynamoDB_20120810.{operation}");
    Ministack::shared().json(&target, &body).await
}

/// Sends a request about a bucket or an object to the object store and asserts success.
pub(crate) async fn bucket(method: &str, target: &str, body: &str) -> String {
    let (root, path) = (Credentials::root(), format!("/{target}"));
    let body = body.as_bytes().to_vec();
    let sent = Ministack::shared().send(&root, "s3", method, &path, &[], body);
    let answered = sent.await;
    assert!(
        answered.status < 300,
        "{method} {target}: {}",
        answered.text
    );
    answered.text
}

/// The parts of a table's description that matter to the program.
pub(crate) async fn described_table(name: &str) -> Value {
    let name = json!({ "TableName": name });
    let found = table("DescribeTable", name.clone()).await["Table"].clone();
    let backups = table("DescribeContinuousBackups", name.clone()).await;
    let ttl = table("DescribeTimeToLive", name).await;
    let tags = table(
        "ListTagsOfResource",
        json!({ "ResourceArn": found["TableArn"] }),
    )
    .await;
    let mut indexes: Vec<Value> = found["GlobalSecondaryIndexes"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    indexes.sort_by_key(|index| index["IndexName"].to_string());
    let index = |index: &Value| {
        json!([
            index["IndexName"],
            keys(index),
            index["Projection"]["ProjectionType"],
            index["IndexStatus"]
        ])
    };
    let recovery = &backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"];
    let tags = tags["Tags"].as_array().unwrap().iter();
    let tags: BTreeMap<&str, &str> = tags
        .map(|tag| (tag["Key"].as_str().unwrap(), tag["Value"].as_str().unwrap()))
        .collect();
    json!({
        "keys": keys(&found),
        "indexes": indexes.iter().map(index).collect::<Vec<_>>(),
        "billing": found["BillingModeSummary"]["BillingMode"],
        "stream": found["StreamSpecification"],
        "encryption": [found["SSEDescription"]["Status"], found["SSEDescription"]["SSEType"]],
        "deletion_protection": found["DeletionProtectionEnabled"],
        "point_in_time_recovery": recovery["PointInTimeRecoveryStatus"],
        "time_to_live": ttl["TimeToLiveDescription"],
        "tags": tags,
    })
}

fn keys(described: &Value) -> Value {
    let schema = described["KeySchema"].as_array().unwrap().iter();
    schema
        .map(|key| json!([key["AttributeName"], key["KeyType"]]))
        .collect()
}

/// All settings of a bucket by name, in the format of the service.
pub(crate) async fn described_bucket(name: &str) -> BTreeMap<&'static str, String> {
    let mut settings = BTreeMap::new();
    for setting in [
        "publicAccessBlock",
        "ownershipControls",
        "policy",
        "versioning",
        "encryption",
        "lifecycle",
        "notification",
        "cors",
        "tagging",
    ] {
        let root = Credentials::root();
        let target = format!("/{name}?{setting}=");
        let answered = Ministack::shared()
            .send(&root, "s3", "GET", &target, &[], Vec::new())
            .await;
        settings.insert(setting, answered.text);
    }
    settings
}
