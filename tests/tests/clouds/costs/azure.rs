//! The emulator for Cosmos DB computes charges by a formula of its own. The golden file shows what changes, not what is
//! billed.

use wm_tests::{costs::AZURE, surfaces::azure::AzureSurface};

use super::{Billed, Reported};

impl Billed for AzureSurface {
    const GOLDEN: &str = AZURE;
    const COLUMNS: &str = "request units";
    const UNITS: &str = "RequestCharge";

    fn units(operation: &str, reported: Reported, _: f64) -> String {
        let Reported { calls, units } = reported;
        // A read of a key that does not exist costs nothing at the emulator; at the service it does.
        assert!(units > 0.0 || calls <= 1.0, "{operation}: {units}");
        format!("{units:.1}")
    }
}

scenarios!(AzureSurface);
