//! Tests of `wm demo`.

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::support::{command, directory, wm};

#[test]
fn demo_runs_every_step_in_time_and_cleans_up() {
    let home = directory();
    let temporary = home.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let began = Instant::now();
    let mut command = command(home.path());
    let ran = command
        .arg("demo")
        .env("TMPDIR", &temporary)
        .output()
        .unwrap();
    let printed = String::from_utf8(ran.stdout).unwrap();
    assert!(
        ran.status.success(),
        "{printed}{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "{:?}",
        began.elapsed()
    );
    for words in [
        "accepts from his mail",
        "Refused",
        "project.delete",
        "404",
        "verified",
        "All 14 steps",
    ] {
        assert!(printed.contains(words), "{words} in {printed}");
    }
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
    assert!(!home.path().join(".wm-data").exists());
}

#[test]
fn demo_uses_the_given_files() {
    let home = directory();
    fs::write(home.path().join("plan.pdf"), "%PDF-1.7 quay").unwrap();
    let ran = wm(home.path(), &["demo", "plan.pdf"]).expect(0);
    assert!(ran.stdout.contains("plan.pdf"), "{}", ran.stdout);
    assert_eq!(
        fs::read(home.path().join("plan.pdf")).unwrap(),
        b"%PDF-1.7 quay"
    );
    wm(home.path(), &["demo", "none.pdf"]).expect_error(1, &["none.pdf"]);
}
