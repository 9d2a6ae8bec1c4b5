//! The cost of an operation is the same on every surface and is listed in the documents.
//!
//! Memory and the local database are counted here, at the port. The module `clouds::costs` counts
//! the clouds from the functions' own metrics and writes the goldens that are compared here.

use std::collections::BTreeMap;

use wm_core::{operation::Budget, operations};
use wm_tests::{
    cost_probe::{Costs, measure_all, most},
    costs::{AWS, AZURE, Cost, Port, column, table},
    golden,
    surfaces::{memory::MemorySurface, recording_local::RecordingLocal},
};

const PAGE: &str = "docs/performance.md";

async fn in_memory() -> Costs<Cost> {
    let surface = MemorySurface::new();
    measure_all(&surface, &Port(&surface.service.provider().records)).await
}

async fn in_sqlite() -> Costs<Cost> {
    let surface = RecordingLocal::new();
    measure_all(&surface, &Port(surface.records())).await
}

/// The calls of every operation on a surface, in the order of the route table.
fn calls(counted: &Costs<Cost>) -> BTreeMap<String, String> {
    let operations = operations::routes().map(|route| route.operation);
    let calls = |operation| most(counted, operation, |cost| cost.counts.calls).to_string();
    operations
        .map(|operation| (operation.to_owned(), calls(operation)))
        .collect()
}

/// The first operation whose calls differ between two surfaces, with all its calls.
fn first_difference(surfaces: &[(&str, BTreeMap<String, String>)]) -> Option<String> {
    operations::routes().find_map(|route| {
        let operation = route.operation;
        let calls: Vec<_> = surfaces
            .iter()
            .map(|(surface, calls)| (*surface, calls.get(operation).map(String::as_str)))
            .collect();
        let (_, first) = calls[0];
        let equal = first.is_some() && calls.iter().all(|(_, other)| *other == first);
        (!equal).then(|| format!("`{operation}` takes {calls:?}"))
    })
}

#[tokio::test]
async fn operations_make_equal_calls_and_keep_their_budgets() {
    let (memory, local) = (in_memory().await, in_sqlite().await);
    let surfaces = [
        ("memory", calls(&memory)),
        ("local", calls(&local)),
        ("aws", column(AWS, 1)),
        ("azure", column(AZURE, 1)),
    ];
    assert_eq!(first_difference(&surfaces), None);
    for (surface, counted) in [("memory", &memory), ("local", &local)] {
        for route in operations::routes() {
            let operation = route.operation;
            let cost = |what: fn(&Cost) -> usize| most(counted, operation, what);
            let rounds = cost(|cost| cost.counts.rounds);
            let taken = Budget::of(rounds, cost(|cost| cost.counts.commits));
            assert_eq!(taken, route.budget, "{surface}: `{operation}`");
        }
    }
}

#[test]
fn first_differing_operation_is_named_with_its_calls() {
    let (same, mut other) = (column(AWS, 1), column(AWS, 1));
    assert_eq!(
        first_difference(&[("a", same.clone()), ("b", other.clone())]),
        None
    );
    let [first, second] =
        [10, 20].map(|number| operations::routes().nth(number).unwrap().operation);
    other.insert(first.into(), "9".into());
    other.remove(second);
    let calls = same[first].clone();
    let difference = first_difference(&[("a", same.clone()), ("b", other.clone())]).unwrap();
    let both = [("a", Some(calls.as_str())), ("b", Some("9"))];
    assert_eq!(difference, format!("`{first}` takes {both:?}"));
    other.insert(first.into(), calls);
    let difference = first_difference(&[("a", same), ("b", other)]).unwrap();
    assert!(
        difference.starts_with(&format!("`{second}` takes")),
        "{difference}"
    );
}

#[tokio::test]
async fn documents_list_the_cost_of_every_operation() {
    golden::check_part(PAGE, "costs", &table(&in_memory().await));
}
