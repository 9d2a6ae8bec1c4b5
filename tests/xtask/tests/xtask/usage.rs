//! Tests of help texts and of lists of commands.

use crate::support::{root, xtask};

const COMMANDS: [&str; 6] = ["check", "test", "parity", "goldens", "long", "up"];

#[test]
fn help_lists_every_command_with_examples() {
    let help = xtask(&root(), &["--help"]).expect(0).stdout;
    assert!(!help.contains("\n  record "), "{help}");
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command} ")), "{command}");
        let own = xtask(&root(), &[command, "--help"]).expect(0).stdout;
        assert!(own.contains("Examples:\n  cargo xtask "), "{own}");
        assert!(own.lines().all(|line| line.chars().count() <= 100), "{own}");
    }
}

#[test]
fn goldens_list_has_the_order_that_charges_need() {
    let ran = xtask(&root(), &["goldens", "--list"]).expect(0);
    let expected = "\
UPDATE_GOLDENS=1 TRYBUILD=overwrite cargo test --no-fail-fast -p wm-core -p wm-tests
UPDATE_GOLDENS=1 TRYBUILD=overwrite cargo test -p wm-tests --test product costs::
";
    assert_eq!(ran.stdout, expected);
}

#[test]
fn long_tests_are_listed_with_their_commands() {
    let ran = xtask(&root(), &["long", "--list", "--seed", "7"]).expect(0);
    for command in [
        "cargo test --workspace --test parity -- --scripts 10000 --seed 7\n",
        "cargo bench -p wm-core --bench decide\n",
        "cargo bench -p wm-tests --bench handler_start\n",
    ] {
        assert!(ran.stdout.contains(command), "{}", ran.stdout);
    }
    let one = xtask(&root(), &["long", "--list", "read"]).expect(0).stdout;
    assert_eq!(one.lines().count(), 2, "{one}");
    xtask(&root(), &["long", "nothing"]).expect(2);
    xtask(&root(), &["up", "moon"]).expect(2);
}

#[test]
fn long_lists_every_benchmark_of_the_repository() {
    let list = xtask(&root(), &["long", "--list"]).expect(0).stdout;
    for manifest in ["core/Cargo.toml", "local/Cargo.toml", "tests/Cargo.toml"] {
        let manifest = std::fs::read_to_string(root().join(manifest)).unwrap();
        for bench in manifest.split("[[bench]]\nname = \"").skip(1) {
            let (name, _) = bench.split_once('"').unwrap();
            assert!(list.contains(&format!("--bench {name}\n")), "{name}");
        }
    }
}
