//! `wm setup azure` and the template create the same resources, field by field.

use serde_json::{Value, json};
use wm_azure_deploy::setup::baseline::{
    BASELINE, BLOB_DATA_CONTRIBUTOR, Baseline, COSMOS_DATA_CONTRIBUTOR, CosmosBaseline,
    StorageBaseline,
};
use wm_core::storage::Index;
use wm_tests::arm::Arm;

use super::{Findings, assert_check, deployed, expect, expect_equal, expect_members};

/// An allowed origin of pages.
const ORIGIN: &str = "https://app.example.com";

pub(crate) fn storage(template: &Arm) -> Findings {
    // Destructured, so that a field without a comparison does not compile.
    let Baseline { storage, cosmos: _ } = BASELINE;
    let StorageBaseline {
        api,
        kind,
        sku,
        access_tier,
        hierarchical_namespace,
        public_blobs,
        shared_key,
        identity_by_default,
        cross_tenant_replication,
        copy_scope,
        local_users,
        https_only,
        minimum_tls,
        public_network,
        network_default,
        versioning,
        deleted_blobs_days,
        deleted_containers_days,
        old_versions,
        cors,
        container_access,
    } = storage;
    let mut findings = Findings::new();
    let template = deployed(template, &[("allowedOrigins", json!([ORIGIN]))]);
    let account = json!({
        "apiVersion": api, "kind": kind, "sku": { "name": sku },
        "properties": {
            "accessTier": access_tier,
            "isHnsEnabled": hierarchical_namespace,
            "allowBlobPublicAccess": public_blobs,
            "allowSharedKeyAccess": shared_key,
            "defaultToOAuthAuthentication": identity_by_default,
            "allowCrossTenantReplication": cross_tenant_replication,
            "allowedCopyScope": copy_scope,
            "isLocalUserEnabled": local_users,
            "supportsHttpsTrafficOnly": https_only,
            "minimumTlsVersion": minimum_tls,
            "publicNetworkAccess": public_network,
            "networkAcls": { "defaultAction": network_default, "bypass": "AzureServices" },
        },
    });
    let found = template.resource("storageAccount");
    expect_members(&mut findings, "storageAccount", found, &account);
    let blobs = json!({
        "isVersioningEnabled": versioning,
        "deleteRetentionPolicy": { "enabled": true, "days": deleted_blobs_days },
        "containerDeleteRetentionPolicy": { "enabled": true, "days": deleted_containers_days },
        "cors": { "corsRules": [{
            "allowedOrigins": [ORIGIN],
            "allowedMethods": cors.methods,
            "allowedHeaders": cors.headers,
            "exposedHeaders": cors.exposed,
            "maxAgeInSeconds": cors.max_age,
        }] },
    });
    let found = template.properties("storageBlobs");
    expect_equal(&mut findings, "storageBlobs", found, &blobs);
    let rule = json!({
        "name": old_versions.name, "enabled": true, "type": "Lifecycle",
        "definition": {
            "filters": { "blobTypes": old_versions.blob_types },
            "actions": { "version": { "delete": { "daysAfterCreationGreaterThan": old_versions.days } } },
        },
    });
    let found = &template.properties("storageLifecycle")["policy"]["rules"];
    expect_equal(&mut findings, "storageLifecycle", found, &json!([rule]));
    let found = &template.properties("storageContainer")["publicAccess"];
    expect_equal(
        &mut findings,
        "storageContainer",
        found,
        &json!(container_access),
    );
    findings
}

pub(crate) fn cosmos(template: &Arm) -> Findings {
    let CosmosBaseline {
        api,
        kind,
        offer,
        consistency,
        multiple_writers,
        automatic_failover,
        local_auth_disabled,
        key_metadata_writes_disabled,
        minimal_tls,
        public_network,
        backup,
        backup_tier,
        serverless,
        free_throughput,
        records,
        leases,
    } = BASELINE.cosmos;
    let mut findings = Findings::new();
    let free = deployed(template, &[("cosmosFreeTier", json!(true))]);
    let template = deployed(template, &[]);
    let account = json!({
        "apiVersion": api, "kind": kind,
        "properties": {
            "databaseAccountOfferType": offer,
            "locations": [{ "locationName": "{resourceGroup.location}", "failoverPriority": 0, "isZoneRedundant": false }],
            "consistencyPolicy": { "defaultConsistencyLevel": consistency },
            "enableMultipleWriteLocations": multiple_writers,
            "enableAutomaticFailover": automatic_failover,
            "disableLocalAuth": local_auth_disabled,
            "disableKeyBasedMetadataWriteAccess": key_metadata_writes_disabled,
            "minimalTlsVersion": minimal_tls,
            "publicNetworkAccess": public_network,
            "networkAclBypass": "None",
            "backupPolicy": { "type": backup, "continuousModeProperties": { "tier": backup_tier } },
            "enableFreeTier": false,
            "capabilities": [{ "name": serverless }],
        },
    });
    let found = template.resource("cosmosAccount");
    expect_members(&mut findings, "cosmosAccount", found, &account);
    let found = &free.properties("cosmosDatabase")["options"]["throughput"];
    expect_equal(
        &mut findings,
        "cosmosDatabase",
        found,
        &json!(free_throughput),
    );
    let paths = |paths: &[&str]| -> Vec<Value> {
        paths.iter().map(|path| json!({ "path": path })).collect()
    };
    let ascending =
        |pair: &[&str; 2]| pair.map(|path| json!({ "path": path, "order": "ascending" }));
    let ordered: Vec<_> = records.ordered.iter().map(ascending).collect();
    let container = json!({
        "id": "workspace_items",
        "partitionKey": {
            "paths": [records.partition_key], "kind": records.partition_kind, "version": records.partition_version,
        },
        "defaultTtl": records.default_ttl,
        "indexingPolicy": {
            "indexingMode": records.indexing_mode,
            "automatic": true,
            "includedPaths": paths(records.indexed),
            "excludedPaths": paths(records.not_indexed),
            "compositeIndexes": ordered,
        },
    });
    let found = &template.properties("cosmosContainer")["resource"];
    expect_equal(&mut findings, "cosmosContainer", found, &container);
    let found = &template.properties("cosmosLeases")["resource"];
    let expected = json!({ "id": leases.name, "partitionKey": { "paths": [leases.partition_key], "kind": "Hash", "version": 2 } });
    expect_equal(&mut findings, "cosmosLeases", found, &expected);
    findings
}

pub(crate) fn roles(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let variables = &template.0["variables"];
    for (found, expected) in [
        (
            &variables["roles"]["storageBlobDataContributor"],
            BLOB_DATA_CONTRIBUTOR,
        ),
        (
            &variables["cosmosRoles"]["dataContributor"],
            COSMOS_DATA_CONTRIBUTOR,
        ),
    ] {
        expect(
            &mut findings,
            found == expected,
            format!("a role is {found}, not {expected}"),
        );
    }
    findings
}

#[test]
fn setup_and_template_create_the_same_resources() {
    assert_check(storage);
    assert_check(cosmos);
    assert_check(roles);
}

#[test]
fn every_list_has_its_index_and_bodies_have_none() {
    let records = BASELINE.cosmos.records;
    // The keys of the base, and one pair per listing.
    assert_eq!(records.ordered.len(), 1 + Index::ALL.len());
    for pair in records.ordered {
        for path in pair {
            let indexed = records.indexed.contains(&format!("{path}/?").as_str());
            assert!(indexed, "`{path}` is ordered and not indexed");
        }
    }
    assert_eq!(records.indexed.len(), 2 * records.ordered.len());
    assert!(records.not_indexed.contains(&"/*"));
}
