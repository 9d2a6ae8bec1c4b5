//! Two emulators of DynamoDB: dynalite, which checks every expression strictly, and ministack,
//! which supports transactions.

use std::sync::OnceLock;

use aws_credential_types::{Credentials as Key, provider::SharedCredentialsProvider};
use serde_json::{Value, json};
use wm_aws::{
    config::{Config, Function},
    records::DynamoRecords,
    sdk::sdk_config,
};
use wm_core::{operation::Batch, storage::Range};
use wm_service::{ports::Records, variables::Variables};
use wm_tests::{
    emulators::{
        dynalite::Dynalite,
        ministack::{Credentials, Ministack},
    },
    surfaces::aws::resources::table,
};

use super::{
    Store, batches_match_the_reference, case_54_and_59_largest_batch_is_all_or_nothing,
    case_60_large_pages_hold_every_item_once, every_scope_with_a_head_is_on_one_page,
    single_items_match_the_reference,
};
use crate::harness::scenarios;

mod dynalite {
    use super::*;

    scenarios! { DynaliteStore:
        single_items_match_the_reference,
        case_60_large_pages_hold_every_item_once,
    }
}

mod ministack {
    use super::*;

    scenarios! { MinistackStore:
        batches_match_the_reference,
        every_scope_with_a_head_is_on_one_page,
        case_60_large_pages_hold_every_item_once,
        case_54_and_59_largest_batch_is_all_or_nothing,
    }
}

struct DynaliteStore;

impl Store for DynaliteStore {
    type Records = DynamoRecords;

    async fn records(name: &str) -> DynamoRecords {
        static SHARED: OnceLock<Dynalite> = OnceLock::new();
        let dynalite = SHARED.get_or_init(Dynalite::start);
        records(&dynalite.url, &format!("wm-{name}")).await
    }
}

struct MinistackStore;

impl Store for MinistackStore {
    type Records = DynamoRecords;

    async fn records(name: &str) -> DynamoRecords {
        let name = format!("wm-records-{name}");
        records(&Ministack::shared().url, &name).await
    }

    /// The token of the transaction identifies it as done.
    async fn assert_repeats(records: &DynamoRecords, committed: &Batch) {
        records.commit(committed).await.unwrap();
        let all = Range::all(committed.scope(), "");
        let stored = records.scan(&all).await.unwrap();
        assert_eq!(stored.items.len(), committed.operations().len());
    }
}

/// The adapter over a new table at this URL.
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
