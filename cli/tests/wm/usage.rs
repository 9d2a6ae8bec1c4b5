//! Tests of help texts, usage errors and exit codes.

use crate::support::{directory, wm};

const COMMANDS: [&str; 16] = [
    "serve",
    "token",
    "demo",
    "upload",
    "download",
    "session",
    "health",
    "journal",
    "init",
    "check",
    "backup",
    "restore",
    "setup",
    "deploy",
    "deploy-site",
    "redrive",
];

#[test]
fn help_lists_every_command_with_examples() {
    let home = directory();
    let help = wm(home.path(), &["--help"]).expect(0).stdout;
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command} ")), "{command}");
        let own = wm(home.path(), &[command, "--help"]).expect(0).stdout;
        assert!(own.contains("Examples:\n  wm "), "{own}");
        assert!(own.lines().all(|line| line.chars().count() <= 100), "{own}");
    }
}

#[test]
fn usage_error_gives_exit_code_2_and_a_message_on_stderr() {
    let home = directory();
    for arguments in [
        &[][..],
        &["fly"],
        &["serve", "--listen", "7878"],
        &["token", "--email", "ana"],
        &["upload"],
        &["upload", "a", "--project", "prj_1"],
        &["journal"],
        &["session", "--server", "ftp://x", "--token", "t"],
        &["download", "--project", "x", "--artifact", "y"],
    ] {
        let ran = wm(home.path(), arguments).expect(2);
        assert!(ran.stdout.is_empty() && !ran.stderr.is_empty(), "{ran:?}");
        assert!(!ran.stderr.contains('\u{1b}'), "{ran:?}");
    }
}

#[test]
fn missing_token_error_says_how_to_get_one() {
    let home = directory();
    wm(home.path(), &["session"]).expect_error(2, &["WM_TOKEN", "wm token"]);
}

#[test]
fn unreachable_surface_is_named() {
    let home = directory();
    let arguments = ["session", "--token", "t", "--server", "http://127.0.0.1:1"];
    let ran = wm(home.path(), &arguments);
    ran.expect_error(1, &["http://127.0.0.1:1", "wm serve"]);
}
