//! ministack counts write capacity like DynamoDB, indexes included, but not read capacity. The read
//! units are computed from the results of the reference store for the same requests.

use std::{collections::BTreeMap, fs};

use serde_json::{Value, json};
use wm_aws::records::to_attributes;
use wm_core::storage::Item;
use wm_test_results::Recording;
use wm_tests::{
    cost_probe::measure_all,
    costs::{AWS, Port},
    emulators::ministack::Ministack,
    repository,
    surfaces::{
        aws::{AwsSurface, resources::table},
        memory::MemorySurface,
    },
};

use super::{Billed, Reported};

impl Billed for AwsSurface {
    const GOLDEN: &str = AWS;
    const COLUMNS: &str = "read units, write units";
    const UNITS: &str = "WriteUnits";

    fn units(_: &str, reported: Reported, read_units: f64) -> String {
        format!("{read_units}, {}", reported.units)
    }
}

scenarios!(AwsSurface);

/// The write units that the emulator counts for the index of unfinished work, for a put of this item.
async fn index_units(table: &str, item: &Item) -> f64 {
    let attributes = to_attributes(item).into_iter();
    let attributes: BTreeMap<String, Value> = attributes
        .map(|(name, value)| match value.as_s() {
            Ok(text) => (name, json!({ "S": text })),
            Err(number) => (name, json!({ "N": number.as_n().unwrap() })),
        })
        .collect();
    let ask = json!({
        "TableName": table, "Item": attributes, "ReturnConsumedCapacity": "INDEXES",
    });
    let put = Ministack::shared()
        .json("DynamoDB_20120810.PutItem", &ask)
        .await;
    let indexes = &put["ConsumedCapacity"]["GlobalSecondaryIndexes"];
    indexes["GSI1"]["CapacityUnits"].as_f64().unwrap()
}

/// Every commit puts one journal entry into the index and takes it out after it is published. A
/// partition of a table or an index takes 1,000 write units a second (Amazon DynamoDB developer guide,
/// "Designing partition keys").
#[tokio::test]
async fn documents_state_the_commits_that_the_index_of_unfinished_work_takes() {
    let _recording = Recording::start();
    let memory = MemorySurface::new();
    measure_all(&memory, &Port(&memory.service.provider().records)).await;
    let mut entries = memory.memory().records.dump();
    entries.retain(|item| item.key.sort.is_journal() && item.index[0].is_some());
    assert!(entries.len() > 20, "{}", entries.len());
    let name = "wm-index-units";
    let ministack = Ministack::shared();
    ministack
        .json("DynamoDB_20120810.CreateTable", &table(name))
        .await;
    let mut largest = 0.0_f64;
    for entry in &entries {
        let added = index_units(name, entry).await;
        let published = Item {
            index: Default::default(),
            ..entry.clone()
        };
        let removed = index_units(name, &published).await;
        largest = largest.max(added + removed);
    }
    let page = fs::read_to_string(repository::root().join("docs/aws.md")).unwrap();
    for partitions in [4.0, 8.0, 64.0] {
        let row = format!(
            "| {partitions} | {} |",
            (partitions * 1_000.0 / largest).floor()
        );
        assert!(page.contains(&row), "docs/aws.md has no row `{row}`");
    }
}
