//! What must not compile: anything dangerous without the engine's word for it.
//!
//! Where a signature in core changed, the committed messages follow with `TRYBUILD=overwrite`.

use wm_test_results::Recording;

#[test]
fn case_41_signing_and_writing_without_a_permit_do_not_compile() {
    let _recording = Recording::start();
    let cases = trybuild::TestCases::new();
    cases.pass("tests/witness/asked_first.rs");
    cases.compile_fail("tests/witness/forged_*.rs");
    cases.compile_fail("tests/witness/unasked_*.rs");
}
