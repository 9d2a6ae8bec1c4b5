//! Consumption of database calls.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Counts calls and the capacity that they consumed.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    calls: AtomicU64,
    /// In hundredths, because databases bill fractions of units.
    read: AtomicU64,
    write: AtomicU64,
}

/// Calls, and units as the database bills them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Consumed {
    /// The number of calls.
    pub calls: u64,
    /// Consumed read units.
    pub read_units: f64,
    /// Consumed write units, including those of indexes.
    pub write_units: f64,
}

impl Consumed {
    /// The number of calls as a metric value.
    #[must_use]
    pub fn calls_as_metric(self) -> f64 {
        u32::try_from(self.calls).map_or(f64::INFINITY, f64::from)
    }
}

impl Meter {
    /// Counts a read call, and its units if the database reported them.
    pub fn read(&self, units: Option<f64>) {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        add(&self.0.read, units);
    }

    /// Counts a write call, and its units if the database reported them.
    pub fn write(&self, units: Option<f64>) {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        add(&self.0.write, units);
    }

    /// Returns the counts and resets them to zero.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn take_resets_the_counts() {
        let meter = Meter::default();
        meter.read(Some(0.5));
        meter.read(None);
        meter.clone().write(Some(10.67));
        let taken = meter.take();
        assert_eq!(taken.calls, 3);
        assert_eq!((taken.read_units, taken.write_units), (0.5, 10.67));
        assert_eq!(meter.take(), Consumed::default());
    }
}
