//! ministack counts written capacity as DynamoDB does, indexes included. It does not count read capacity so: reads are
//! computed from what the reference store returns for the same requests.

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
