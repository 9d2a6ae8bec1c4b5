//! What calls to the database take.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use aws_sdk_dynamodb::types::ConsumedCapacity;

/// Counts calls and the capacity they took.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    calls: AtomicU64,
    /// In hundredths, for capacity comes in halves.
    read: AtomicU64,
    write: AtomicU64,
}

/// What was taken: calls, and capacity units as DynamoDB bills them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Consumed {
    /// Calls.
    pub calls: u64,
    /// Read units.
    pub read_units: f64,
    /// Write units, indexes included.
    pub write_units: f64,
}

impl Consumed {
    /// The calls as metrics hold them.
    pub(crate) fn calls_as_metric(self) -> f64 {
        u32::try_from(self.calls).map_or(f64::INFINITY, f64::from)
    }
}

impl Meter {
    pub(super) fn read(&self, capacity: Option<&ConsumedCapacity>) {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        add(
            &self.0.read,
            capacity.and_then(|capacity| capacity.capacity_units),
        );
    }

    pub(super) fn write(&self, capacity: &[ConsumedCapacity]) {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        for table in capacity {
            add(&self.0.write, table.capacity_units);
        }
    }

    /// Takes the counts and begins anew.
    #[must_use]
    pub fn take(&self) -> Consumed {
        let hundredths = |counter: &AtomicU64| {
            let count = u32::try_from(counter.swap(0, Ordering::Relaxed));
            f64::from(count.unwrap_or(u32::MAX)) / 100.0
        };
        Consumed {
            calls: self.0.calls.swap(0, Ordering::Relaxed),
            read_units: hundredths(&self.0.read),
            write_units: hundredths(&self.0.write),
        }
    }
}

fn add(counter: &AtomicU64, units: Option<f64>) {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "units of one call are few and never negative"
    )]
    let hundredths = (units.unwrap_or_default() * 100.0).round() as u64;
    counter.fetch_add(hundredths, Ordering::Relaxed);
}
