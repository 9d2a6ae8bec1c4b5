//! Tests of `wm token`.

use std::{fs, os::unix::fs::PermissionsExt};

use wm_core::value::Sha256;

use crate::support::{directory, wm};

#[test]
fn token_is_printed_alone_and_key_is_private() {
    let home = directory();
    let arguments = [
        "token",
        "--email",
        "Ana@Example.com",
        "--name",
        "Ana",
        "--data",
        "d",
    ];
    let first = wm(home.path(), &arguments).expect(0);
    let token = first.stdout.trim_end();
    assert_eq!(token.split('.').count(), 3, "{token}");
    assert_eq!(first.stdout.lines().count(), 1);
    assert!(
        first.stderr.contains("created the issuer's key"),
        "{first:?}"
    );
    let key = home.path().join("d/issuer-key.pem");
    assert_eq!(
        fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let before = Sha256::of(&fs::read(&key).unwrap());
    let second = wm(home.path(), &arguments).expect(0);
    assert!(second.stderr.is_empty(), "{second:?}");
    assert_eq!(Sha256::of(&fs::read(&key).unwrap()), before);
}

#[test]
fn token_error_names_an_unusable_directory() {
    let home = directory();
    fs::write(home.path().join("file"), "").unwrap();
    let arguments = ["token", "--email", "ana@example.com", "--data", "file"];
    wm(home.path(), &arguments).expect_error(1, &["`file`", "--data"]);
}
