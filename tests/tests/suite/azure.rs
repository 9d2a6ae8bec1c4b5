//! The conformance suite on the Azure surface.

use wm_test_results::Recording;
use wm_tests::{suite, surfaces::azure::AzureSurface};

macro_rules! scenarios {
    ($($module:ident::$name:ident,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let _recording = Recording::start();
            suite::$module::$name(&AzureSurface::start().await).await;
        }
    )*};
}

wm_tests::for_each_scenario!(scenarios);
