//! What answering takes: one line of the log per invocation, and the meter behind it.

use std::{cell::Cell, future::Future, io::Write, time::Duration};

use serde_json::{Value, json};
use wm_core::value::Timestamp;
use wm_service::clock::now;

/// What was taken of the database.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Consumed {
    /// Calls.
    pub(crate) calls: u32,
    /// Request units, as Cosmos DB bills them.
    pub(crate) request_charge: f64,
}

tokio::task_local! {
    /// Of the invocation at hand. A process answers many at a time, and each stays within its task.
    static CONSUMED: Cell<Consumed>;
}

/// Notes one call to the database, with the charge its answer named.
pub(crate) fn count(charge: Option<f64>) {
    // What is done outside an invocation, such as opening a connection, is nobody's.
    let _ = CONSUMED.try_with(|consumed| {
        let before = consumed.get();
        consumed.set(Consumed {
            calls: before.calls + 1,
            request_charge: before.request_charge + charge.unwrap_or_default(),
        });
    });
}

/// Does this, and tells what it took.
pub(crate) async fn metered<T>(work: impl Future<Output = T>) -> (T, Consumed) {
    let counted = async {
        let done = work.await;
        (done, CONSUMED.with(Cell::get))
    };
    CONSUMED.scope(Cell::default(), counted).await
}

/// What is told of one invocation.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    /// The function.
    pub(crate) function: &'static str,
    /// The host's id of the invocation.
    pub(crate) invocation: &'a str,
    /// The operation of the contract, or `none`.
    pub(crate) operation: &'static str,
    /// The status it was answered with.
    pub(crate) status: u16,
    /// How long it took.
    pub(crate) duration: Duration,
    /// What it took of the database.
    pub(crate) consumed: Consumed,
}

impl Line<'_> {
    /// Writes the line.
    pub(crate) fn emit(&self) {
        // A log that cannot be written is no reason to fail a request.
        let _ = writeln!(std::io::stdout().lock(), "{}", self.json(now()));
    }

    fn json(&self, at: Timestamp) -> Value {
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
            "RequestCharge": (self.consumed.request_charge * 100.0).round() / 100.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_invocation_counts_its_own() {
        count(Some(9.0));
        let work = |charges: &'static [f64]| async move {
            for charge in charges {
                count(Some(*charge));
                tokio::task::yield_now().await;
            }
            count(None);
        };
        let (((), one), ((), other)) =
            tokio::join!(metered(work(&[1.0, 2.5])), metered(work(&[10.0])));
        assert_eq!((one.calls, one.request_charge), (3, 3.5));
        assert_eq!((other.calls, other.request_charge), (2, 10.0));
    }

    #[test]
    fn a_line_names_what_it_measures() {
        let line = Line {
            function: "api",
            invocation: "id",
            operation: "create_account",
            status: 503,
            duration: Duration::from_micros(1500),
            consumed: Consumed {
                calls: 2,
                request_charge: 0.1 + 0.2,
            },
        };
        let line = line.json(Timestamp::from_millis(5));
        assert_eq!(
            (&line["Duration"], &line["Faults"], &line["RequestCharge"]),
            (&json!(1.5), &json!(1), &json!(0.3))
        );
        assert_eq!(line["operation"], "create_account");
    }
}
