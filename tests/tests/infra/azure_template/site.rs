use serde_json::json;
use wm_core::{catalog::Provider, selection::BackendSelection};
use wm_tests::arm::{Arm, SITE};

use super::{Findings, deployed, expect, expect_equal, expect_members};

pub(crate) fn apart(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let evaluated = deployed(template, &[]);
    let documents = BackendSelection::defaults(Provider::Azure);
    let documents = documents.name("storage.account").unwrap();
    let name = &evaluated.resource("site")["name"];
    expect_equal(
        &mut findings,
        "site",
        name,
        &json!("workspacemanagedevsite"),
    );
    // It contains nothing of the surface and can never be the surface's account.
    let text = evaluated.0["resources"].to_string();
    expect(
        &mut findings,
        !text.contains(documents),
        "the template of the site touches documents",
    );
    let same = deployed(
        template,
        &[("siteStorageAccountName", json!(documents.to_uppercase()))],
    );
    let refused = &same.resource("site")["name"];
    expect_equal(&mut findings, "a site among documents", refused, &json!(""));
    let pages = json!({
        "enabled": true,
        "indexDocument": "index.html",
        "errorDocument404Path": "index.html",
    });
    let blobs = evaluated.properties("siteBlobs");
    let expected = json!({ "staticWebsite": pages, "isVersioningEnabled": true });
    expect_members(&mut findings, "siteBlobs", blobs, &expected);
    // Its uploader may upload to it. No other right is given.
    let rights = evaluated.of_type("Microsoft.Authorization/roleAssignments");
    expect(&mut findings, rights.len() == 1, "others have rights");
    for (name, right) in rights {
        let place = json!("Microsoft.Storage/storageAccounts/workspacemanagedevsite");
        expect_equal(&mut findings, name, &right["scope"], &place);
    }
    findings
}

#[test]
fn site_is_separate_from_the_documents() {
    let findings = apart(&Arm::read(SITE));
    assert!(findings.is_empty(), "{findings:#?}");
}
