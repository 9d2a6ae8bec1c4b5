//! The shape of the workspace: dependencies of packages, and the purity of core.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use wm_tests::{golden, repository};

/// The allowed dependencies of each package. Packages that only tests use may depend on more.
const DIRECTIONS: &[(&str, &[&str])] = &[
    ("wm-core", &[]),
    ("wm-service", &["wm-core"]),
    ("wm-http", &["wm-core", "wm-service"]),
    ("wm-local", &["wm-core", "wm-http", "wm-service"]),
    ("wm-terminal", &["wm-core"]),
    ("wm-aws", &["wm-core", "wm-service"]),
    ("wm-azure", &["wm-core", "wm-http", "wm-service"]),
    ("wm-deploy", &["wm-core", "wm-service", "wm-terminal"]),
    (
        "wm-aws-deploy",
        &[
            "wm-core",
            "wm-service",
            "wm-aws",
            "wm-deploy",
            "wm-terminal",
        ],
    ),
    (
        "wm-azure-deploy",
        &[
            "wm-core",
            "wm-service",
            "wm-azure",
            "wm-deploy",
            "wm-terminal",
        ],
    ),
    ("wm-client", &["wm-core"]),
    (
        "wm",
        &[
            "wm-core",
            "wm-service",
            "wm-local",
            "wm-terminal",
            "wm-client",
        ],
    ),
    ("wm-test-results", &[]),
    ("wm-cosmos-emulator", &[]),
    (
        "xtask",
        &["wm-core", "wm-deploy", "wm-terminal", "wm-test-results"],
    ),
];

/// SDKs of one provider, by the beginning of their names, with the surface and the deploy program
/// that may use them.
const CLOUD_SDKS: &[(&str, [&str; 2])] = &[
    ("aws-config", ["wm-aws", "wm-aws-deploy"]),
    ("aws-sdk", ["wm-aws", "wm-aws-deploy"]),
    ("aws-smithy", ["wm-aws", "wm-aws-deploy"]),
    ("lambda_", ["wm-aws", "wm-aws-deploy"]),
    ("azure_", ["wm-azure", "wm-azure-deploy"]),
];

/// The crates that serve requests.
const RUNTIME_CRATES: [&str; 6] = [
    "wm-core",
    "wm-service",
    "wm-http",
    "wm-local",
    "wm-aws",
    "wm-azure",
];

/// Dependencies of command-line programs, by the beginning of their names.
const COMMAND_LINE: [&str; 5] = [
    "clap",
    "wm-terminal",
    "wm-deploy",
    "aws-sdk-sqs",
    "indicatif",
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

/// The workspace dependencies of each package, without those of its tests.
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
            rule.unwrap_or_else(|| panic!("no rule lists the dependencies of `{package}`"));
        for dependency in dependencies {
            assert!(
                allowed.contains(&dependency.as_str()),
                "`{package}` depends on `{dependency}`"
            );
        }
    }
}

#[test]
fn cloud_sdk_is_built_for_its_own_provider_only() {
    let tests = ["wm-tests", "wm-cosmos-emulator"];
    for package in packages()
        .iter()
        .map(name)
        .filter(|package| !tests.contains(package))
    {
        for behind in repository::packages_behind(package) {
            for (sdk, owners) in CLOUD_SDKS {
                let stray = behind.starts_with(sdk) && !owners.contains(&package);
                assert!(
                    !stray,
                    "`{package}` is built with `{behind}`, which belongs to `{owners:?}`"
                );
            }
        }
    }
}

#[test]
fn runtime_crates_have_no_command_line_dependencies() {
    for package in RUNTIME_CRATES {
        for behind in repository::packages_behind(package) {
            let stray = COMMAND_LINE.iter().any(|start| behind.starts_with(start));
            assert!(!stray, "`{package}` is built with `{behind}`");
        }
    }
}

/// The emulator is a feature of the SDK. A build of the whole workspace, as for the tests, includes
/// it in the handler. The deployed build names its package and does not.
#[test]
fn deployed_handler_contains_no_emulator() {
    let features = |package: &str| {
        let edges = "normal,build,features";
        repository::cargo(&["tree", "-p", package, "-e", edges, "--prefix", "none"])
    };
    assert!(features("wm-cosmos-emulator").contains("in_memory_emulator"));
    assert!(!features("wm-azure").contains("in_memory_emulator"));
}

/// With this feature, JSON has another order than in the deployed programs.
#[test]
fn workspace_writes_json_in_the_deployed_order() {
    let tree = repository::cargo(&["tree", "--workspace", "-e", "features", "-i", "serde_json"]);
    assert!(tree.contains("raw_value"));
    assert!(!tree.contains("preserve_order"), "{tree}");
}

/// One default feature of one SDK crate adds the second stack, several megabytes, to every
/// function.
#[test]
fn functions_contain_one_tls_stack() {
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

/// `aws-lambda/build.rs` relies on this level to mean that nothing unwinds.
#[test]
fn size_optimised_profiles_abort_on_panic() {
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
fn default_build_is_the_command() {
    let metadata = repository::metadata();
    let members = metadata["workspace_default_members"].as_array().unwrap();
    assert_eq!(members.len(), 1);
    assert!(
        members[0].as_str().unwrap().contains("/cli#wm@"),
        "{members:?}"
    );
}

/// Every dependency of core, with its features.
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
fn core_dependencies_match_their_golden() {
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
fn core_declares_its_purity() {
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

/// The modules of core, leftmost first. A module imports from earlier layers only. Modules of one
/// layer are beside one another and do not import each other, so imports form no circle. The
/// fixtures in `testing` are for tests only.
const LAYERS: [&[&str]; 9] = [
    &["value"],
    &["catalog"],
    &["selection"],
    &["storage"],
    &["record"],
    &["permission"],
    &["operation"],
    &["operations", "jobs"],
    &["http"],
];

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// The top-level modules of its own crate that a source names, in `use` trees and in the code.
fn modules_named(text: &str) -> BTreeSet<&str> {
    let paths = text.match_indices("crate::");
    paths
        .flat_map(|(start, path)| segments(&text[start + path.len()..]))
        .collect()
}

/// The layers that a source of core names through `super`. In a file at this depth, a chain of at
/// least as many `super` leads to the root of the crate. A module inside the file needs one more.
fn layers_named_by_super(text: &str, depth: usize) -> BTreeSet<&str> {
    let mut named = BTreeSet::new();
    let mut rest = text;
    while let Some(start) = rest.find("super::") {
        let path = rest[start..].trim_start_matches("super::");
        let levels = (rest.len() - start - path.len()) / "super::".len();
        if levels >= depth {
            named.extend(segments(path));
        }
        rest = path;
    }
    named.retain(|name| layer(name).is_some());
    named
}

/// The first segments of a path, or those of a `use` tree.
fn segments(path: &str) -> Vec<&str> {
    match path.strip_prefix('{') {
        Some(tree) => first_segments(tree),
        None => first_segment(path).into_iter().collect(),
    }
}

fn first_segment(path: &str) -> Option<&str> {
    let end = path.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
    let segment = &path[..end.unwrap_or(path.len())];
    (!segment.is_empty()).then_some(segment)
}

/// The first segments of the paths up to the brace that closes the tree.
fn first_segments(tree: &str) -> Vec<&str> {
    let (mut depth, mut begins, mut segments) = (0, true, Vec::new());
    for (position, letter) in tree.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            _ if letter.is_whitespace() => {}
            _ if begins => {
                segments.extend(first_segment(&tree[position..]));
                begins = false;
            }
            _ => {}
        }
    }
    segments
}

#[test]
fn core_imports_from_lower_layers_only() {
    let files = repository::files();
    let mut seen = BTreeSet::new();
    for file in &files {
        let Some(path) = file.path.strip_prefix("core/src/") else {
            continue;
        };
        let module = first_segment(path).unwrap();
        if matches!(module, "lib" | "testing") {
            continue;
        }
        let own = layer(module).unwrap_or_else(|| panic!("`{module}` stands in no layer"));
        seen.insert(module.to_owned());
        let mut imported = modules_named(&file.text);
        imported.extend(layers_named_by_super(&file.text, path.split('/').count()));
        for named in imported {
            let below = layer(named).is_some_and(|layer| layer < own);
            assert!(
                below || named == module || named == "testing",
                "`{}` imports `{named}`, which stands above or beside it",
                file.path
            );
        }
        let production = repository::without_tests(&file.text);
        assert!(
            !modules_named(production).contains("testing"),
            "`{}` is built with fixtures of tests",
            file.path
        );
    }
    assert_eq!(
        seen.len(),
        LAYERS.iter().map(|layer| layer.len()).sum::<usize>()
    );
}

#[test]
fn module_names_are_found_in_use_trees_and_code() {
    let text = "use crate::{\n    a::{self, b::C},\n    d,\n};\nuse crate::e::F;\nfn f() -> crate::g::H {}";
    let named: Vec<&str> = modules_named(text).into_iter().collect();
    assert_eq!(named, ["a", "d", "e", "g"]);
}

#[test]
fn layers_are_found_behind_super() {
    let text =
        "use super::{jobs::A, own::B};\nfn f(x: super::super::http::C, y: super::record::D) {}";
    let named = |depth| Vec::from_iter(layers_named_by_super(text, depth));
    assert_eq!(named(1), ["http", "jobs", "record"]);
    assert_eq!(named(2), ["http"]);
    assert_eq!(named(3), [""; 0]);
}

/// Only tests of databases can build a batch without a permit. Deployed programs cannot.
#[test]
fn programs_cannot_build_a_batch_without_a_permit() {
    const FEATURE: &str = "unchecked-batches";
    for package in packages() {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        for dependency in dependencies.filter(|dependency| dependency["kind"] != "dev") {
            let mut features = dependency["features"].as_array().unwrap().iter();
            assert!(
                features.all(|feature| feature != FEATURE) || name(&package) == "wm-tests",
                "`{}` is built with `{FEATURE}`",
                name(&package)
            );
        }
    }
    let writers = [
        "core/src/operation/commit.rs",
        "core/src/operation/commit/batch.rs",
        "core/src/operation/commit/count.rs",
        "core/src/operation/commit/delivery.rs",
        "core/src/operation/commit/layout.rs",
        "core/src/operation/commit/link.rs",
        "core/src/operation/commit/publication.rs",
        "core/src/operation/commit/work.rs",
    ];
    for file in repository::files() {
        let production = repository::without_tests(&file.text);
        let makes = production.contains("Batch::new(");
        assert!(
            !makes || !file.path.starts_with("core/") || writers.contains(&file.path.as_str()),
            "`{}` builds a batch",
            file.path
        );
    }
}

/// The modules of the command, and their imports.
fn command_imports() -> BTreeMap<String, BTreeSet<String>> {
    let files = repository::files();
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in &files {
        let Some(path) = file.path.strip_prefix("cli/src/") else {
            continue;
        };
        let module = first_segment(path).unwrap();
        let named = modules_named(repository::without_tests(&file.text));
        let others = named.into_iter().filter(|named| *named != module);
        let known = imports.entry(module.to_owned()).or_default();
        known.extend(others.map(str::to_owned));
    }
    imports
}

/// Repeatedly removes modules without remaining imports. Remaining modules form a circle.
#[test]
fn command_modules_form_no_circle() {
    let mut left = command_imports();
    assert!(left.len() > 3, "{left:?}");
    loop {
        let names: BTreeSet<String> = left.keys().cloned().collect();
        let before = left.len();
        left.retain(|_, imports| !imports.is_disjoint(&names));
        if left.len() == before {
            break;
        }
    }
    assert!(left.is_empty(), "{left:?}");
}
