//! Tests of `cargo xtask parity`.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::{Value, json};

use crate::support::{Checkout, assert_names, command, directory, xtask};

const SMALL: &str = r#"{"sentences": [
    {"id": "one", "sentence": "One holds.", "tests": [
        {"test": "suite::journey::the_journey"},
        {"test": "own::case_2_more", "surfaces": ["aws"]},
        {"test": "all::of_it", "shared": true}]}]}"#;

/// Records a result for every program of the contract. `azure` gives those on Azure: `passed TEST`,
/// `failed TEST`, `skipped SURFACE TEST: REASON`.
fn record(checkout: &Checkout, azure: &str) {
    let azure = azure.replace("ed the_journey", "ed azure::the_journey");
    let others = "passed local::the_journey\npassed aws::the_journey";
    record_as(checkout, "suite", &format!("{others}\n{azure}"));
    record_as(
        checkout,
        "own",
        "skipped aws case_2: it cannot\npassed case_2_more",
    );
    record_as(checkout, "all", "passed of_it");
}

fn record_as(checkout: &Checkout, program: &str, recorded: &str) {
    let line = |outcome: &str, rest: Value| {
        let mut line = json!({ "program": program, "outcome": outcome });
        line.as_object_mut()
            .unwrap()
            .extend(rest.as_object().unwrap().clone());
        format!("{line}\n")
    };
    let mut lines = String::new();
    for recorded in recorded.lines() {
        let (outcome, rest) = recorded.split_once(' ').unwrap();
        if let Some((what, reason)) = rest.split_once(": ") {
            let (surface, test) = what.split_once(' ').unwrap();
            let skip = json!({ "surface": surface, "test": test, "reason": reason });
            lines += &line(outcome, skip);
        } else {
            lines += &line("started", json!({ "test": rest }));
            lines += &line(outcome, json!({ "test": rest }));
        }
    }
    let code = if recorded.contains("failed ") { 101 } else { 0 };
    lines += &line("ended", json!({ "code": code }));
    checkout.write(&format!("run/{program}.jsonl"), &lines);
}

#[test]
fn recorded_run_becomes_the_certificate_and_is_verified() {
    let checkout = Checkout::of(SMALL);
    record(&checkout, "passed the_journey");
    let from = ["parity", "--from", "run"];
    let verify = ["parity", "--from", "run", "--verify"];
    let refused = checkout.xtask(&verify);
    refused.expect_error(
        1,
        &[
            "`docs/parity.md`",
            "line 1",
            "`cargo xtask parity --from run`",
        ],
    );

    let ran = checkout.xtask(&from).expect(0);
    assert_names(&ran.stdout, &["one", "azure: passed", "`docs/parity.json`"]);
    let page = checkout.read("docs/parity.md");
    assert_names(
        &page,
        &[
            "| sentence | local | aws | azure | shared |\n|---|---|---|---|---|\n",
            "| [one](#one) | passed | passed | passed | passed |",
            "\n## one\n\nOne holds.\n",
            "| `suite::journey::the_journey` | passed | passed | passed |  |",
            "| `own::case_2_more` |  | not shown |  |  |",
            "| `all::of_it` |  |  |  | passed |",
            "\n* aws: case_2: it cannot\n",
        ],
    );
    let data: Value = serde_json::from_str(&checkout.read("docs/parity.json")).unwrap();
    assert_eq!(
        data["sentences"][0]["tests"][1]["outcomes"]["aws"],
        "not shown"
    );
    assert_eq!(data["not_shown"][0]["reason"], "it cannot");
    checkout.xtask(&verify).expect(0);
    // The order differs between runs.
    let lines = checkout.read("run/own.jsonl");
    let reversed: Vec<_> = lines.lines().rev().collect();
    checkout.write("run/own.jsonl", &reversed.join("\n"));
    checkout.xtask(&verify).expect(0);

    checkout.replace("docs/parity.md", "* aws: case_2", "* aws: case_3");
    let words = ["`docs/parity.md` differs in line ", "case_3", "case_2"];
    checkout.xtask(&verify).expect_error(1, &words);
    checkout.xtask(&from).expect(0);
    checkout.replace("docs/parity.json", "One holds.", "Two hold.");
    let words = ["`docs/parity.json` differs in line ", "Two hold."];
    checkout.xtask(&verify).expect_error(1, &words);
}

#[test]
fn sentence_that_is_not_shown_on_a_surface_fails() {
    for (said, word) in [
        ("failed the_journey", "failed"),
        ("passed another", "did not run"),
        (
            "skipped azure the_journey: it cannot\npassed the_journey",
            "not shown",
        ),
    ] {
        let checkout = Checkout::of(SMALL);
        record(&checkout, said);
        // A certificate that does not hold must not replace the committed one.
        checkout.write("docs/parity.md", "committed");
        let ran = checkout.xtask(&["parity", "--from", "run"]);
        let expected = format!("`one` on azure ({word})");
        ran.expect_error(1, &[&expected, "`docs/parity.md`", "--even-so"]);
        assert_eq!(checkout.read("docs/parity.md"), "committed");
        let ran = checkout.xtask(&["parity", "--from", "run", "--even-so"]);
        ran.expect_error(1, &[&expected]);
        let row = format!("| [one](#one) | passed | passed | {word} | passed |");
        assert_names(&checkout.read("docs/parity.md"), &[&row]);
        let ran = checkout.xtask(&["parity", "--from", "run", "--verify"]);
        ran.expect_error(1, &[&expected]);
    }
}

#[test]
fn program_that_ends_unexpectedly_shows_nothing() {
    let checkout = Checkout::of(SMALL);
    record(&checkout, "passed the_journey");
    let complete = checkout.read("run/all.jsonl");
    let (cut, _) = complete.rsplit_once("{").unwrap();
    for (text, why) in [
        (
            cut.to_owned(),
            "no test of `all` counts as passed: it did not end",
        ),
        (
            complete.replace("\"code\":0", "\"code\":101"),
            "no test of `all` counts as passed: a test that records no result failed",
        ),
        (
            complete.replace("\"passed\"", "\"started\""),
            "no test of `all` counts as passed: 1 tests started and did not end",
        ),
    ] {
        checkout.write("run/all.jsonl", &text);
        let ran = checkout.xtask(&["parity", "--from", "run", "--even-so"]);
        ran.expect_error(1, &[why, "`one` on azure (did not run)"]);
        let page = checkout.read("docs/parity.md");
        let (_, doubt) = why.split_once("passed: ").unwrap();
        let doubt = format!("\n* `all`: {doubt}\n");
        assert_names(&page, &["\n## What is in doubt\n", &doubt]);
    }
}

#[test]
fn named_tests_are_run_with_their_output() {
    let checkout = Checkout::of(SMALL);
    for program in ["suite", "own", "all"] {
        checkout.write(&format!("tests/tests/{program}.rs"), "");
    }
    record(&checkout, "passed the_journey");
    // Results of an earlier run are ignored.
    checkout.write("target/test-results/own.jsonl", "{}");
    let cargo = checkout.0.path().join("cargo");
    let script = "#!/bin/sh\nshift 3\necho \"$@\" > asked\necho test the_journey\ncp run/* \"$WM_TEST_RESULTS\"\n";
    fs::write(&cargo, script).unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let ran = command(checkout.0.path())
        .arg("parity")
        .env("CARGO", &cargo)
        .output()
        .unwrap();
    let shown = String::from_utf8(ran.stderr).unwrap();
    assert!(ran.status.success(), "{shown}");
    let asked = "--no-fail-fast -p wm-tests --test all --test own --test suite\n";
    assert_eq!(checkout.read("asked"), asked);
    assert_names(&shown, &["cargo test --no-fail-fast", "test the_journey"]);
    assert_names(
        &checkout.read("docs/parity.md"),
        &["| [one](#one) | passed "],
    );

    fs::remove_file(checkout.0.path().join("tests/tests/own.rs")).unwrap();
    let words = ["`own`", "`tests/contract.json`"];
    checkout.xtask(&["parity"]).expect_error(1, &words);
}

#[test]
fn missing_checkout_or_invalid_contract_is_reported() {
    let home = directory();
    let words = ["`tests/contract.json`", "inside the repository"];
    xtask(home.path(), &["check"]).expect_error(2, &words);
    let checkout = Checkout::of(r#"{"sentences": [{"id": "one"}]}"#);
    let words = ["`tests/contract.json`", "missing field `sentence`"];
    checkout.xtask(&["parity"]).expect_error(1, &words);
    let checkout = Checkout::of(SMALL);
    let ran = checkout.xtask(&["parity", "--from", "none"]);
    ran.expect_error(
        1,
        &["`none`", "cargo xtask test --workspace --no-fail-fast"],
    );
    checkout.write("empty/tests.log", "error: could not compile\n");
    let ran = checkout.xtask(&["parity", "--from", "empty"]);
    let words = [
        "`empty`",
        "no test",
        "cargo xtask test --workspace --no-fail-fast",
    ];
    ran.expect_error(1, &words);
    assert!(!checkout.0.path().join("docs/parity.md").exists());
    checkout.xtask(&["check", "--verify"]).expect(2);
    let both = ["parity", "--verify", "--even-so"];
    checkout.xtask(&both).expect(2);
}
