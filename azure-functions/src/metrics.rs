//! Metrics: one log line per invocation, and the meter behind it.

use std::{future::Future, io::Write, time::Duration};

use serde_json::{Value, json};
use wm_core::value::Timestamp;
use wm_service::{
    clock::now,
    meter::{Consumed, Meter},
};

tokio::task_local! {
    /// The meter of an invocation. A process answers many invocations at a time, each in a task of its own.
    static INVOCATION: Meter;
}

/// Counts a call that read. Calls outside an invocation, such as those that open a connection, are not counted.
pub(crate) fn read(units: Option<f64>) {
    let _ = INVOCATION.try_with(|meter| meter.read(units));
}

/// Counts a call that wrote.
pub(crate) fn write(units: Option<f64>) {
    let _ = INVOCATION.try_with(|meter| meter.write(units));
}

/// Does the work of an invocation, and returns what its calls to the database took.
pub async fn metered<T>(work: impl Future<Output = T>) -> (T, Consumed) {
    let meter = Meter::default();
    let done = INVOCATION.scope(meter.clone(), work).await;
    (done, meter.take())
}

/// The metrics of one invocation.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    pub(crate) function: &'static str,
    /// The host's id of the invocation.
    pub(crate) invocation: &'a str,
    /// The name of the operation, or `none`.
    pub(crate) operation: &'static str,
    /// The status of the answer.
    pub(crate) status: u16,
    pub(crate) duration: Duration,
    /// The consumption of the database.
    pub(crate) consumed: Consumed,
}

impl Line<'_> {
    pub(crate) fn emit(&self) {
        // A failed log write must not fail the request.
        let _ = writeln!(std::io::stdout().lock(), "{}", self.json(now()));
    }

    fn json(&self, at: Timestamp) -> Value {
        let charge = self.consumed.read_units + self.consumed.write_units;
        let charge = (charge * 100.0).round() / 100.0;
        json!({
            "timestamp": at,
            "level": "INFO",
            "target": "metrics",
            "Function": self.function,
            "requestId": self.invocation,
            "operation": self.operation,
            "status": self.status.to_string(),
            "Duration": self.duration.as_secs_f64() * 1000.0,
            "Faults": u8::from(self.status >= 500),
            "DatabaseCalls": self.consumed.calls,
            "RequestCharge": charge,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_invocation_counts_its_own() {
        read(Some(9.0));
        let work = async |charges: &'static [f64]| {
            for charge in charges {
                read(Some(*charge));
                tokio::task::yield_now().await;
            }
            write(None);
        };
        let (((), one), ((), other)) =
            tokio::join!(metered(work(&[1.0, 2.5])), metered(work(&[10.0])));
        assert_eq!((one.calls, one.read_units), (3, 3.5));
        assert_eq!((other.calls, other.read_units), (2, 10.0));
    }

    #[test]
    fn metrics_line_names_its_metrics() {
        let line = Line {
            function: "api",
            invocation: "id",
            operation: "an_operation",
            status: 503,
            duration: Duration::from_micros(1500),
            consumed: Consumed {
                calls: 2,
                read_units: 0.1,
                write_units: 0.2,
            },
        };
        let line = line.json(Timestamp::from_millis(5));
        assert_eq!(
            (&line["Duration"], &line["Faults"], &line["RequestCharge"]),
            (&json!(1.5), &json!(1), &json!(0.3))
        );
        assert_eq!(line["operation"], "an_operation");
    }
}
