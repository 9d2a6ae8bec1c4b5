//! `wm setup azure`: it creates the same result from any earlier state.

use std::process::{Command, Stdio};

use serde_json::{Value, json};
use wm_core::{catalog::Provider, selection::BackendSelection};

use super::{
    Program, Ran,
    cloud::{Cloud, PERSON, SUBSCRIPTION, Shut},
};

/// The ids of all created resources, after the subscription's.
pub(crate) struct Ids {
    pub(crate) group: String,
    pub(crate) storage: String,
    pub(crate) blobs: String,
    pub(crate) lifecycle: String,
    pub(crate) documents: String,
    pub(crate) cosmos: String,
    pub(crate) database: String,
    pub(crate) records: String,
    pub(crate) leases: String,
}

/// The ids of a deployment with this stem and this storage account.
pub(crate) fn ids(stem: &str, storage: &str) -> Ids {
    let group = format!("/resourceGroups/{stem}");
    let storage = format!("{group}/providers/Microsoft.Storage/storageAccounts/{storage}");
    let cosmos = format!("{group}/providers/Microsoft.DocumentDB/databaseAccounts/{stem}-cosmos");
    let database = format!("{cosmos}/sqlDatabases/workspace");
    Ids {
        blobs: format!("{storage}/blobServices/default"),
        lifecycle: format!("{storage}/managementPolicies/default"),
        documents: format!("{storage}/blobServices/default/containers/workspace-documents"),
        records: format!("{database}/containers/workspace_items"),
        leases: format!("{database}/containers/leases"),
        group,
        storage,
        cosmos,
        database,
    }
}

/// The deployment of these tests, with the prefix `wm`.
fn wm() -> Ids {
    ids("wm-dev", "wmdevdocs")
}

const SETUP: [&str; 3] = ["setup", "--prefix", "wm"];
const BLOB_DATA_CONTRIBUTOR: &str = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";

/// A subscription with the needed provider registrations.
fn registered() -> Cloud {
    let cloud = Cloud::start();
    for provider in ["Microsoft.Storage", "Microsoft.DocumentDB"] {
        let id = format!("/subscriptions/{SUBSCRIPTION}/providers/{provider}");
        let found = json!({ "registrationState": "Registered" });
        cloud.state().resources.insert(id.to_lowercase(), found);
    }
    cloud
}

/// A registered subscription with the resource group.
fn grouped() -> Cloud {
    let cloud = registered();
    cloud.put(
        &wm().group,
        json!({ "location": "westeurope", "tags": { "owner": "them" } }),
    );
    cloud
}

/// Asserts the expected state of all resources.
#[track_caller]
fn assert_hardened(cloud: &Cloud) {
    let ids = wm();
    let storage = cloud.resource(&ids.storage);
    assert_eq!(storage["kind"], "StorageV2");
    for (name, wanted) in [
        ("allowBlobPublicAccess", json!(false)),
        ("allowSharedKeyAccess", json!(false)),
        ("allowCrossTenantReplication", json!(false)),
        ("allowedCopyScope", json!("AAD")),
        ("isLocalUserEnabled", json!(false)),
        ("supportsHttpsTrafficOnly", json!(true)),
        ("minimumTlsVersion", json!("TLS1_2")),
        ("provisioningState", json!("Succeeded")),
    ] {
        assert_eq!(storage["properties"][name], wanted, "{name}");
    }
    let blobs = cloud.resource(&ids.blobs)["properties"].take();
    assert_eq!(blobs["isVersioningEnabled"], true);
    for policy in ["deleteRetentionPolicy", "containerDeleteRetentionPolicy"] {
        assert_eq!(blobs[policy], json!({ "enabled": true, "days": 30 }));
    }
    let lifecycle = cloud.resource(&ids.lifecycle);
    let rules = lifecycle["properties"]["policy"]["rules"]
        .as_array()
        .unwrap()
        .iter();
    assert_eq!(
        rules.filter(|rule| rule["name"] == "old-versions").count(),
        1
    );
    assert_eq!(
        cloud.resource(&ids.documents)["properties"]["publicAccess"],
        "None"
    );
    let cosmos = cloud.resource(&ids.cosmos)["properties"].take();
    for (name, wanted) in [
        ("disableLocalAuth", json!(true)),
        ("disableKeyBasedMetadataWriteAccess", json!(true)),
        ("enableMultipleWriteLocations", json!(false)),
        ("minimalTlsVersion", json!("Tls12")),
        ("provisioningState", json!("Succeeded")),
    ] {
        assert_eq!(cosmos[name], wanted, "{name}");
    }
    assert_eq!(
        cosmos["consistencyPolicy"]["defaultConsistencyLevel"],
        "Strong"
    );
    assert_eq!(cosmos["backupPolicy"]["type"], "Continuous");
    let records = cloud.resource(&ids.records)["properties"]["resource"].take();
    assert_eq!(records["partitionKey"]["paths"], json!(["/pk"]));
    assert_eq!(records["defaultTtl"], -1);
    let index = &records["indexingPolicy"];
    assert!(
        index["includedPaths"].as_array().unwrap().len() >= 10,
        "{index}"
    );
    assert!(
        index["compositeIndexes"].as_array().unwrap().len() >= 5,
        "{index}"
    );
    let leases = cloud.resource(&ids.leases);
    assert_eq!(
        leases["properties"]["resource"]["partitionKey"]["paths"],
        json!(["/id"])
    );
    for tagged in [&ids.storage, &ids.cosmos] {
        assert_eq!(
            cloud.resource(tagged)["tags"]["application"],
            "workspace-management"
        );
    }
    assert_eq!(roles(cloud).len(), 1, "{:?}", roles(cloud));
}

/// The role assignments.
fn roles(cloud: &Cloud) -> Vec<Value> {
    let state = cloud.state();
    let all = state.resources.iter();
    let roles = all.filter(|(id, _)| id.contains("/roleassignments/"));
    roles.map(|(_, role)| role["properties"].clone()).collect()
}

/// Asserts that a second run finds no changes and requests none.
#[track_caller]
fn assert_no_changes(cloud: &Cloud, arguments: &[&str]) {
    cloud.again(None);
    let out = Program::azure(cloud).works(arguments);
    assert!(out.contains("no changes"), "{out}");
    assert_eq!(cloud.writes(), [""; 0], "what is hardened is written to");
}

#[test]
fn setup_creates_all_resources_and_plan_creates_none() {
    let cloud = Cloud::start();
    let program = Program::azure(&cloud);
    let origin = ["--origin", "https://docs.example.com"];
    let arguments = [&SETUP[..], &origin].concat();
    let plan = program.works(&[&arguments[..], &["--plan"]].concat());
    let counted = "to create, 0 to change; nothing was changed";
    assert!(plan.contains(counted), "{plan}");
    assert_eq!(cloud.writes(), [""; 0]);

    let ran = program.run(&arguments);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("created, 0 changed"), "{ran:?}");
    assert!(ran.out.contains("next: `wm deploy azure`"), "{ran:?}");
    assert!(
        ran.err.contains("waiting: create the database account"),
        "{ran:?}"
    );
    assert_hardened(&cloud);
    let ids = wm();
    assert_eq!(cloud.resource(&ids.group)["location"], "eastus");
    let cors = cloud.resource(&ids.blobs)["properties"]["cors"]["corsRules"].take();
    assert_eq!(
        cors[0]["allowedOrigins"],
        json!(["https://docs.example.com"])
    );
    assert_eq!(cors[0]["allowedMethods"], json!(["GET", "HEAD", "PUT"]));
    let role = &roles(&cloud)[0];
    assert_eq!(
        (&role["principalId"], &role["principalType"]),
        (&json!(PERSON), &json!("User"))
    );
    let definition = role["roleDefinitionId"].as_str().unwrap();
    assert!(definition.ends_with(BLOB_DATA_CONTRIBUTOR), "{definition}");
    let scope = role["scope"].as_str().unwrap();
    assert!(
        scope.ends_with("/containers/workspace-documents"),
        "{scope}"
    );
    let cosmos = cloud.resource(&ids.cosmos)["properties"].take();
    assert_eq!(
        cosmos["capabilities"],
        json!([{ "name": "EnableServerless" }])
    );
    assert_no_changes(&cloud, &arguments);
    // Origins stay if a later run does not name them.
    assert_no_changes(&cloud, &SETUP);
}

#[test]
fn free_tier_is_used_if_selected() {
    let cloud = registered();
    let program = Program::azure(&cloud).with("AZURE_COSMOS_ENABLE_FREE_TIER", "true");
    let out = program.works(&SETUP);
    assert!(out.contains("free tier"), "{out}");
    let ids = wm();
    let cosmos = cloud.resource(&ids.cosmos)["properties"].take();
    assert_eq!(
        (&cosmos["enableFreeTier"], &cosmos["capabilities"]),
        (&json!(true), &json!([]))
    );
    let database = cloud.resource(&ids.database);
    assert_eq!(database["properties"]["options"]["throughput"], 1000);
    assert_no_changes(&cloud, &SETUP);
    let wrong = Program::azure(&cloud).with("AZURE_COSMOS_ENABLE_FREE_TIER", "yes");
    assert_eq!(wrong.run(&SETUP).code, Some(2));
}

/// A storage account and a database account without settings.
fn bare(cloud: &Cloud) {
    let ids = wm();
    cloud.put(&ids.storage, json!({
        "kind": "StorageV2", "location": "westeurope", "sku": { "name": "Standard_LRS" },
        "properties": { "provisioningState": "Succeeded", "supportsHttpsTrafficOnly": false, "minimumTlsVersion": "TLS1_0" },
    }));
    cloud.put(
        &ids.blobs,
        json!({ "properties": { "deleteRetentionPolicy": { "enabled": false } } }),
    );
    cloud.put(
        &ids.documents,
        json!({ "properties": { "publicAccess": "Blob" } }),
    );
    cloud.put(&ids.cosmos, json!({
        "kind": "GlobalDocumentDB", "location": "West Europe",
        "properties": {
            "provisioningState": "Succeeded", "consistencyPolicy": { "defaultConsistencyLevel": "Session" },
            "backupPolicy": { "type": "Periodic" }, "enableMultipleWriteLocations": true,
            "capabilities": [],
        },
    }));
    cloud.put(
        &ids.database,
        json!({ "properties": { "resource": { "id": "workspace" } } }),
    );
    cloud.put(
        &ids.records,
        json!({ "properties": { "resource": {
        "id": "workspace_items", "partitionKey": { "paths": ["/pk"], "kind": "Hash", "version": 2 },
    } } }),
    );
    let state = &mut cloud.state().resources;
    for resource in state.values_mut() {
        if resource["properties"]["provisioningState"] == "Updating" {
            resource["properties"]["provisioningState"] = "Succeeded".into();
        }
    }
}

#[test]
fn bare_accounts_are_hardened() {
    let cloud = grouped();
    bare(&cloud);
    let out = Program::azure(&cloud).works(&SETUP);
    for changed in [
        "TLS1_0 \u{2192} TLS1_2",
        "public: Blob \u{2192} private",
        "Session \u{2192} Strong",
        "Periodic \u{2192} Continuous, Continuous30Days",
        "not set \u{2192} off",
    ] {
        assert!(out.contains(changed), "{changed}: {out}");
    }
    assert_hardened(&cloud);
    let ids = wm();
    // Properties that are fixed at creation stay.
    assert_eq!(cloud.resource(&ids.storage)["sku"]["name"], "Standard_LRS");
    assert_eq!(
        cloud.resource(&ids.cosmos)["properties"]["capabilities"],
        json!([])
    );
    assert_eq!(
        cloud.resource(&ids.group)["tags"],
        json!({ "owner": "them" })
    );
    let index = cloud.resource(&ids.records)["properties"]["resource"]["indexingPolicy"].take();
    let everything = json!("/*");
    let mut included = index["includedPaths"].as_array().unwrap().iter();
    assert!(!included.any(|path| path["path"] == everything), "{index}");
    assert_no_changes(&cloud, &SETUP);
}

#[test]
fn foreign_files_are_kept() {
    let cloud = grouped();
    bare(&cloud);
    let ids = wm();
    let theirs = json!({
        "allowedOrigins": ["https://theirs.example.com"], "allowedMethods": ["GET"],
        "allowedHeaders": [], "exposedHeaders": [], "maxAgeInSeconds": 5,
    });
    cloud.put(
        &ids.blobs,
        json!({ "properties": {
        "changeFeed": { "enabled": true },
        "deleteRetentionPolicy": { "enabled": true, "days": 90 },
        "cors": { "corsRules": [theirs] },
    } }),
    );
    let rule = json!({ "name": "exports", "enabled": true, "type": "Lifecycle", "definition": {
        "filters": { "blobTypes": ["blockBlob"], "prefixMatch": ["exports/"] },
        "actions": { "baseBlob": { "delete": { "daysAfterModificationGreaterThan": 3 } } },
    } });
    cloud.put(
        &ids.lifecycle,
        json!({ "properties": { "policy": { "rules": [rule] } } }),
    );
    {
        let resources = &mut cloud.state().resources;
        let id = |id: &str| format!("/subscriptions/{SUBSCRIPTION}{id}").to_lowercase();
        let storage = resources.get_mut(&id(&ids.storage)).unwrap();
        storage["tags"] = json!({ "owner": "them", "environment": "test" });
        storage["properties"]["networkAcls"] = json!({ "defaultAction": "Deny" });
        let records = resources.get_mut(&id(&ids.records)).unwrap();
        records["properties"]["resource"]["indexingPolicy"] = json!({
            "indexingMode": "consistent", "automatic": true,
            "includedPaths": [{ "path": "/body/theirs/?" }], "excludedPaths": [{ "path": "/*" }],
            "compositeIndexes": [[{ "path": "/a", "order": "ascending" }, { "path": "/b", "order": "descending" }]],
        });
        records["tags"] = json!({ "owner": "them" });
    }
    let arguments = [
        &SETUP[..],
        &[
            "--origin",
            "https://docs.example.com",
            "--tags",
            "team=docs",
        ],
    ]
    .concat();
    let out = Program::azure(&cloud).works(&arguments);
    for kept in [
        "rule exports",
        "origins https://theirs.example.com",
        "network",
        "other index entries",
    ] {
        let mut lines = out.lines();
        let is_kept = lines.any(|line| line.starts_with("  kept ") && line.contains(kept));
        assert!(is_kept, "{kept}: {out}");
    }
    let blobs = cloud.resource(&ids.blobs)["properties"].take();
    assert_eq!(blobs["changeFeed"], json!({ "enabled": true }));
    assert_eq!(blobs["deleteRetentionPolicy"]["days"], 90);
    assert_eq!(blobs["cors"]["corsRules"].as_array().unwrap().len(), 2);
    assert_eq!(blobs["cors"]["corsRules"][0], theirs);
    let rules = cloud.resource(&ids.lifecycle)["properties"]["policy"]["rules"].take();
    assert_eq!(rules[0], rule);
    let storage = cloud.resource(&ids.storage);
    let tags = json!({ "application": "workspace-management", "environment": "dev", "owner": "them", "team": "docs" });
    assert_eq!(storage["tags"], tags);
    assert_eq!(
        storage["properties"]["networkAcls"]["defaultAction"],
        "Deny"
    );
    let records = cloud.resource(&ids.records);
    assert_eq!(records["tags"]["owner"], "them");
    let index = &records["properties"]["resource"]["indexingPolicy"];
    assert!(index.to_string().contains("/body/theirs/?"), "{index}");
    assert_eq!(index["compositeIndexes"].as_array().unwrap().len(), 6);
    assert_no_changes(&cloud, &arguments);
}

#[test]
fn inherited_role_is_not_assigned_again() {
    let cloud = grouped();
    bare(&cloud);
    let role = format!(
        "{}/providers/Microsoft.Authorization/roleAssignments/theirs",
        wm().group
    );
    let definition = format!("/x/roleDefinitions/{BLOB_DATA_CONTRIBUTOR}");
    cloud.put(
        &role,
        json!({ "properties": { "principalId": PERSON, "roleDefinitionId": definition } }),
    );
    Program::azure(&cloud).works(&SETUP);
    assert_hardened(&cloud);
    assert_no_changes(&cloud, &SETUP);
}

#[test]
fn next_run_finishes_a_run_killed_at_any_write() {
    let counted = Cloud::start();
    Program::azure(&counted).works(&SETUP);
    let writes = counted.writes().len();
    assert!(writes >= 11, "{:?}", counted.writes());
    for seen in [false, true] {
        for at in 0..writes {
            let cloud = Cloud::start();
            cloud.again(Some(Shut { writes: at, seen }));
            let program = Program::azure(&cloud);
            let mut killed = program.command(&SETUP);
            let killed = killed.stdout(Stdio::null()).stderr(Stdio::null());
            let mut killed = killed.spawn().unwrap();
            cloud.wait();
            killed.kill().unwrap();
            killed.wait().unwrap();
            cloud.again(None);
            Program::azure(&cloud).works(&SETUP);
            assert_hardened(&cloud);
            assert_no_changes(&cloud, &SETUP);
        }
    }
}

#[test]
fn interrupted_run_says_how_to_continue() {
    let cloud = Cloud::start();
    cloud.again(Some(Shut {
        writes: 4,
        seen: true,
    }));
    let program = Program::azure(&cloud);
    let mut command = program.command(&SETUP);
    let running = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let running = running.spawn().unwrap();
    cloud.wait();
    let interrupt = Command::new("kill")
        .args(["-INT", &running.id().to_string()])
        .status();
    assert!(interrupt.unwrap().success());
    let ran = Ran::of(&running.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let words = "error: interrupted; run the same command again to continue\n";
    assert!(ran.err.ends_with(words), "{ran:?}");
    cloud.again(None);
    Program::azure(&cloud).works(&SETUP);
    assert_no_changes(&cloud, &SETUP);
}

#[test]
fn throttled_request_is_repeated() {
    let cloud = Cloud::start();
    cloud.state().throttled = 3;
    Program::azure(&cloud).works(&SETUP);
    assert_eq!(cloud.state().throttled, 0);
    assert_hardened(&cloud);
}

#[test]
fn busy_manager_is_retried_and_failures_are_reported() {
    let cloud = Cloud::start();
    cloud.state().busy = 2;
    cloud.state().fails = Some("/databaseaccounts/");
    let ran = Program::azure(&cloud).run(&SETUP);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let words = "`Microsoft.DocumentDB/databaseAccounts/write` failed, correct the cause and try again (ServiceUnavailable: no room in this region)";
    assert!(ran.err.contains(words), "{ran:?}");
    assert_eq!(cloud.state().busy, 0);
    cloud.state().fails = None;
    Program::azure(&cloud).works(&SETUP);
    assert_hardened(&cloud);
}

/// Asserts that a run is refused with these words and changes nothing.
#[track_caller]
fn assert_refused(cloud: &Cloud, arguments: &[&str], words: &[&str]) {
    cloud.again(None);
    let message = Program::azure(cloud).refuses(arguments, 1);
    for words in words {
        assert!(message.contains(words), "{words}: {message}");
    }
    assert_eq!(cloud.writes(), [""; 0], "{message}");
}

#[test]
fn unusable_data_is_refused_before_any_change() {
    let cloud = grouped();
    bare(&cloud);
    let ids = wm();
    {
        let resources = &mut cloud.state().resources;
        let id = |id: &str| format!("/subscriptions/{SUBSCRIPTION}{id}").to_lowercase();
        resources.get_mut(&id(&ids.storage)).unwrap()["kind"] = "BlobStorage".into();
        resources.get_mut(&id(&ids.storage)).unwrap()["properties"]["isHnsEnabled"] = true.into();
        resources.get_mut(&id(&ids.cosmos)).unwrap()["kind"] = "MongoDB".into();
        let records = resources.get_mut(&id(&ids.records)).unwrap();
        records["properties"]["resource"]["partitionKey"]["paths"] = json!(["/id"]);
    }
    cloud.put(&ids.leases, json!({ "properties": { "resource": { "id": "leases", "partitionKey": { "paths": ["/other"] } } } }));
    assert_refused(
        &cloud,
        &[&SETUP[..], &["--location", "eastus", "--free-tier", "true"]].concat(),
        &[
            "the storage account `wmdevdocs` is of the kind `BlobStorage`, not `StorageV2`",
            "the storage account `wmdevdocs` has directories",
            "the storage account `wmdevdocs` is in `westeurope`, not in `eastus`: use `--location westeurope`",
            "the database account `wm-dev-cosmos` is of the kind `MongoDB`, not `GlobalDocumentDB`",
            "the database account `wm-dev-cosmos` is in `westeurope`, not in `eastus`",
            "was created without the free tier",
            "the container `workspace_items` has the partition key `/id`, which cannot be changed into `/pk`",
            "the container `leases` has the partition key `/other`, not `/id`",
        ],
    );
}

#[test]
fn names_of_other_accounts_are_refused() {
    let cloud = registered();
    cloud.state().taken = vec!["wmdevdocs".into(), "wm-dev-cosmos".into()];
    assert_refused(
        &cloud,
        &SETUP,
        &[
            "the storage account `wmdevdocs` is not in the group `wm-dev` and its name is taken: name its group with `--resource-group`",
            "the database account `wm-dev-cosmos` is not in the group `wm-dev` and its name is taken",
        ],
    );
}

#[test]
fn too_many_origin_rules_are_refused() {
    let cloud = grouped();
    bare(&cloud);
    let rule = |number: usize| json!({ "allowedOrigins": [format!("https://{number}.example.com")], "allowedMethods": ["GET"] });
    let rules: Vec<Value> = (0..5).map(rule).collect();
    cloud.put(
        &wm().blobs,
        json!({ "properties": { "cors": { "corsRules": rules } } }),
    );
    let arguments = [&SETUP[..], &["--origin", "https://docs.example.com"]].concat();
    assert_refused(
        &cloud,
        &arguments,
        &["has 5 rules for other origins, which is the maximum"],
    );
    Program::azure(&cloud).works(&SETUP);
}

#[test]
fn names_come_from_flags_then_variables_then_selection() {
    let cloud = registered();
    let selection =
        BackendSelection::new(Provider::Azure, "selected", "prod", Some("westeurope")).unwrap();
    let program = Program::azure(&cloud);
    let file = program.home().join("backend.js");
    std::fs::write(&file, selection.module()).unwrap();
    let file = file.to_str().unwrap().to_owned();
    let plan = program.works(&["setup", "--plan", "--selection", &file]);
    for words in [
        "`selectedproddocs`",
        "`selected-prod-cosmos`",
        "environment=prod",
        "westeurope",
    ] {
        assert!(plan.contains(words), "{words}: {plan}");
    }
    let program = program
        .with("AZURE_STORAGE_ACCOUNT", "byvariable")
        .with("AZURE_COSMOS_CONTAINER", "By_Variable")
        .with("AZURE_RESOURCE_GROUP", "their.group")
        .with("AZURE_LOCATION", "northeurope")
        .with("AZURE_TAGS", "team=docs");
    let named = ["--selection", &file, "--cosmos-account", "by-flag"];
    let plan = program.works(&[&["setup", "--plan"], &named[..]].concat());
    for words in [
        "`byvariable`",
        "By_Variable",
        "`their.group`",
        "northeurope",
        "`by-flag`",
        "team=docs",
    ] {
        assert!(plan.contains(words), "{words}: {plan}");
    }
    let message = program.refuses(&["setup", "--storage-account", "Not One"], 2);
    assert!(message.contains("`storage.account` must be"), "{message}");

    let local = BackendSelection::defaults(Provider::Local).module();
    std::fs::write(&file, local).unwrap();
    let message = program.refuses(&["setup", "--selection", &file], 2);
    assert!(message.contains("is a selection for `local`"), "{message}");
}

#[test]
fn wrong_tags_and_origins_are_named() {
    let cloud = Cloud::start();
    for (arguments, words) in [
        (["--tags", "team"], "`team` has no `=`"),
        (["--tags", "environment=x"], "`environment` is always set"),
        (
            ["--tags", "Azure-team=x"],
            "begins with `azure`, which is reserved",
        ),
        (["--tags", "a/b=x"], "must not contain any of `/`"),
        (["--origin", "https://docs.example.com/"], "without a path"),
    ] {
        let ran = Program::azure(&cloud).run(&[&["setup"], &arguments[..]].concat());
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.err.contains(words), "{ran:?}");
    }
}
