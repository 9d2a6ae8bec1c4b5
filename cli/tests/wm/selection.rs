//! Tests of `wm init` and `wm check`.

use std::{fs, process::Command};

use wm_test_results::Recording;

use crate::support::{directory, wm};

const FILE: &str = "web/src/config/backend.js";

#[test]
fn init_output_passes_check_and_is_read_by_node() {
    let _recording = Recording::start();
    let home = directory();
    for (provider, place) in [
        ("aws", "--region=eu-central-1"),
        ("azure", "--location=westeurope"),
    ] {
        let arguments = ["init", "--provider", provider, place, "--force"];
        let ran = wm(home.path(), &arguments).expect(0);
        assert_eq!(ran.stdout, format!("wrote `{FILE}`\n"));
        wm(home.path(), &["check"]).expect(0);
        let script = format!(
            "import {{ backendSelection as b }} from '{}'; console.log(b.provider, b.database.itemContainer)",
            home.path().join(FILE).display()
        );
        let node = Command::new("node")
            .args(["--input-type=module", "--no-warnings", "-e", &script])
            .output();
        match node {
            Ok(node) => assert_eq!(
                String::from_utf8(node.stdout).unwrap().trim(),
                format!("{provider} workspace_items"),
                "{}",
                String::from_utf8_lossy(&node.stderr)
            ),
            Err(error) => println!("SKIPPED reading the module with node: {error}"),
        }
    }
}

#[test]
fn init_derives_names_from_prefix_and_environment() {
    let home = directory();
    let arguments = ["init", "--provider", "azure", "--environment", "dev"];
    let arguments = [
        &arguments[..],
        &["--prefix", "workspace-management", "--out", "b.js"],
    ]
    .concat();
    wm(home.path(), &arguments).expect(0);
    let text = fs::read_to_string(home.path().join("b.js")).unwrap();
    assert!(
        text.starts_with("export const backendSelection = {"),
        "{text}"
    );
    for name in [
        "workspacemanagedevdocs",
        "workspace-management-dev-cosmos",
        "eastus",
    ] {
        assert!(text.contains(name), "{name} in {text}");
    }
}

#[test]
fn init_overwrites_a_file_only_with_force() {
    let home = directory();
    wm(home.path(), &["init"]).expect(0);
    fs::write(home.path().join(FILE), "mine").unwrap();
    wm(home.path(), &["init"]).expect_error(1, &[FILE, "--force"]);
    assert_eq!(fs::read_to_string(home.path().join(FILE)).unwrap(), "mine");
    wm(home.path(), &["init", "--force"]).expect(0);
    wm(home.path(), &["check"]).expect(0);
}

#[test]
fn init_names_every_invalid_value_and_writes_nothing() {
    let home = directory();
    let arguments = [
        "init",
        "--provider=aws",
        "--environment=Dev!",
        "--prefix=--",
        "--region=moon",
    ];
    wm(home.path(), &arguments).expect_error(2, &["`environment`", "`prefix`", "`region`"]);
    wm(home.path(), &["init", "--location", "eastus"]).expect_error(2, &["--location"]);
    assert!(!home.path().join(FILE).exists());
}

#[test]
fn check_names_every_problem_without_secrets() {
    let _recording = Recording::start();
    let home = directory();
    wm(home.path(), &["init", "--provider", "aws", "--out", "b.js"]).expect(0);
    let path = home.path().join("b.js");
    let secret = format!("AK{}IOSFODNN7EXAMPLE1", "IA");
    let text = fs::read_to_string(&path).unwrap();
    let text = text
        .replace("workspace-management-dev-documents", &secret)
        .replace("\"itemContainer\"", "\"colour\"")
        .replace("us-east-1", "moon");
    fs::write(&path, text).unwrap();
    let ran = wm(home.path(), &["check", "b.js"]).expect(1);
    for field in [
        "`storage.bucket`",
        "`database.itemContainer`",
        "`database.colour`",
        "`region`",
    ] {
        assert!(ran.stderr.contains(field), "{field} in {ran:?}");
    }
    assert!(!ran.stderr.contains(&secret), "{ran:?}");
    assert_eq!(ran.stderr.lines().count(), 4, "{ran:?}");
    wm(home.path(), &["check", "none.js"]).expect_error(1, &["`none.js`", "wm init"]);
}
