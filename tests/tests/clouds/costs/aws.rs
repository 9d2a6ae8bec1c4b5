//! ministack counts write capacity like DynamoDB, indexes included, but not read capacity. The read
//! units are computed from the results of the reference store for the same requests.

use wm_tests::{costs::AWS, surfaces::aws::AwsSurface};

use super::{Billed, Reported};

impl Billed for AwsSurface {
    const GOLDEN: &str = AWS;
    const COLUMNS: &str = "read units, write units";
    const UNITS: &str = "WriteUnits";

    fn units(_: &str, reported: Reported, read_units: f64) -> String {
        format!("{read_units}, {}", reported.units)
    }
}

scenarios!(AwsSurface);
