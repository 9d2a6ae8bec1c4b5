//! `wm deploy-site azure`: it deploys a site and refuses other folders.

use std::fs;

use serde_json::json;
use tempfile::TempDir;

use super::{
    Program,
    cloud::{Blob, Cloud},
    deploy::{deployable, parameters, runs, tooled},
};
use crate::program::{SITE, built};

/// A cloud with a deployed surface, and optionally with the account of its site.
fn deployed(has_site: bool) -> (Cloud, Program) {
    let cloud = deployable();
    let program = tooled(&cloud);
    let recorded = "--parameters\nstorageAccountName=wmdevdocs\n";
    fs::write(program.home().join("deployed-wm-dev"), recorded).unwrap();
    cloud.put("/resourceGroups/wm-dev", json!({ "location": "eastus" }));
    if has_site {
        account(&cloud, "wmdevsite");
        let account =
            "/resourceGroups/wm-dev/providers/Microsoft.Storage/storageAccounts/wmdevsite";
        let pages = format!("{account}/blobServices/default/containers/$web");
        cloud.put(&pages, json!({ "properties": {} }));
    }
    (cloud, program)
}

fn account(cloud: &Cloud, name: &str) {
    let id = format!("/resourceGroups/wm-dev/providers/Microsoft.Storage/storageAccounts/{name}");
    cloud.put(
        &id,
        json!({ "kind": "StorageV2", "location": "eastus", "properties": {} }),
    );
}

fn arguments<'word>(folder: &'word TempDir, more: &[&'word str]) -> Vec<&'word str> {
    let from = folder.path().to_str().unwrap();
    [&["deploy-site", "--prefix", "wm", "--from", from], more].concat()
}

#[test]
fn account_without_a_site_is_left_unchanged() {
    let (cloud, program) = deployed(false);
    account(&cloud, "wmproddocs");
    let folder = built(SITE);
    let message = program.refuses(&arguments(&folder, &["--site-account", "wmproddocs"]), 2);
    assert!(
        message.contains("`wmproddocs` exists already and serves no site"),
        "{message}"
    );
    assert_eq!(cloud.writes(), [""; 0]);
    assert_eq!(runs(&program), [[""; 0]; 0]);
}

fn served(cloud: &Cloud, key: &str) -> Option<Blob> {
    cloud
        .state()
        .blobs
        .get(&format!("wmdevsite/$web/{key}"))
        .cloned()
}

#[test]
fn differing_files_are_uploaded_and_deleted_ones_removed() {
    let (cloud, program) = deployed(true);
    let folder = built(SITE);
    let plan = program.works(&arguments(&folder, &["--plan"]));
    assert!(
        plan.contains("3 to upload, 0 to remove, 0 unchanged"),
        "{plan}"
    );
    assert!(plan.ends_with("nothing was changed\n"), "{plan}");
    assert_eq!(cloud.writes(), [""; 0]);
    assert_eq!(runs(&program), [[""; 0]; 0]);

    let out = program.works(&arguments(&folder, &[]));
    for line in [
        "upload  assets/app-B3xk9Q2z.js  text/javascript; charset=utf-8, public, max-age=31536000, immutable",
        "upload  favicon.svg  image/svg+xml, no-cache",
        "upload  index.html  text/html; charset=utf-8, no-cache",
        "the site is at https://site.example.com",
        "next: `wm deploy azure --origin https://site.example.com`",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
    let page = served(&cloud, "index.html").unwrap();
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(page.headers["cache-control"], "no-cache");
    assert_eq!(served(&cloud, "favicon.svg").unwrap().body, b"<svg/>");
    let recorded = &parameters(&program)[0];
    assert_eq!(recorded["siteStorageAccountName"], "wmdevsite");
    assert_eq!(recorded["storageAccountName"], "wmdevdocs");

    cloud.again(None);
    let out = program.works(&arguments(&folder, &[]));
    assert!(
        out.contains("0 to upload, 0 to remove, 3 unchanged"),
        "{out}"
    );
    assert_eq!(cloud.writes(), [""; 0]);

    fs::write(folder.path().join("index.html"), "<!doctype html>").unwrap();
    fs::remove_file(folder.path().join("favicon.svg")).unwrap();
    let out = program.works(&arguments(&folder, &[]));
    assert!(
        out.contains("1 to upload, 1 to remove, 1 unchanged"),
        "{out}"
    );
    let writes = [
        "PUT /blobs/wmdevsite/$web/index.html",
        "DELETE /blobs/wmdevsite/$web/favicon.svg",
    ];
    assert_eq!(cloud.writes(), writes);
    assert_eq!(
        served(&cloud, "index.html").unwrap().body,
        b"<!doctype html>"
    );
    assert!(served(&cloud, "favicon.svg").is_none());
}

#[test]
fn site_deployment_waits_for_its_new_account() {
    let (cloud, program) = deployed(false);
    let folder = built(SITE);
    // The template's part: the account exists after `az` ran, and the role assignment a little
    // later.
    let plan = program.works(&arguments(&folder, &["--plan"]));
    assert!(
        plan.contains("3 to upload, 0 to remove, 0 unchanged"),
        "{plan}"
    );
    cloud.state().forbidden = 2;
    let ran = program.run(&arguments(&folder, &[]));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.err.contains("waiting for the permission to upload"),
        "{ran:?}"
    );
    assert!(served(&cloud, "index.html").is_some());
    // An operator without the right to read the account gets an error before the deployment.
    cloud.state().forbidden = 1;
    let message = program.refuses(&arguments(&folder, &[]), 1);
    assert!(
        message.contains("request the role Storage Blob Data Contributor"),
        "{message}"
    );
}

#[test]
fn account_of_documents_is_never_used_for_a_site() {
    let (cloud, program) = deployed(true);
    let folder = built(SITE);
    for more in [
        &["--site-account", "wmdevdocs"][..],
        &["--site-account", "theirs", "--storage-account", "theirs"],
    ] {
        let message = program.refuses(&arguments(&folder, more), 2);
        assert!(
            message.contains(
                "is the storage account of documents: choose another with `--site-account`"
            ),
            "{message}"
        );
    }
    // The program knows the account of documents from the deployment, without `--storage-account`.
    let recorded = "--parameters\nstorageAccountName=movedto\n";
    fs::write(program.home().join("deployed-wm-dev"), recorded).unwrap();
    let message = program.refuses(&arguments(&folder, &["--site-account", "movedto"]), 2);
    assert!(
        message.contains("`movedto` is the storage account of documents"),
        "{message}"
    );

    let private = "wmdevsite/$web/accounts/x/file.pdf".to_owned();
    cloud.state().blobs.insert(private, Blob::default());
    let message = program.refuses(&arguments(&folder, &[]), 1);
    assert!(
        message.contains("the storage account `wmdevsite` contains documents, below `accounts/`"),
        "{message}"
    );
    assert_eq!(cloud.writes(), [""; 0]);
    assert_eq!(runs(&program), [[""; 0]; 0]);
}

#[test]
fn non_sites_and_private_files_are_not_uploaded() {
    let (cloud, program) = deployed(true);
    let secret = format!("https://x.example/y?se=1&{}=abcdefgh12345678", "sig");
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
        (
            vec![("index.html", &*secret)],
            "a shared access signature in `index.html`",
        ),
    ] {
        let folder = built(&files);
        let ran = program.run(&arguments(&folder, &[]));
        assert!(ran.code.is_some_and(|code| code > 0), "{ran:?}");
        assert!(
            ran.err.contains(words) && !ran.err.contains("abcdefgh"),
            "{ran:?}"
        );
    }
    let message = program.refuses(&["deploy-site", "--from", "nowhere"], 1);
    assert!(
        message.contains("`nowhere` cannot be read; build the site first"),
        "{message}"
    );
    assert_eq!(cloud.writes(), [""; 0]);
    assert_eq!(runs(&program), [[""; 0]; 0]);
}

#[test]
fn site_requires_a_deployed_surface() {
    let cloud = deployable();
    let folder = built(SITE);
    let message = tooled(&cloud).refuses(&arguments(&folder, &[]), 1);
    let words = "the deployment `wm-dev` is not in the group `wm-dev`: run `wm deploy azure` first";
    assert!(message.contains(words), "{message}");
}
