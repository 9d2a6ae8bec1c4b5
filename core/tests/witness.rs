//! What must not compile: anything dangerous without the engine's word for it.
//!
//! Where a signature in core changed, the committed messages follow with `TRYBUILD=overwrite`.

// This file has to compile, so it is a part of this program. The others have to fail, so trybuild checks them only.
#[path = "witness/asked_first.rs"]
mod asked_first;

use std::{env, process::Command};

use wm_test_results::Recording;

/// Names a program that compiles in place of rustc. That of Clippy prints other messages.
const WRAPPER: &str = "RUSTC_WORKSPACE_WRAPPER";

#[test]
fn case_41_signing_and_writing_without_a_permit_do_not_compile() {
    if env::var_os(WRAPPER).is_some() {
        // trybuild passes its environment on and only `unsafe` code could change it, so another process runs the test.
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
