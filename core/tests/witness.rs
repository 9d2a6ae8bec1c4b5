//! What must not compile: anything dangerous without the engine's word for it.
//!
//! Where a signature in core changed, the committed messages follow with `TRYBUILD=overwrite`.

// The way that compiles, along with this program: what is only to fail need not be built.
#[path = "witness/asked_first.rs"]
mod asked_first;

use std::{env, process::Command};

use wm_test_results::Recording;

/// Names a compiler to use in the place of rustc, such as that of Clippy, whose messages are others.
const WRAPPER: &str = "RUSTC_WORKSPACE_WRAPPER";

#[test]
fn case_41_signing_and_writing_without_a_permit_do_not_compile() {
    if env::var_os(WRAPPER).is_some() {
        // The environment of this process cannot be changed: another one runs the test.
        let again = Command::new(env::current_exe().unwrap())
            .env_remove(WRAPPER)
            .status();
        assert!(again.unwrap().success());
        return;
    }
    let _recording = Recording::start();
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/witness/forged_*.rs");
    cases.compile_fail("tests/witness/unasked_*.rs");
}
