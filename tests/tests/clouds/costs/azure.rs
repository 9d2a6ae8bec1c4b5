//! The Cosmos DB emulator computes charges by its own formula. The golden file shows changes, not
//! the billed amounts.

use wm_tests::{costs::AZURE, surfaces::azure::AzureSurface};

use super::{Billed, Reported};

impl Billed for AzureSurface {
    const GOLDEN: &str = AZURE;
    const COLUMNS: &str = "request units";
    const UNITS: &str = "RequestCharge";

    fn units(operation: &str, reported: Reported, _: f64) -> String {
        let Reported { calls, units } = reported;
        // A read of a missing key costs nothing on the emulator. On the service it does.
        assert!(units > 0.0 || calls <= 1.0, "{operation}: {units}");
        format!("{units:.1}")
    }
}

scenarios!(AzureSurface);
