//! Storage accounts and the database: retained and private.

use serde_json::{Value, json};
use wm_tests::arm::{Arm, SITE};

use super::{Findings, assert_check, deployed, expect, expect_equal, expect_members};

/// Every storage account, including those of the host and the site: no keys, no public container,
/// TLS only.
pub(crate) fn accounts(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let template = deployed(template, &[]);
    let accounts = template.of_type("Microsoft.Storage/storageAccounts");
    expect(&mut findings, !accounts.is_empty(), "there is no account");
    for (name, account) in accounts {
        let hardened = json!({
            "allowBlobPublicAccess": false,
            "allowSharedKeyAccess": false,
            "defaultToOAuthAuthentication": true,
            "allowCrossTenantReplication": false,
            "allowedCopyScope": "AAD",
            "isLocalUserEnabled": false,
            "supportsHttpsTrafficOnly": true,
            "minimumTlsVersion": "TLS1_2",
        });
        expect_members(&mut findings, name, &account["properties"], &hardened);
        let kind = &account["kind"];
        expect_equal(&mut findings, name, kind, &json!("StorageV2"));
        let blobs = format!("{}/default", account["name"].as_str().unwrap());
        let services = template.of_type("Microsoft.Storage/storageAccounts/blobServices");
        let service = services
            .iter()
            .find(|(_, service)| service["name"] == blobs);
        let service = service.map_or(&Value::Null, |(_, service)| &service["properties"]);
        for kept in ["deleteRetentionPolicy", "containerDeleteRetentionPolicy"] {
            let days = service[kept]["days"].as_u64().unwrap_or_default();
            expect(
                &mut findings,
                service[kept]["enabled"] == true && days >= 7,
                format!("{name}: what is deleted cannot be brought back: `{kept}`"),
            );
        }
    }
    for (name, container) in
        template.of_type("Microsoft.Storage/storageAccounts/blobServices/containers")
    {
        let access = &container["properties"]["publicAccess"];
        expect_equal(&mut findings, name, access, &json!("None"));
    }
    findings
}

#[test]
fn accounts_are_private_without_keys_and_over_tls() {
    assert_check(accounts);
    let findings = accounts(&Arm::read(SITE));
    assert!(findings.is_empty(), "{findings:#?}");
}

/// The resources that the template creates if `wm setup azure` has not, and leaves alone otherwise.
const DATA: [&str; 7] = [
    "cosmosAccount",
    "cosmosDatabase",
    "cosmosContainer",
    "storageAccount",
    "storageBlobs",
    "storageLifecycle",
    "storageContainer",
];

pub(crate) fn adopted(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let made = deployed(template, &[]);
    let left = deployed(template, &[("dataExists", json!(true))]);
    for name in DATA {
        expect(
            &mut findings,
            made.resource(name).is_object(),
            format!("{name} is not made"),
        );
        expect(
            &mut findings,
            left.resource(name).is_null(),
            format!("{name} is not left alone"),
        );
    }
    // Nothing else depends on it: the same deployment uses the data by name, whichever program
    // created it.
    let mut others = made.resources();
    others.retain(|(name, _)| !DATA.contains(name));
    expect(
        &mut findings,
        others == left.resources(),
        "the use of the data depends on its creator",
    );
    let leases = json!({
        "id": "leases",
        "partitionKey": { "paths": ["/id"], "kind": "Hash", "version": 2 },
    });
    let found = &left.properties("cosmosLeases")["resource"];
    expect_equal(&mut findings, "cosmosLeases", found, &leases);
    findings
}

#[test]
fn data_of_setup_is_used_unchanged() {
    assert_check(adopted);
}

/// Paid by use, or free. The service refuses both together.
pub(crate) fn paid(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    for (free, capabilities, options) in [
        (false, json!([{ "name": "EnableServerless" }]), json!({})),
        (true, json!([]), json!({ "throughput": 1000 })),
    ] {
        let template = deployed(template, &[("cosmosFreeTier", json!(free))]);
        let account = json!({ "enableFreeTier": free, "capabilities": capabilities });
        expect_members(
            &mut findings,
            "cosmosAccount",
            template.properties("cosmosAccount"),
            &account,
        );
        let database = &template.properties("cosmosDatabase")["options"];
        expect_equal(&mut findings, "cosmosDatabase", database, &options);
    }
    findings
}

#[test]
fn database_is_paid_by_use_or_free() {
    assert_check(paid);
}
