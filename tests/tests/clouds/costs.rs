//! The database cost of each operation on a cloud: calls, and billed units.
//!
//! The functions report both in their metrics. The calls must equal the budget. The units are
//! compared with a golden file.

/// Generates a test per cloud from each scenario.
macro_rules! scenarios {
    ($cloud:ty) => {
        $crate::harness::scenarios! { $cloud:
            operations_make_the_calls_of_their_budget,
        }
    };
}

mod aws;
mod azure;

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use wm_core::operations;
use wm_tests::{
    cost_probe::{Bodies, CostProbe, measure_all, most},
    costs::Port,
    golden,
    surfaces::memory::MemorySurface,
};

use crate::harness::Cloud;

/// A cloud that bills the calls of its database.
trait Billed: Cloud {
    /// The golden file, and its first line.
    const GOLDEN: &str;
    const COLUMNS: &str;
    /// The metric of the billed units.
    const UNITS: &str;

    /// The billed units of an operation in the format of the golden file. `read_units` is the
    /// amount that DynamoDB would count.
    fn units(operation: &str, reported: Reported, read_units: f64) -> String;
}

/// The metrics of `api`.
struct Metrics<'a, C>(&'a C);

#[derive(Debug, Clone, Copy)]
struct Reported {
    calls: f64,
    units: f64,
}

impl<C: Billed> CostProbe for Metrics<'_, C> {
    type Reading = Reported;

    async fn reset(&self) {}

    /// The last line. It was written before the answer, but may arrive later.
    async fn read(&self, _: Bodies) -> Reported {
        let answered = self.0.answered();
        for _ in 0..2_000 {
            let lines = self.0.metrics();
            if let Some(line) = lines.last().filter(|_| lines.len() >= answered) {
                return Reported {
                    calls: line["DatabaseCalls"].as_f64().unwrap(),
                    units: line[C::UNITS].as_f64().unwrap(),
                };
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("no metrics came for an answered request")
    }
}

async fn operations_make_the_calls_of_their_budget<C: Billed>() {
    let memory = MemorySurface::new();
    let expected = measure_all(&memory, &Port(&memory.service.provider().records)).await;
    // One process, so that the lines are in order.
    let cloud = C::single().await;
    let reported = measure_all(&cloud, &Metrics(&cloud)).await;
    let mut table = format!("operation, calls, {}\n", C::COLUMNS);
    let mut differing = BTreeMap::new();
    for route in operations::routes() {
        let operation = route.operation;
        let dearest = Reported {
            calls: most(&reported, operation, |cost| cost.calls),
            units: most(&reported, operation, |cost| cost.units),
        };
        let calls = dearest.calls;
        let budget = most(&expected, operation, |cost| {
            f64::from(u32::try_from(cost.counts.calls).unwrap())
        });
        if calls != budget {
            differing.insert(operation, (calls, budget));
        }
        let read_units = most(&expected, operation, |cost| cost.read_units);
        let units = C::units(operation, dearest, read_units);
        writeln!(table, "{operation}, {calls}, {units}").unwrap();
    }
    assert!(differing.is_empty(), "calls and budget: {differing:#?}");
    golden::check(C::GOLDEN, &table);
}
