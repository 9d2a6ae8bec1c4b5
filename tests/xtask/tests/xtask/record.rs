//! The records that `cargo xtask test` makes of real programs.

use std::fs;

use serde_json::Value;
use wm_test_results::DIRECTORY;

use crate::support::{Checkout, Ran, command, directory};

/// The lines that a program recorded.
fn recorded(checkout: &Checkout, program: &str) -> Vec<Value> {
    let lines = checkout.read(&format!("target/test-results/{program}.jsonl"));
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn runner_records_exit_codes_and_passes_them_on() {
    for (script, ends_with, code) in [
        ("exit 0", 0, Value::from(0)),
        ("exit 101", 101, Value::from(101)),
        ("kill -9 $$", 137, Value::Null),
    ] {
        let home = directory();
        let ran = command(home.path())
            .args(["record", "/bin/sh", "-c", script])
            .env(DIRECTORY, home.path().join("results"))
            .output()
            .unwrap();
        Ran::of(&ran).expect(ends_with);
        let line = fs::read_to_string(home.path().join("results/sh.jsonl")).unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["outcome"], "ended");
        assert_eq!(line["code"], code, "{script}");
    }
}

#[test]
fn runner_records_nothing_without_the_variable() {
    let home = directory();
    let ran = command(home.path())
        .args(["record", "/bin/sh", "-c", "echo --nocapture"])
        .output();
    let ran = Ran::of(&ran.unwrap()).expect(0);
    assert_eq!(ran.stdout, "--nocapture\n");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn every_program_of_a_real_run_is_recorded() {
    let checkout = Checkout::of(r#"{"sentences": []}"#);
    checkout.write(
        "Cargo.toml",
        "[package]\nname = \"sample\"\nedition = \"2024\"\n[workspace]\n",
    );
    checkout.write("src/lib.rs", "");
    checkout.write("tests/good.rs", "#[test] fn good() {}");
    checkout.write("tests/bad.rs", "#[test] fn bad() { panic!() }");
    for at_once in [&[][..], &["--at-once", "2"]] {
        let arguments = ["--offline", "--no-fail-fast"];
        let arguments = [&["test"], at_once, &arguments].concat();
        let ran = checkout.xtask(&arguments).expect(1);
        // The output of `cargo test` for people and other programs is unchanged.
        for closing in ["test result: ok. 1 passed", "test result: FAILED. 0 passed"] {
            assert!(ran.stdout.contains(closing), "{ran:#?}");
        }
        for (program, code) in [("good", 0), ("bad", 101)] {
            let lines = recorded(&checkout, program);
            assert_eq!(lines.len(), 1, "{lines:?}");
            assert_eq!(lines[0]["code"], code);
        }
    }
}
