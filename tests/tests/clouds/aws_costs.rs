//! What each operation takes of DynamoDB: calls, and capacity as it is billed.
//!
//! Calls and writes are those the functions themselves report, in their metrics, on ministack, whose
//! counts of written capacity are real, indexes included. Its counts of read capacity are not: reads are
//! computed from what the reference store returns for the same requests.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use serde_json::Value;
use wm_core::operations;
use wm_tests::{
    cost_probe::{Bodies, CostProbe, most, walk},
    costs::{AWS, Port},
    golden,
    surfaces::{
        aws::{AwsSurface, Options},
        memory::MemorySurface,
    },
};

/// What `api` reports.
struct Metrics<'a>(&'a AwsSurface);

#[derive(Debug, Clone, Copy)]
struct Reported {
    calls: f64,
    write_units: f64,
}

impl Metrics<'_> {
    fn lines(&self) -> Vec<Value> {
        let lines = self.0.api().lines().into_iter();
        let parsed = lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        parsed.filter(|line| line["_aws"].is_object()).collect()
    }
}

impl CostProbe for Metrics<'_> {
    type Reading = Reported;

    async fn reset(&self) {}

    /// The last line. It was written before the answer, and may still be on its way here.
    async fn read(&self, _: Bodies) -> Reported {
        let answered = self.0.api().answered();
        for _ in 0..2_000 {
            let lines = self.lines();
            if let Some(line) = lines.last().filter(|_| lines.len() >= answered) {
                return Reported {
                    calls: line["DatabaseCalls"].as_f64().unwrap(),
                    write_units: line["WriteUnits"].as_f64().unwrap(),
                };
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("no metrics came for an answered request")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_takes_the_calls_of_its_budget_and_the_capacity_that_is_noted() {
    let memory = MemorySurface::new();
    let expected = walk(&memory, &Port(&memory.service.provider().records)).await;
    // One instance, whose lines come in their order.
    let options = Options {
        instances: 1,
        ..Options::default()
    };
    let aws = AwsSurface::with(options).await;
    let reported = walk(&aws, &Metrics(&aws)).await;
    let mut table = String::from("operation, calls, read units, write units\n");
    let mut differing = BTreeMap::new();
    for route in operations::routes() {
        let operation = route.operation;
        let calls = most(&reported, operation, |cost| cost.calls);
        let budget = most(&expected, operation, |cost| {
            f64::from(u32::try_from(cost.counts.calls).unwrap())
        });
        if calls != budget {
            differing.insert(operation, (calls, budget));
        }
        let read = most(&expected, operation, |cost| cost.read_units);
        let write = most(&reported, operation, |cost| cost.write_units);
        writeln!(table, "{operation}, {calls}, {read}, {write}").unwrap();
    }
    assert!(differing.is_empty(), "calls and budget: {differing:#?}");
    golden::check(AWS, &table);
}
