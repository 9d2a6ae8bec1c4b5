//! Tests of `cargo xtask check`.

use std::fs;

use wm_core::{catalog::Provider, selection::BackendSelection};
use wm_test_results::Recording;

use crate::support::{Checkout, assert_names, root, xtask};

impl Checkout {
    /// The only violation, found by this check.
    #[track_caller]
    fn broken(&self, check: &str) -> String {
        let found = self.all_broken(check);
        let [only] = &found[..] else {
            panic!("not one violation: {found:#?}")
        };
        only.clone()
    }

    /// The violations, all found by this check.
    #[track_caller]
    fn all_broken(&self, check: &str) -> Vec<String> {
        let ran = self.xtask(&["check"]).expect(1);
        let lines = ran.stdout.lines();
        let broken: Vec<_> = lines.filter(|line| line.starts_with("broken")).collect();
        assert_eq!(broken.len(), 1, "{ran:#?}");
        assert!(broken[0].contains(&format!(" {check} ")), "{ran:#?}");
        let violations = ran.stderr.lines();
        violations
            .map(|line| line.strip_prefix("error: ").unwrap().to_owned())
            .collect()
    }
}

#[test]
fn checkout_passes_every_check() {
    let _recording = Recording::start();
    let ran = xtask(&root(), &["check"]).expect(0);
    let checks: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(checks.len(), 6, "{ran:#?}");
    assert!(
        checks.iter().all(|line| line.starts_with("holds ")),
        "{ran:#?}"
    );
    assert_eq!(ran.stderr, "");
    let copied = Checkout::new();
    let ran = copied.xtask(&["check"]).expect(0);
    for looked_at in [
        "(21 examples of families, ",
        " sections)\n",
        "(3 providers, ",
        "(10 concerns, ",
        " in the goldens)\n",
        " files, 3 selections, no built site)\n",
    ] {
        assert_names(&ran.stdout, &[looked_at]);
    }
    // From a subfolder as well.
    xtask(&copied.0.path().join("docs"), &["check"]).expect(0);
}

#[test]
fn unexplained_field_is_found() {
    let checkout = Checkout::new();
    checkout.replace("docs/data-identity-model.md", "`claimed_until`", "it");
    assert_names(
        &checkout.broken("fields"),
        &[
            "`docs/data-identity-model.md`",
            "`claimed_until`",
            "`tests/goldens/items/delivery.json`",
        ],
    );
}

#[test]
fn unexplained_family_is_found() {
    let checkout = Checkout::new();
    checkout.write("tests/goldens/items/parcel.json", r#"[{"weight": 1}]"#);
    let found = checkout.all_broken("fields");
    assert_eq!(found.len(), 2, "{found:?}");
    assert_names(&found.concat(), &["`parcel`", "`weight`"]);
}

#[test]
fn field_explained_for_another_family_only_is_found() {
    const MODEL: &str = "docs/data-identity-model.md";
    for (from, to, words) in [
        (
            "| `salt` | as in `user` |",
            "| it | |",
            ["`salt` under `invitation`", "invitation.json"],
        ),
        (
            "| `upload_id` |",
            "| it |",
            ["`upload_id` under `derived`", "derived.json"],
        ),
        (
            "| `sort` |",
            "| it |",
            ["`sort` under `Items`", "account.json"],
        ),
        (
            "| `checksum` |",
            "| it |",
            ["`checksum` under `The envelope`", "account.json"],
        ),
        (
            "### `metadata`\n",
            "### Statements\n",
            ["no section for `metadata`", "metadata.json"],
        ),
    ] {
        let checkout = Checkout::new();
        checkout.replace(MODEL, from, to);
        let found = checkout.all_broken("fields").join("\n");
        assert_names(&found, &words);
        assert_names(&found, &[MODEL]);
    }
}

#[test]
fn differing_pages_are_found() {
    for (path, from, to, words) in [
        (
            "docs/azure.md",
            "\n## Storage\n",
            "\n## Files\n",
            ["`docs/azure.md`", "no section `Storage`"],
        ),
        (
            "docs/aws.md",
            "\n## Roles\n",
            "\n## Rights\n",
            ["`docs/azure.md` has `Roles`", "`docs/aws.md` has `Rights`"],
        ),
        (
            "docs/aws.md",
            "\n## Limits\n",
            "\n",
            ["`docs/azure.md` has `Limits`", "same order"],
        ),
    ] {
        let checkout = Checkout::new();
        checkout.replace(path, from, to);
        assert_names(&checkout.broken("pages"), &words);
    }
    let checkout = Checkout::new();
    checkout.replace("docs/aws.md", "\n## Identity\n", "\n## Other\n");
    checkout.replace("docs/aws.md", "\n## Storage\n", "\n## Identity\n");
    checkout.replace("docs/aws.md", "\n## Other\n", "\n## Storage\n");
    assert_names(
        &checkout.broken("pages"),
        &["`docs/aws.md` has `Storage` too early", "Identity, Storage"],
    );
}

#[test]
fn provider_without_label_or_default_is_found() {
    const CATALOG: &str = "core/src/catalog.rs";
    for (from, to, words) in [
        (
            "label: \"Microsoft Azure\"",
            "label: \"\"",
            ["no label", "`azure`"],
        ),
        (
            "service(Concern::Mail, \"SES\"),",
            "",
            ["service for `Mail`", "`aws`"],
        ),
        (
            "service(Concern::Secrets, \"Key Vault + App Configuration\")",
            "service(Concern::Secrets, \"\")",
            ["service for `Secrets`", "`azure`"],
        ),
        (
            "fixed(\"identity.service\", \"Cognito\"),",
            "",
            ["field below `identity`", "`aws`"],
        ),
        (
            "\"database.database\",\n            \"workspace\"",
            "\"database.database\",\n            \"\"",
            ["default of `database.database`", "`azure`"],
        ),
    ] {
        let checkout = Checkout::new();
        checkout.replace(CATALOG, from, to);
        let found = checkout.broken("catalog");
        assert_names(&found, &words);
        assert_names(&found, &[CATALOG]);
    }
    let checkout = Checkout::new();
    let shared = "\"database.itemContainer\",\n    \"workspace_items\"";
    checkout.replace(CATALOG, shared, "\"database.itemContainer\",\n    \"\"");
    assert_eq!(checkout.all_broken("catalog").len(), 3);
    let checkout = Checkout::new();
    checkout.replace(
        CATALOG,
        "    /// Secrets and",
        "    Search,\n    /// Secrets and",
    );
    let found = checkout.all_broken("catalog");
    assert_eq!(found.len(), 3, "{found:?}");
    assert_names(&found.concat(), &["service for `Search`"]);
}

#[test]
fn concern_missing_in_one_template_is_found() {
    let (aws, azure) = ("infra/aws/template.yaml", "infra/azure/main.json");
    for (path, from, to, words) in [
        (
            aws,
            "    Type: AWS::SecretsManager::Secret\n",
            "    Type: AWS::KMS::Key\n",
            ["AWS::SecretsManager::Secret", "`secrets and names`"],
        ),
        (
            azure,
            "\"Microsoft.Insights/metricAlerts\"",
            "\"Microsoft.Insights/webtests\"",
            ["Microsoft.Insights/metricAlerts", "`alarms`"],
        ),
    ] {
        let checkout = Checkout::new();
        checkout.replace(path, from, to);
        let found = checkout.broken("templates");
        assert_names(&found, &words);
        assert_names(&found, &[path]);
    }
    let checkout = Checkout::new();
    checkout.replace(aws, "-- persistence\n", "-- search\n");
    let found = checkout.all_broken("templates");
    assert_eq!(found.len(), 2, "{found:?}");
    assert_names(&found[0], &["AWS::DynamoDB::Table", "`persistence`"]);
    assert_names(&found[1], &["`search`", "both clouds"]);
}

#[test]
fn path_of_another_shape_is_found() {
    let _recording = Recording::start();
    let checkout = Checkout::new();
    let raw = "artifacts/{artifact}/raw/{version}/{file}";
    checkout.replace("docs/data-identity-model.md", raw, "files/{file}");
    let found = checkout.all_broken("paths");
    assert_eq!(found.len(), 2, "{found:?}");
    let page = "`docs/data-identity-model.md`";
    assert_names(&found[0], &[page, "does not say", raw]);
    assert_names(&found[1], &[page, "/files/{file}"]);

    let checkout = Checkout::new();
    let source = "core/src/storage/object_path.rs";
    checkout.replace(source, "…/derived/{derived}/{file}", "elsewhere");
    assert_names(&checkout.broken("paths"), &[source, "derived/{derived}"]);

    let ulid = "01arz3ndektsv4rrffq69g5fav";
    let below = format!("accounts/acc_{ulid}/projects/prj_{ulid}{ulid}/artifacts/art_{ulid}");
    let checkout = Checkout::new();
    let golden = "tests/goldens/sample.txt";
    let good = format!("https://x.example/{below}/raw/1/plan.txt?a=b /v1/accounts/acc_{ulid}\n");
    checkout.write(golden, &good);
    checkout.xtask(&["check"]).expect(0);
    checkout.write(golden, &good.replace("/raw/1/", "/raw/01/"));
    assert_names(&checkout.broken("paths"), &[golden, "/raw/01/plan.txt`"]);
}

#[test]
fn secret_is_found_and_not_repeated() {
    let key = format!("AK{}IOSFODNN7EXAMPLE", "IA");
    let page = "<p>";
    for (path, text, what) in [
        ("docs/notes.md", format!("One\nTwo {key}\n"), "line 2"),
        ("tests/tests/some.rs", format!("\"{key}\""), "an access key"),
        (
            "tests/tests/some.rs",
            format!("pass{} = \"correcthorsebatterystaple\"", "word"),
            "a password",
        ),
        (
            "tests/tests/some.rs",
            format!("one\npass{}:\n  \"correcthorsebatterystaple\"", "word"),
            "a password in line 2",
        ),
        ("docs/id_rsa", page.into(), "`docs/id_rsa` is a file"),
        ("infra/state.tfstate", page.into(), "`infra/state.tfstate`"),
        ("web/dist/keys/server.pem", page.into(), "keys/server.pem"),
        ("web/build/.env", page.into(), ".env"),
    ] {
        let checkout = Checkout::new();
        for folder in ["web/dist", "web/build"] {
            checkout.write(&format!("{folder}/index.html"), page);
        }
        checkout.xtask(&["check"]).expect(0);
        checkout.write(path, &text);
        let found = checkout.broken("secrets");
        assert_names(&found, &[what]);
        assert!(!found.contains(&key), "{found}");
    }
}

#[test]
fn binary_files_are_checked_too() {
    let checkout = Checkout::new();
    let path = checkout.0.path().join("docs/picture.bin");
    fs::write(&path, [0xff, 0xfe, 0x00, b'\n']).unwrap();
    checkout.xtask(&["check"]).expect(0);
    let key = format!("\nAK{}IOSFODNN7EXAMPLE\n", "IA");
    fs::write(&path, [&[0xff, 0xfe][..], key.as_bytes(), &[0xff]].concat()).unwrap();
    let found = checkout.broken("secrets");
    assert_names(&found, &["`docs/picture.bin`", "an access key in line 2"]);
}

#[test]
fn certificates_are_no_secrets() {
    let checkout = Checkout::new();
    let certificate = |kind: &str| format!("-----BEGIN {kind}-----\nMII\n-----END {kind}-----\n");
    checkout.write("docs/roots.pem", &certificate("CERTIFICATE"));
    checkout.xtask(&["check"]).expect(0);
    let key = certificate(&format!("{} KEY", "PRIVATE"));
    checkout.write("docs/roots.pem", &(certificate("CERTIFICATE") + &key));
    let found = checkout.all_broken("secrets");
    assert_names(&found[0], &["`docs/roots.pem` is a file"]);
    assert_names(&found[1], &["a private key", "line 4"]);
}

#[test]
fn build_output_is_checked_as_a_site() {
    let checkout = Checkout::new();
    // In code of other authors this is a label.
    let label = format!("pass{}:\"correcthorsebatterystaple\"", "word");
    checkout.write("web/dist/index.html", "<p>");
    checkout.write("web/dist/app.js", &label);
    let ran = checkout.xtask(&["check"]).expect(0);
    assert_names(&ran.stdout, &[" selections, web/dist)\n"]);
    checkout.write("web/distant/app.js", &label);
    assert_names(&checkout.broken("secrets"), &["web/distant/app.js"]);
}

#[test]
fn selection_with_other_values_than_names_is_found() {
    let checkout = Checkout::new();
    let file = "web/src/config/backend.js";
    let selection = BackendSelection::defaults(Provider::Azure);
    checkout.write(file, &selection.module());
    let ran = checkout.xtask(&["check"]).expect(0);
    assert_names(&ran.stdout, &[" 4 selections,"]);
    let random = ["wJalrXUtnF9EMI", "K7MDENGbPxRfiCY9zz3Kq7Yw"].concat();
    checkout.replace(file, "workspacemanagedevdocs", &random);
    let found = checkout.broken("secrets");
    assert_names(&found, &[file, "`storage.account`"]);
    assert!(!found.contains(&random), "{found}");
}
