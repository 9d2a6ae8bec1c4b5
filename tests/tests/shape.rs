//! The shape of the workspace: who depends on whom, and that core stays pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use wm_tests::{golden, repository};

/// What each package of the workspace may depend on. Packages that only the tests need come on top.
const DIRECTIONS: &[(&str, &[&str])] = &[
    ("wm-core", &[]),
    ("wm-service", &["wm-core"]),
    ("wm-http", &["wm-core", "wm-service"]),
    ("wm-local", &["wm-core", "wm-http", "wm-service"]),
    ("wm-terminal", &["wm-core"]),
    ("wm-aws", &["wm-core", "wm-service", "wm-terminal"]),
    (
        "wm-azure",
        &["wm-core", "wm-http", "wm-service", "wm-terminal"],
    ),
    ("wm", &["wm-core", "wm-service", "wm-local", "wm-terminal"]),
    ("wm-test-results", &[]),
    ("xtask", &["wm-core", "wm-terminal", "wm-test-results"]),
];

/// What belongs to one provider only, by the beginning of its name.
const CLOUD_KITS: &[(&str, &str)] = &[
    ("aws-config", "wm-aws"),
    ("aws-sdk", "wm-aws"),
    ("aws-smithy", "wm-aws"),
    ("lambda_", "wm-aws"),
    ("azure_", "wm-azure"),
];

fn packages() -> Vec<Value> {
    repository::metadata()["packages"]
        .as_array()
        .unwrap()
        .clone()
}

fn name(value: &Value) -> &str {
    value["name"].as_str().unwrap()
}

/// The packages of the workspace that each of them depends on, except for its tests.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let packages = packages();
    let ours: BTreeSet<&str> = packages.iter().map(name).collect();
    let of = |package: &Value| {
        let listed = package["dependencies"].as_array().unwrap().iter();
        let built = listed.filter(|dependency| dependency["kind"] != "dev");
        built
            .map(name)
            .filter(|name| ours.contains(name))
            .map(str::to_owned)
            .collect()
    };
    packages
        .iter()
        .map(|package| (name(package).to_owned(), of(package)))
        .collect()
}

#[test]
fn packages_depend_on_each_other_in_one_direction() {
    for (package, dependencies) in dependencies() {
        if package == "wm-tests" {
            continue;
        }
        let rule = DIRECTIONS.iter().find(|(name, _)| *name == package);
        let (_, allowed) =
            rule.unwrap_or_else(|| panic!("no rule says what `{package}` may depend on"));
        for dependency in dependencies {
            assert!(
                allowed.contains(&dependency.as_str()),
                "`{package}` depends on `{dependency}`"
            );
        }
    }
}

#[test]
fn a_cloud_kit_is_built_for_its_own_provider_only() {
    for package in packages()
        .iter()
        .map(name)
        .filter(|package| *package != "wm-tests")
    {
        for behind in repository::packages_behind(package) {
            for (kit, owner) in CLOUD_KITS {
                let stray = behind.starts_with(kit) && package != *owner;
                assert!(
                    !stray,
                    "`{package}` is built with `{behind}`, which belongs to `{owner}`"
                );
            }
        }
    }
}

/// One default feature of one SDK crate brings the second stack, megabytes of it, into every function.
#[test]
fn functions_carry_one_tls_stack() {
    for package in ["wm-aws", "wm-azure"] {
        let tree = repository::cargo(&[
            "tree", "-p", package, "-e", "normal", "--prefix", "none", "--format", "{p}",
        ]);
        let behind = |start: &str| tree.lines().any(|line| line.starts_with(start));
        assert!(
            behind("rustls v0.23."),
            "the stack that is meant is not there"
        );
        for stray in [
            "rustls v0.21.",
            "hyper v0.14.",
            "h2 v0.3.",
            "ring v",
            "native-tls v",
            "openssl-sys v",
        ] {
            assert!(!behind(stray), "`{package}` is built with `{stray}…`");
        }
    }
}

/// `aws-lambda/build.rs` takes this level for a promise that nothing unwinds.
#[test]
fn whatever_is_built_for_size_aborts_on_a_panic() {
    let manifest = std::fs::read_to_string(repository::root().join("Cargo.toml")).unwrap();
    let sections = manifest.split("\n[");
    let small: Vec<&str> = sections
        .filter(|section| section.contains("opt-level = \"z\""))
        .collect();
    assert_eq!(small.len(), 1, "{small:?}");
    assert!(small[0].starts_with("profile.function]"), "{small:?}");
    assert!(small[0].contains("panic = \"abort\""), "{small:?}");
}

#[test]
fn a_newcomers_first_build_is_the_command() {
    let metadata = repository::metadata();
    let members = metadata["workspace_default_members"].as_array().unwrap();
    assert_eq!(members.len(), 1);
    assert!(
        members[0].as_str().unwrap().contains("/cli#wm@"),
        "{members:?}"
    );
}

/// Every package that goes into core, with its features.
fn core_tree() -> BTreeSet<String> {
    // The target is named, so that every machine prints the same tree.
    let tree = repository::cargo(&[
        "tree",
        "-p",
        "wm-core",
        "-e",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}|{f}",
        "--target",
        "x86_64-unknown-linux-gnu",
    ]);
    let lines = tree.lines().map(|line| {
        let (package, features) = line.trim_end_matches(" (*)").split_once('|').unwrap();
        let name = package.split(' ').next().unwrap();
        let runs = if package.ends_with("(proc-macro)") {
            " (at build time)"
        } else {
            ""
        };
        format!("{name}{runs}: {features}")
            .trim_end_matches([' ', ':'])
            .to_owned()
    });
    lines.collect()
}

#[test]
fn core_is_built_from_what_was_agreed() {
    let tree = core_tree();
    for line in &tree {
        let (_, features) = line.split_once(": ").unwrap_or((line, ""));
        assert!(
            !features.split(',').any(|feature| feature == "std"),
            "needs an operating system: {line}"
        );
    }
    let lines: Vec<String> = tree.into_iter().collect();
    golden::check("core-dependencies.txt", &format!("{}\n", lines.join("\n")));
}

#[test]
fn core_says_that_it_is_pure() {
    let files = repository::files();
    let root = &files
        .iter()
        .find(|file| file.path == "core/src/lib.rs")
        .unwrap()
        .text;
    for line in [
        "#![no_std]",
        "clippy::alloc_instead_of_core",
        "clippy::std_instead_of_alloc",
        "clippy::std_instead_of_core",
    ] {
        assert!(root.contains(line), "core/src/lib.rs does not say `{line}`");
    }
    for file in files
        .iter()
        .filter(|file| file.path.starts_with("core/src/"))
    {
        for impure in ["extern crate std", "async fn", "async move", ".await"] {
            let production = repository::without_tests(&file.text);
            assert!(
                !production.contains(impure),
                "`{}` says `{impure}`",
                file.path
            );
        }
    }
}
