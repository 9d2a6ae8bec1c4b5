//! The conformance suite on the Azure surface.

use wm_tests::{suite, surfaces::azure::AzureSurface};

macro_rules! scenarios {
    ($($module:ident::$name:ident,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            suite::$module::$name(&AzureSurface::start().await).await;
        }
    )*};
}

wm_tests::for_each_scenario!(scenarios);
