//! Programs that must not compile: signing or writing without a permit of the permission engine.
//!
//! After a change of a signature in core, update the expected messages with `TRYBUILD=overwrite`.

// This file must compile, so it is a module of this program. The others must not compile, so only
// trybuild builds them.
#[path = "witness/permitted.rs"]
mod permitted;

use std::{env, process::Command};

use wm_test_results::Recording;

/// Names the program that Cargo runs in place of rustc. Clippy's messages differ from rustc's.
const WRAPPER: &str = "RUSTC_WORKSPACE_WRAPPER";

#[test]
fn case_41_signing_and_writing_without_a_permit_do_not_compile() {
    if env::var_os(WRAPPER).is_some() {
        // trybuild passes its environment on, and only `unsafe` code could change it. So another
        // process runs the test.
        let again = Command::new(env::current_exe().unwrap())
            .env_remove(WRAPPER)
            .status();
        assert!(again.unwrap().success());
        return;
    }
    let _recording = Recording::start();
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/witness/forged_*.rs");
    cases.compile_fail("tests/witness/unpermitted_*.rs");
}
