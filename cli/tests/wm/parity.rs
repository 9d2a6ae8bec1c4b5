//! `wm parity`

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::support::{Ran, command, directory, wm};

/// What the checks look at, of all that is in a checkout.
const LOOKED_AT: [&str; 7] = [
    "core/openapi.json",
    "core/src/catalog.rs",
    "core/src/storage/object_path.rs",
    "docs",
    "infra/aws/template.yaml",
    "infra/azure/main.json",
    "tests/goldens",
];
const CONTRACT: &str = "tests/contract.json";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let name = entry.unwrap().file_name();
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    }
}

/// A copy of what the checks look at, to break.
struct Checkout(TempDir);

impl Checkout {
    fn new() -> Self {
        let checkout = Self(directory());
        for path in LOOKED_AT.iter().chain(&[CONTRACT]) {
            copy(&root().join(path), &checkout.0.path().join(path));
        }
        checkout
    }

    /// A checkout that is nothing but this contract.
    fn of(contract: &str) -> Self {
        let checkout = Self(directory());
        checkout.write(CONTRACT, contract);
        fs::create_dir(checkout.0.path().join("docs")).unwrap();
        checkout
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.path().join(path)).unwrap()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Replaces a text that is there.
    fn replace(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "`{path}` has no `{from}`");
        self.write(path, &text.replace(from, to));
    }

    fn wm(&self, arguments: &[&str]) -> Ran {
        wm(self.0.path(), arguments)
    }

    /// The only violation, found by this check.
    #[track_caller]
    fn broken(&self, check: &str) -> String {
        let found = self.all_broken(check);
        let [only] = &found[..] else {
            panic!("not one violation: {found:#?}")
        };
        only.clone()
    }

    /// The violations, all found by this check.
    #[track_caller]
    fn all_broken(&self, check: &str) -> Vec<String> {
        let ran = self.wm(&["parity", "--check"]).expect(1);
        let lines = ran.stdout.lines();
        let broken: Vec<_> = lines.filter(|line| line.starts_with("broken")).collect();
        assert_eq!(broken.len(), 1, "{ran:#?}");
        assert!(broken[0].contains(&format!(" {check} ")), "{ran:#?}");
        let violations = ran.stderr.lines();
        violations
            .map(|line| line.strip_prefix("error: ").unwrap().to_owned())
            .collect()
    }
}

#[track_caller]
fn assert_names(violation: &str, words: &[&str]) {
    for word in words {
        assert!(violation.contains(word), "no `{word}` in: {violation}");
    }
}

#[test]
fn the_checkout_passes_every_check() {
    let ran = wm(&root(), &["parity", "--check"]).expect(0);
    let checks: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(checks.len(), 6, "{ran:#?}");
    assert!(
        checks.iter().all(|line| line.starts_with("holds ")),
        "{ran:#?}"
    );
    assert_eq!(ran.stderr, "");
    let copied = Checkout::new();
    let ran = copied.wm(&["parity", "--check"]).expect(0);
    for looked_at in [
        "(20 examples of families, ",
        " sections)\n",
        "(3 providers, ",
        "(10 concerns, ",
        " in the goldens)\n",
        " files, 3 selections, no built site)\n",
    ] {
        assert_names(&ran.stdout, &[looked_at]);
    }
    // From a folder below as well.
    wm(&copied.0.path().join("docs"), &["parity", "--check"]).expect(0);
}

#[test]
fn a_field_that_nobody_explains_is_found() {
    let checkout = Checkout::new();
    checkout.replace("docs/data-identity-model.md", "`claimed_until`", "it");
    assert_names(
        &checkout.broken("fields"),
        &[
            "`docs/data-identity-model.md`",
            "`claimed_until`",
            "`tests/goldens/items/delivery.json`",
        ],
    );
}

#[test]
fn a_family_that_nobody_explains_is_found() {
    let checkout = Checkout::new();
    checkout.write("tests/goldens/items/parcel.json", r#"[{"weight": 1}]"#);
    let found = checkout.all_broken("fields");
    assert_eq!(found.len(), 2, "{found:?}");
    assert_names(&found.concat(), &["`parcel`", "`weight`"]);
}

#[test]
fn a_field_that_only_another_family_explains_is_found() {
    const MODEL: &str = "docs/data-identity-model.md";
    for (from, to, words) in [
        (
            "| `salt` | as in `user` |",
            "| it | |",
            ["`salt` under `invitation`", "invitation.json"],
        ),
        (
            "| `upload_id` |",
            "| it |",
            ["`upload_id` under `derived`", "derived.json"],
        ),
        (
            "| `sort` |",
            "| it |",
            ["`sort` under `Items`", "account.json"],
        ),
        (
            "| `checksum` |",
            "| it |",
            ["`checksum` under `The envelope`", "account.json"],
        ),
        (
            "### `metadata`\n",
            "### Statements\n",
            ["no section for `metadata`", "metadata.json"],
        ),
    ] {
        let checkout = Checkout::new();
        checkout.replace(MODEL, from, to);
        let found = checkout.all_broken("fields").join("\n");
        assert_names(&found, &words);
        assert_names(&found, &[MODEL]);
    }
}

#[test]
fn pages_that_do_not_tell_the_same_are_found() {
    for (path, from, to, words) in [
        (
            "docs/azure.md",
            "\n## Storage\n",
            "\n## Files\n",
            ["`docs/azure.md`", "no section `Storage`"],
        ),
        (
            "docs/aws.md",
            "\n## Roles\n",
            "\n## Rights\n",
            ["`docs/azure.md` has `Roles`", "`docs/aws.md` has `Rights`"],
        ),
        (
            "docs/aws.md",
            "\n## Limits\n",
            "\n",
            ["`docs/azure.md` has `Limits`", "same order"],
        ),
    ] {
        let checkout = Checkout::new();
        checkout.replace(path, from, to);
        assert_names(&checkout.broken("pages"), &words);
    }
    let checkout = Checkout::new();
    checkout.replace("docs/aws.md", "\n## Identity\n", "\n## Other\n");
    checkout.replace("docs/aws.md", "\n## Storage\n", "\n## Identity\n");
    checkout.replace("docs/aws.md", "\n## Other\n", "\n## Storage\n");
    assert_names(
        &checkout.broken("pages"),
        &["`docs/aws.md` has `Storage` too early", "Identity, Storage"],
    );
}

#[test]
fn a_provider_without_a_label_or_a_default_is_found() {
    const CATALOG: &str = "core/src/catalog.rs";
    for (from, to, words) in [
        (
            "label: \"Microsoft Azure\"",
            "label: \"\"",
            ["no label", "`azure`"],
        ),
        (
            "service(Concern::Mail, \"SES\"),",
            "",
            ["service for `Mail`", "`aws`"],
        ),
        (
            "service(Concern::Secrets, \"Key Vault + App Configuration\")",
            "service(Concern::Secrets, \"\")",
            ["service for `Secrets`", "`azure`"],
        ),
        (
            "fixed(\"identity.service\", \"Cognito\"),",
            "",
            ["field below `identity`", "`aws`"],
        ),
        (
            "\"database.database\",\n            \"workspace\"",
            "\"database.database\",\n            \"\"",
            ["default of `database.database`", "`azure`"],
        ),
    ] {
        let checkout = Checkout::new();
        checkout.replace(CATALOG, from, to);
        let found = checkout.broken("catalog");
        assert_names(&found, &words);
        assert_names(&found, &[CATALOG]);
    }
    let checkout = Checkout::new();
    let shared = "\"database.itemContainer\",\n    \"workspace_items\"";
    checkout.replace(CATALOG, shared, "\"database.itemContainer\",\n    \"\"");
    assert_eq!(checkout.all_broken("catalog").len(), 3);
    let checkout = Checkout::new();
    checkout.replace(
        CATALOG,
        "    /// Secrets and",
        "    Search,\n    /// Secrets and",
    );
    let found = checkout.all_broken("catalog");
    assert_eq!(found.len(), 3, "{found:?}");
    assert_names(&found.concat(), &["service for `Search`"]);
}

#[test]
fn a_concern_that_one_template_lacks_is_found() {
    let (aws, azure) = ("infra/aws/template.yaml", "infra/azure/main.json");
    for (path, from, to, words) in [
        (
            aws,
            "    Type: AWS::SecretsManager::Secret\n",
            "    Type: AWS::KMS::Key\n",
            ["AWS::SecretsManager::Secret", "`secrets and names`"],
        ),
        (
            azure,
            "\"Microsoft.Insights/metricAlerts\"",
            "\"Microsoft.Insights/webtests\"",
            ["Microsoft.Insights/metricAlerts", "`alarms`"],
        ),
    ] {
        let checkout = Checkout::new();
        checkout.replace(path, from, to);
        let found = checkout.broken("templates");
        assert_names(&found, &words);
        assert_names(&found, &[path]);
    }
    let checkout = Checkout::new();
    checkout.replace(aws, "-- persistence\n", "-- search\n");
    let found = checkout.all_broken("templates");
    assert_eq!(found.len(), 2, "{found:?}");
    assert_names(&found[0], &["AWS::DynamoDB::Table", "`persistence`"]);
    assert_names(&found[1], &["`search`", "both clouds"]);
}

#[test]
fn a_path_of_another_shape_is_found() {
    let checkout = Checkout::new();
    let raw = "artifacts/{artifact}/raw/{version}/{file}";
    checkout.replace("docs/data-identity-model.md", raw, "files/{file}");
    let found = checkout.all_broken("paths");
    assert_eq!(found.len(), 2, "{found:?}");
    let page = "`docs/data-identity-model.md`";
    assert_names(&found[0], &[page, "does not say", raw]);
    assert_names(&found[1], &[page, "/files/{file}"]);

    let checkout = Checkout::new();
    let source = "core/src/storage/object_path.rs";
    checkout.replace(source, "…/derived/{derived}/{file}", "elsewhere");
    assert_names(&checkout.broken("paths"), &[source, "derived/{derived}"]);

    let ulid = "01arz3ndektsv4rrffq69g5fav";
    let below = format!("accounts/acc_{ulid}/projects/prj_{ulid}{ulid}/artifacts/art_{ulid}");
    let checkout = Checkout::new();
    let golden = "tests/goldens/sample.txt";
    let good = format!("https://x.example/{below}/raw/1/plan.txt?a=b /v1/accounts/acc_{ulid}\n");
    checkout.write(golden, &good);
    checkout.wm(&["parity", "--check"]).expect(0);
    checkout.write(golden, &good.replace("/raw/1/", "/raw/01/"));
    assert_names(&checkout.broken("paths"), &[golden, "/raw/01/plan.txt`"]);
}

#[test]
fn a_secret_is_found_and_not_repeated() {
    let key = format!("AK{}IOSFODNN7EXAMPLE", "IA");
    let page = "<p>";
    for (path, text, what) in [
        ("docs/notes.md", format!("One\nTwo {key}\n"), "line 2"),
        ("tests/tests/some.rs", format!("\"{key}\""), "an access key"),
        (
            "tests/tests/some.rs",
            format!("pass{} = \"correcthorsebatterystaple\"", "word"),
            "a password",
        ),
        (
            "tests/tests/some.rs",
            format!("one\npass{}:\n  \"correcthorsebatterystaple\"", "word"),
            "a password in line 2",
        ),
        ("docs/id_rsa", page.into(), "`docs/id_rsa` is a file"),
        ("infra/state.tfstate", page.into(), "`infra/state.tfstate`"),
        ("web/dist/keys/server.pem", page.into(), "keys/server.pem"),
        ("web/build/.env", page.into(), ".env"),
    ] {
        let checkout = Checkout::new();
        for folder in ["web/dist", "web/build"] {
            checkout.write(&format!("{folder}/index.html"), page);
        }
        checkout.wm(&["parity", "--check"]).expect(0);
        checkout.write(path, &text);
        let found = checkout.broken("secrets");
        assert_names(&found, &[what]);
        assert!(!found.contains(&key), "{found}");
    }
}

#[test]
fn what_is_no_text_is_looked_at_too() {
    let checkout = Checkout::new();
    let path = checkout.0.path().join("docs/picture.bin");
    fs::write(&path, [0xff, 0xfe, 0x00, b'\n']).unwrap();
    checkout.wm(&["parity", "--check"]).expect(0);
    let key = format!("\nAK{}IOSFODNN7EXAMPLE\n", "IA");
    fs::write(&path, [&[0xff, 0xfe][..], key.as_bytes(), &[0xff]].concat()).unwrap();
    let found = checkout.broken("secrets");
    assert_names(&found, &["`docs/picture.bin`", "an access key in line 2"]);
}

#[test]
fn certificates_are_for_everybody() {
    let checkout = Checkout::new();
    let certificate = |kind: &str| format!("-----BEGIN {kind}-----\nMII\n-----END {kind}-----\n");
    checkout.write("docs/roots.pem", &certificate("CERTIFICATE"));
    checkout.wm(&["parity", "--check"]).expect(0);
    let key = certificate(&format!("{} KEY", "PRIVATE"));
    checkout.write("docs/roots.pem", &(certificate("CERTIFICATE") + &key));
    let found = checkout.all_broken("secrets");
    assert_names(&found[0], &["`docs/roots.pem` is a file"]);
    assert_names(&found[1], &["a private key", "line 4"]);
}

#[test]
fn what_is_built_is_looked_at_as_a_site() {
    let checkout = Checkout::new();
    // In the code of others this is a label.
    let label = format!("pass{}:\"correcthorsebatterystaple\"", "word");
    checkout.write("web/dist/index.html", "<p>");
    checkout.write("web/dist/app.js", &label);
    let ran = checkout.wm(&["parity", "--check"]).expect(0);
    assert_names(&ran.stdout, &[" selections, web/dist)\n"]);
    checkout.write("web/distant/app.js", &label);
    assert_names(&checkout.broken("secrets"), &["web/distant/app.js"]);
}

#[test]
fn a_selection_with_anything_but_names_is_found() {
    let checkout = Checkout::new();
    checkout.wm(&["init", "--provider", "azure"]).expect(0);
    let ran = checkout.wm(&["parity", "--check"]).expect(0);
    assert_names(&ran.stdout, &[" 4 selections,"]);
    let file = "web/src/config/backend.js";
    let random = ["wJalrXUtnF9EMI", "K7MDENGbPxRfiCY9zz3Kq7Yw"].concat();
    checkout.replace(file, "workspacemanagedevdocs", &random);
    let found = checkout.broken("secrets");
    assert_names(&found, &[file, "`storage.account`"]);
    assert!(!found.contains(&random), "{found}");
}

const SMALL: &str = r#"{"sentences": [
    {"id": "one", "sentence": "One holds.", "tests": [
        {"test": "suite::journey::the_journey"},
        {"test": "own::case_2_more", "surfaces": ["aws"]},
        {"test": "all::of_it", "shared": true}]}]}"#;

fn log(azure: &str) -> String {
    let ran = |program: &str, said: &str| {
        let count = |word: &str| said.matches(word).count();
        let (passed, failed) = (count("... ok"), count("... FAILED"));
        format!(
            "     Running tests/{program}.rs (target/debug/deps/{program}-0123abcd)\n{said}\n\
             test result: ok. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out\n"
        )
    };
    let passed = "test the_journey ... ok";
    let skipped = "skip 4 on aws: case_2: it cannot\ntest case_2_more ... ok";
    [
        ran("local", passed),
        ran("aws", passed),
        ran("azure", azure),
        ran("own", skipped),
        ran("all", "test of_it ... ok"),
    ]
    .concat()
}

#[test]
fn a_saved_run_becomes_the_certificate_and_is_verified() {
    let checkout = Checkout::of(SMALL);
    checkout.write("run.log", &log("test the_journey ... ok"));
    let from = ["parity", "--from", "run.log"];
    let verify = ["parity", "--from", "run.log", "--verify"];
    let refused = checkout.wm(&verify);
    refused.expect_error(
        1,
        &["`docs/parity.md`", "line 1", "`wm parity --from run.log`"],
    );

    let ran = checkout.wm(&from).expect(0);
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
    let data: serde_json::Value = serde_json::from_str(&checkout.read("docs/parity.json")).unwrap();
    assert_eq!(
        data["sentences"][0]["tests"][1]["outcomes"]["aws"],
        "not shown"
    );
    assert_eq!(data["not_shown"][0]["reason"], "it cannot");
    checkout.wm(&verify).expect(0);
    // The number of a skip changes from run to run, and so does the order.
    checkout.replace("run.log", "skip 4 on", "skip 9 on");
    checkout.wm(&verify).expect(0);

    checkout.replace("docs/parity.md", "* aws: case_2", "* aws: case_3");
    let words = ["`docs/parity.md` differs in line ", "case_3", "case_2"];
    checkout.wm(&verify).expect_error(1, &words);
    checkout.wm(&from).expect(0);
    checkout.replace("docs/parity.json", "One holds.", "Two hold.");
    let words = ["`docs/parity.json` differs in line ", "Two hold."];
    checkout.wm(&verify).expect_error(1, &words);
}

#[test]
fn a_sentence_that_is_not_shown_somewhere_fails() {
    for (said, word) in [
        ("test the_journey ... FAILED", "failed"),
        ("test another ... ok", "did not run"),
        (
            "skip 1 on azure: the_journey: it cannot\ntest the_journey ... ok",
            "not shown",
        ),
    ] {
        let checkout = Checkout::of(SMALL);
        checkout.write("run.log", &log(said));
        // What is committed is not replaced by what does not hold.
        checkout.write("docs/parity.md", "committed");
        let ran = checkout.wm(&["parity", "--from", "run.log"]);
        let expected = format!("`one` on azure ({word})");
        ran.expect_error(1, &[&expected, "`docs/parity.md`", "--even-so"]);
        assert_eq!(checkout.read("docs/parity.md"), "committed");
        let ran = checkout.wm(&["parity", "--from", "run.log", "--even-so"]);
        ran.expect_error(1, &[&expected]);
        let row = format!("| [one](#one) | passed | passed | {word} | passed |");
        assert_names(&checkout.read("docs/parity.md"), &[&row]);
        let ran = checkout.wm(&["parity", "--from", "run.log", "--verify"]);
        ran.expect_error(1, &[&expected]);
    }
}

#[test]
fn a_program_that_counts_otherwise_shows_nothing() {
    let checkout = Checkout::of(SMALL);
    let told = log("test the_journey ... ok");
    let closing = "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";
    let cut = told.strip_suffix(closing).unwrap();
    for (text, why) in [
        (
            cut.to_owned(),
            "of `all` nothing counts as passed: it did not end",
        ),
        (
            told.replace("of_it ... ok", "of_it ..\n. ok"),
            "it says 1 passed",
        ),
    ] {
        checkout.write("run.log", &text);
        let ran = checkout.wm(&["parity", "--from", "run.log", "--even-so"]);
        ran.expect_error(1, &[why, "`one` on azure (did not run)"]);
        let page = checkout.read("docs/parity.md");
        assert_names(&page, &["\n## What is in doubt\n", "\n* `all`: it "]);
    }
}

#[test]
fn the_tests_that_are_named_are_run_and_what_they_say_is_shown_meanwhile() {
    let checkout = Checkout::of(SMALL);
    for program in ["local", "aws", "azure", "own", "all"] {
        checkout.write(&format!("tests/tests/{program}.rs"), "");
    }
    checkout.write("said", &log("test the_journey ... ok"));
    let cargo = checkout.0.path().join("cargo");
    fs::write(&cargo, "#!/bin/sh\necho \"$@\" > asked\ncat said\n").unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let ran = command(checkout.0.path())
        .arg("parity")
        .env("CARGO", &cargo)
        .output()
        .unwrap();
    let shown = String::from_utf8(ran.stderr).unwrap();
    assert!(ran.status.success(), "{shown}");
    let asked = "test --no-fail-fast -p wm-tests --test all --test aws --test azure --test local --test own\n";
    assert_eq!(checkout.read("asked"), asked);
    assert_names(
        &shown,
        &["test the_journey ... ok", "skip 4 on aws: case_2"],
    );
    assert_names(
        &checkout.read("docs/parity.md"),
        &["| [one](#one) | passed "],
    );

    fs::remove_file(checkout.0.path().join("tests/tests/own.rs")).unwrap();
    let words = ["`own`", "`tests/contract.json`"];
    checkout.wm(&["parity"]).expect_error(1, &words);
}

#[test]
fn what_is_no_checkout_or_no_contract_is_said() {
    let home = directory();
    let words = ["`tests/contract.json`", "inside the repository"];
    wm(home.path(), &["parity", "--check"]).expect_error(2, &words);
    let checkout = Checkout::of(r#"{"sentences": [{"id": "one"}]}"#);
    let words = ["`tests/contract.json`", "missing field `sentence`"];
    checkout.wm(&["parity"]).expect_error(1, &words);
    let checkout = Checkout::of(SMALL);
    let ran = checkout.wm(&["parity", "--from", "none.log"]);
    ran.expect_error(1, &["`none.log`", "cargo test --workspace --no-fail-fast"]);
    checkout.write("empty.log", "error: could not compile\n");
    let ran = checkout.wm(&["parity", "--from", "empty.log"]);
    let words = [
        "`empty.log`",
        "no test",
        "cargo test --workspace --no-fail-fast",
    ];
    ran.expect_error(1, &words);
    assert!(!checkout.0.path().join("docs/parity.md").exists());
    checkout.wm(&["parity", "--check", "--verify"]).expect(2);
    let both = ["parity", "--verify", "--even-so"];
    checkout.wm(&both).expect(2);
}
