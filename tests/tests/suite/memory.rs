//! The conformance suite on the surface in memory.

use wm_tests::{suite, surfaces::memory::MemorySurface};

macro_rules! scenarios {
    ($($module:ident::$name:ident,)*) => {$(
        #[tokio::test]
        async fn $name() {
            suite::$module::$name(&MemorySurface::new()).await;
        }
    )*};
}

wm_tests::for_each_scenario!(scenarios);
