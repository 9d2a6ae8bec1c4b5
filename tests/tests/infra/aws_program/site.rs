//! `wm deploy-site aws`: it deploys a site and refuses other folders.

use std::fs;

use wm_tests::emulators::ministack::{Credentials, Ministack};

use super::{Program, cloud::bucket, deploy::tooled, gate::Gate};
use crate::program::{SITE, built};

/// An object as the bucket serves it: status, type, caching and bytes.
async fn served(name: &str, key: &str) -> (u16, String) {
    let target = format!("/{name}/{key}");
    let answered = Ministack::shared()
        .send(&Credentials::root(), "s3", "GET", &target, &[], Vec::new())
        .await;
    (answered.status, answered.text)
}

/// The program with tools, behind a gate that counts its writes.
fn gated() -> (Program, Gate) {
    let gate = Gate::new(Ministack::shared().port(), None);
    (tooled().with("AWS_ENDPOINT_URL", &gate.url), gate)
}

#[tokio::test]
async fn differing_files_are_uploaded_and_deleted_ones_removed() {
    bucket("PUT", "site-dev-site", "").await;
    let folder = built(SITE);
    let from = folder.path().to_str().unwrap();
    let arguments = ["deploy-site", "--prefix", "site", "--from", from];

    let (program, gate) = gated();
    let plan = program.works(&[&arguments[..], &["--plan"]].concat());
    assert!(
        plan.contains("3 to upload, 0 to remove, 0 unchanged"),
        "{plan}"
    );
    assert!(plan.ends_with("nothing was changed\n"), "{plan}");
    assert_eq!(gate.writes(), [""; 0]);

    let out = program.works(&arguments);
    for line in [
        "upload  assets/app-B3xk9Q2z.js  text/javascript; charset=utf-8, public, max-age=31536000, immutable",
        "upload  favicon.svg  image/svg+xml, no-cache",
        "upload  index.html  text/html; charset=utf-8, no-cache",
        "the site is at https://site.example.com",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
    assert_eq!(
        served("site-dev-site", "favicon.svg").await,
        (200, "<svg/>".into())
    );
    let sam = fs::read_to_string(program.home().join("log")).unwrap();
    for word in [
        "infra/aws/site.yaml",
        "site-dev-site",
        "ApiUrl=https://api.example.com",
        "SignInUrl=https://people.example.com",
    ] {
        assert!(
            sam.lines().any(|line| line.ends_with(word)),
            "{word}: {sam}"
        );
    }

    let (again, gate) = gated();
    let out = again.works(&arguments);
    assert!(
        out.contains("0 to upload, 0 to remove, 3 unchanged"),
        "{out}"
    );
    assert_eq!(gate.writes(), [""; 0]);

    fs::write(folder.path().join("index.html"), "<!doctype html>").unwrap();
    fs::remove_file(folder.path().join("favicon.svg")).unwrap();
    let (changed, gate) = gated();
    let out = changed.works(&arguments);
    assert!(
        out.contains("1 to upload, 1 to remove, 1 unchanged"),
        "{out}"
    );
    assert_eq!(gate.writes(), ["PUT", "DELETE"]);
    assert_eq!(
        served("site-dev-site", "index.html").await,
        (200, "<!doctype html>".into())
    );
    assert_eq!(served("site-dev-site", "favicon.svg").await.0, 404);
}

#[tokio::test]
async fn private_bucket_is_never_used_for_a_site() {
    let folder = built(SITE);
    let from = folder.path().to_str().unwrap();
    let program = tooled();
    for arguments in [
        &["--site-bucket", "mixed-dev-documents"][..],
        &["--site-bucket", "theirs", "--bucket", "theirs"],
    ] {
        let arguments = [
            &["deploy-site", "--prefix", "mixed", "--from", from],
            arguments,
        ]
        .concat();
        let message = program.refuses(&arguments, 2);
        assert!(
            message.contains("is the private bucket: choose another with `--site-bucket`"),
            "{message}"
        );
    }
    bucket("PUT", "mixed-other", "").await;
    bucket("PUT", "mixed-other/accounts/x/file.pdf", "secret").await;
    let (program, gate) = gated();
    let arguments = [
        "deploy-site",
        "--prefix",
        "mixed",
        "--from",
        from,
        "--site-bucket",
        "mixed-other",
    ];
    let message = program.refuses(&arguments, 1);
    assert!(
        message.contains("the bucket `mixed-other` contains documents, below `accounts/`"),
        "{message}"
    );
    assert_eq!(gate.writes(), [""; 0]);
    let sam = fs::read_to_string(program.home().join("log")).unwrap();
    assert!(!sam.contains("deploy\n"), "{sam}");
}

#[test]
fn non_sites_and_private_files_are_not_uploaded() {
    let key = format!("AK{}ABCDEFGHIJKLMNO1", "IA");
    for (files, words) in [
        (
            vec![("app.js", "1")],
            "contains no `index.html`: build the site first",
        ),
        (
            vec![("index.html", ""), (".env", "X=1")],
            "`.env` is hidden",
        ),
        (
            vec![("index.html", ""), ("a/tls.pem", "")],
            "must not contain this: `a/tls.pem`",
        ),
        (vec![("index.html", &*key)], "an access key in `index.html`"),
    ] {
        let folder = built(&files);
        let program = tooled();
        let ran = program.run(&["deploy-site", "--from", folder.path().to_str().unwrap()]);
        assert!(ran.code.is_some_and(|code| code > 0), "{ran:?}");
        assert!(
            ran.err.contains(words) && !ran.err.contains(&key),
            "{ran:?}"
        );
        assert!(!program.home().join("log").exists());
    }
    let message = tooled().refuses(&["deploy-site", "--from", "nowhere"], 1);
    assert!(
        message.contains("`nowhere` cannot be read; build the site first"),
        "{message}"
    );
}

#[test]
fn site_requires_a_deployed_surface() {
    let folder = built(SITE);
    let program = tooled();
    fs::remove_file(program.home().join("outputs")).unwrap();
    let message = program.refuses(
        &[
            "deploy-site",
            "--prefix",
            "lonely",
            "--from",
            folder.path().to_str().unwrap(),
        ],
        1,
    );
    assert!(
        message.contains("the stack `lonely-dev` does not exist: run `wm deploy aws` first"),
        "{message}"
    );
}
