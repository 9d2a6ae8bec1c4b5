//! The conformance suite on the AWS surface.

use wm_test_results::Recording;
use wm_tests::{suite, surfaces::aws::AwsSurface};

macro_rules! scenarios {
    ($($module:ident::$name:ident,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let _recording = Recording::start();
            suite::$module::$name(&AwsSurface::start().await).await;
        }
    )*};
}

wm_tests::for_each_scenario!(scenarios);
