//! The database adapter does what core's reference database does, on two emulators for DynamoDB:
//! dynalite, which is strict about every expression, and ministack, which has transactions.

use aws_credential_types::{Credentials as Key, provider::SharedCredentialsProvider};
use serde_json::{Value, json};
use wm_aws::{
    config::{Config, Function},
    records::DynamoRecords,
    sdk::sdk_config,
};
use wm_core::storage::Range;
use wm_service::{ports::Records, variables::Variables};
use wm_test_results::Recording;
use wm_tests::{
    emulators::{
        dynalite::Dynalite,
        ministack::{Credentials, Ministack},
    },
    reference::{assert_agree, assert_largest_is_all_or_nothing, assert_pages_hold_all},
    surfaces::aws::resources::table,
};

/// The adapter over a new table at this address.
async fn records(url: &str, name: &str) -> DynamoRecords {
    let call = async |operation: &str, body: &Value| {
        let target = format!("DynamoDB_20120810.{operation}");
        let headers = [
            ("content-type", "application/x-amz-json-1.0"),
            ("x-amz-target", target.as_str()),
        ];
        let body = body.to_string().into_bytes();
        let answered = Ministack::shared()
            .send_to(
                url,
                &Credentials::root(),
                "dynamodb",
                "POST",
                "/",
                &headers,
                body,
            )
            .await;
        assert_eq!(answered.status, 200, "{}", answered.text);
        answered.json()
    };
    call("CreateTable", &table(name)).await;
    while call("DescribeTable", &json!({ "TableName": name })).await["Table"]["TableStatus"]
        != "ACTIVE"
    {}
    let variables: Variables = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_DYNAMODB_TABLE", name),
        ("AWS_S3_BUCKET", "none"),
        ("AWS_ENDPOINT_URL", url),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into_iter()
    .collect();
    let config = Config::read(Function::Ingest, variables).unwrap();
    let key = Key::new("test", "test", None, None, "tests");
    let shared = sdk_config(&config).into_builder();
    let shared = shared
        .credentials_provider(SharedCredentialsProvider::new(key))
        .build();
    DynamoRecords::new(&shared, &config)
}

#[tokio::test]
async fn single_items_are_as_the_reference_has_them_on_dynalite() {
    let _recording = Recording::start();
    let dynalite = Dynalite::start();
    assert_agree(&records(&dynalite.url, "wm-records").await, 1).await;
}

#[tokio::test]
async fn batches_are_as_the_reference_has_them_on_ministack() {
    let _recording = Recording::start();
    let url = &Ministack::shared().url;
    assert_agree(&records(url, "wm-records-batches").await, 6).await;
}

#[tokio::test]
async fn case_60_pages_of_a_megabyte_hold_every_item_once_on_dynalite() {
    let dynalite = Dynalite::start();
    assert_pages_hold_all(&records(&dynalite.url, "wm-pages").await).await;
}

#[tokio::test]
async fn case_60_pages_of_a_megabyte_hold_every_item_once_on_ministack() {
    let url = &Ministack::shared().url;
    assert_pages_hold_all(&records(url, "wm-records-pages").await).await;
}

/// The largest batch core makes goes through as one transaction, or not at all.
#[tokio::test]
async fn case_54_and_59_the_largest_batch_is_all_or_nothing() {
    let records = records(&Ministack::shared().url, "wm-records-largest").await;
    let largest = assert_largest_is_all_or_nothing(&records).await;
    // Sent again, as after a lost answer: the token says that it is done.
    records.commit(&largest).await.unwrap();
    let stored = records
        .scan(&Range::all(largest.scope(), ""))
        .await
        .unwrap();
    assert_eq!(stored.items.len(), largest.operations().len());
}
