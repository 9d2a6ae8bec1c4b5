//! The cost of operations at the database port, and the table of them in the documents.

use std::{collections::BTreeMap, fmt::Write};

use wm_core::operations;

use crate::{
    cost_probe::{Bodies, CostProbe, Costs, most},
    faults::{Counts, RecordingRecords, Traffic},
    repository,
};

/// The cost of one request.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub counts: Counts,
    /// The stored sizes of items.
    pub traffic: Traffic,
    /// Read capacity as DynamoDB counts it.
    pub read_units: f64,
    /// The sizes of the bodies.
    pub bodies: Bodies,
}

/// Measures the cost at the database port.
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

/// A column of a golden, by operation.
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

/// The table of all operations: the counts at the port, and the capacity that both clouds charge.
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
