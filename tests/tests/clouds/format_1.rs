//! The surfaces on both clouds go on with the items and objects of a release that wrote data
//! format 1.

/// Generates a test per cloud from each scenario.
macro_rules! scenarios {
    ($cloud:ty) => {
        $crate::harness::scenarios! { $cloud:
            case_134_data_of_format_1_is_served_and_changed,
        }
    };
}

mod aws;
mod azure;

use wm_tests::format_1::Stored;

use crate::harness::Cloud;

/// A cloud for which an older release stored data.
trait Upgraded: Cloud {
    /// The name of the stored data.
    const DATA: &str;

    /// The surface that stored this data, after all its changes were published.
    async fn with_data(stored: &Stored) -> Self;
}

async fn case_134_data_of_format_1_is_served_and_changed<C: Upgraded>() {
    let stored = Stored::read(C::DATA);
    let surface = C::with_data(&stored).await;
    stored.assert_served(&surface).await;
    stored.assert_goes_on(&surface).await;
}
