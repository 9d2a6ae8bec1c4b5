//! What each operation takes of Cosmos DB: calls, and request units.
//!
//! Both are those the handler itself reports, in its metrics. The calls are held to the budget. The emulator
//! computes charges by a formula of its own, so that the golden file shows what changes, and not what is billed.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use serde_json::Value;
use wm_core::operations;
use wm_tests::{
    cost_probe::{Bodies, CostProbe, most, walk},
    costs::{AZURE, Port},
    golden,
    surfaces::{azure::AzureSurface, memory::MemorySurface},
};

/// What `api` reports.
struct Metrics<'a>(&'a AzureSurface);

#[derive(Debug, Clone, Copy)]
struct Reported {
    calls: f64,
    charge: f64,
}

impl Metrics<'_> {
    fn lines(&self) -> Vec<Value> {
        let mut lines = self.0.entries();
        lines.retain(|line| line["target"] == "metrics" && line["Function"] == "api");
        lines
    }
}

impl CostProbe for Metrics<'_> {
    type Reading = Reported;

    async fn reset(&self) {}

    /// The last line. It was written before the answer, and may still be on its way here.
    async fn read(&self, _: Bodies) -> Reported {
        let answered = self.0.host.answered();
        for _ in 0..2_000 {
            let lines = self.lines();
            if let Some(line) = lines.last().filter(|_| lines.len() >= answered) {
                return Reported {
                    calls: line["DatabaseCalls"].as_f64().unwrap(),
                    charge: line["RequestCharge"].as_f64().unwrap(),
                };
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("no metrics came for an answered request")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_takes_the_calls_of_its_budget_and_the_charge_that_is_noted() {
    let memory = MemorySurface::new();
    let expected = walk(&memory, &Port(&memory.service.provider().records)).await;
    let azure = AzureSurface::start().await;
    let reported = walk(&azure, &Metrics(&azure)).await;
    let mut table = String::from("operation, calls, request units\n");
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
        let charge = most(&reported, operation, |cost| cost.charge);
        // One read of what is not there costs nothing at the emulator; at the service it does.
        assert!(charge > 0.0 || calls <= 1.0, "{operation}: {charge}");
        writeln!(table, "{operation}, {calls}, {charge:.1}").unwrap();
    }
    assert!(differing.is_empty(), "calls and budget: {differing:#?}");
    golden::check(AZURE, &table);
}
