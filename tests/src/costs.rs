//! What operations cost at the port of the database, and the table of it that people read.

use std::{collections::BTreeMap, fmt::Write};

use wm_core::operations;

use crate::{
    cost_probe::{Bodies, CostProbe, Costs, most},
    faults::{Counts, RecordingRecords, Traffic},
    repository,
};

/// What one request cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Calls, rounds and commits.
    pub counts: Counts,
    /// The stored bytes of items.
    pub traffic: Traffic,
    /// Read capacity, as DynamoDB counts it.
    pub read_units: f64,
    /// The bytes of the bodies.
    pub bodies: Bodies,
}

/// What the port counts.
pub struct Port<'a>(pub &'a RecordingRecords);

impl CostProbe for Port<'_> {
    type Reading = Cost;

    async fn reset(&self) {
        self.0.take();
        self.0.take_traffic();
        self.0.take_read_units();
    }

    async fn read(&self, bodies: Bodies) -> Cost {
        Cost {
            counts: self.0.take(),
            traffic: self.0.take_traffic(),
            read_units: self.0.take_read_units(),
            bodies,
        }
    }
}

/// The golden of the AWS surface: operation, calls, read units, write units.
pub const AWS: &str = "aws-capacity.txt";
/// The golden of the Azure surface: operation, calls, request units.
pub const AZURE: &str = "azure-charges.txt";

/// The column of a golden, by operation.
///
/// # Panics
/// When there is no such column.
#[must_use]
pub fn column(golden: &str, number: usize) -> BTreeMap<String, String> {
    let path = repository::root().join("tests/goldens").join(golden);
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split(", ").collect();
        (cells[0].to_owned(), cells[number].to_owned())
    });
    rows.collect()
}

/// The table of every operation: what was counted at the port, beside what both clouds take for it.
#[must_use]
pub fn table(counted: &Costs<Cost>) -> String {
    let clouds = [(AWS, 2), (AWS, 3), (AZURE, 2)].map(|(golden, number)| column(golden, number));
    let mut table = String::from(
        "| operation | waits | commits | calls | bytes read | bytes written | body sent | body answered | DynamoDB read units | DynamoDB write units | Cosmos DB request units |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for route in operations::routes() {
        let operation = route.operation;
        let cost = |what: fn(&Cost) -> usize| most(counted, operation, what);
        let port = [
            cost(|cost| cost.counts.rounds),
            cost(|cost| cost.counts.commits),
            cost(|cost| cost.counts.calls),
            cost(|cost| cost.traffic.read),
            cost(|cost| cost.traffic.written),
            cost(|cost| cost.bodies.sent),
            cost(|cost| cost.bodies.received),
        ];
        write!(table, "| `{operation}` |").unwrap();
        for number in port {
            write!(table, " {number} |").unwrap();
        }
        for cloud in &clouds {
            let cell = cloud.get(operation).map_or("?", String::as_str);
            write!(table, " {cell} |").unwrap();
        }
        table.push('\n');
    }
    table
}
