//! Tests of `wm setup`, `deploy`, `deploy-site` and `redrive`.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use crate::support::{directory, wm};

/// Runs `wm` from an empty directory, so that it finds no built cloud program beside it.
fn alone(home: &Path) -> Command {
    let program = home.join("wm");
    if !program.exists() {
        fs::copy(env!("CARGO_BIN_EXE_wm"), &program).unwrap();
    }
    let mut command = Command::new(program);
    command.env_clear().env("PATH", home).current_dir(home);
    command
}

fn install(directory: &Path, name: &str, script: &str) {
    let path = directory.join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn missing_program_error_names_its_build_command() {
    let home = directory();
    for (cloud, package) in [("aws", "wm-aws-deploy"), ("azure", "wm-azure-deploy")] {
        let build = format!("cargo build --release -p {package}`");
        let ran = alone(home.path()).args(["setup", cloud]).output().unwrap();
        assert_eq!(ran.status.code(), Some(1));
        assert!(String::from_utf8(ran.stderr).unwrap().contains(&build));
    }
    wm(home.path(), &["setup", "mars"]).expect(2);
}

#[test]
fn program_gets_the_arguments_and_returns_its_exit_code() {
    let home = directory();
    install(home.path(), "wm-aws", "echo \"$@\"; exit 7");
    for verb in ["setup", "deploy", "deploy-site", "redrive"] {
        for (given, handed) in [
            (
                &["aws", "--dry-run", "--name", "a b"][..],
                "--dry-run --name a b",
            ),
            (&["aws", "--help"], "--help"),
            (&["aws", "--plan", "-h"], "--plan -h"),
        ] {
            let ran = alone(home.path()).arg(verb).args(given).output().unwrap();
            assert_eq!(ran.status.code(), Some(7));
            let printed = String::from_utf8(ran.stdout).unwrap();
            assert_eq!(printed.trim(), format!("{verb} {handed}"));
        }
    }
}
