//! `wm setup azure` and the template create the same resources.

use std::{fs, path::Path};

use serde_json::{Value, json};
use wm_tests::repository;

use super::{Program, cloud::Cloud, setup::ids};

fn template() -> Value {
    let file = repository::root().join("infra/azure/main.json");
    template_of(&file)["resources"].take()
}

fn template_of(file: &Path) -> Value {
    let text = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_slice(&text).unwrap()
}

/// The value of a template expression in a deployment with names and one origin only.
fn evaluated(value: &Value) -> Value {
    let Value::String(text) = value else {
        return match value {
            Value::Array(all) => all.iter().map(evaluated).collect(),
            Value::Object(all) => all
                .iter()
                .map(|(name, value)| (name.clone(), evaluated(value)))
                .collect(),
            plain => plain.clone(),
        };
    };
    match text.as_str() {
        "[parameters('location')]" => "eastus".into(),
        "[parameters('storageSku')]" => "Standard_ZRS".into(),
        "[parameters('cosmosDatabaseName')]" => "workspace".into(),
        "[parameters('cosmosContainerName')]" => "workspace_items".into(),
        "[parameters('cosmosFreeTier')]" => false.into(),
        "[variables('tags')]" => {
            json!({ "application": "workspace-management", "environment": "dev" })
        }
        text if text.contains("'EnableServerless'") => json!([{ "name": "EnableServerless" }]),
        text if text.contains("'throughput'") => json!({}),
        text if text.contains("'allowedOrigins'") => json!([{
            "allowedOrigins": ["https://docs.example.com"],
            "allowedMethods": ["GET", "HEAD", "PUT"],
            "allowedHeaders": ["*"],
            "exposedHeaders": ["ETag"],
            "maxAgeInSeconds": 3600,
        }]),
        text if text.starts_with('[') => panic!("no value for {text}"),
        _ => value.clone(),
    }
}

/// A resource without the values that the service adds, and with whole numbers.
fn plain(value: &Value) -> Value {
    let filled = [
        "provisioningState",
        "primaryEndpoints",
        "indexes",
        "_rid",
        "_ts",
        "_etag",
    ];
    match value {
        Value::Object(all) => all
            .iter()
            .filter(|(name, _)| !filled.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), plain(value)))
            .collect(),
        Value::Array(all) => all.iter().map(plain).collect(),
        Value::Number(number) => number.as_f64().map_or(Value::Null, |number| json!(number)),
        other => other.clone(),
    }
}

#[test]
fn template_creates_the_same_resources_as_setup() {
    let cloud = Cloud::start();
    let program = Program::azure(&cloud);
    program.works(&["setup", "--origin", "https://docs.example.com"]);
    let template = template();
    let ids = ids("workspace-management-dev", "workspacemanagedevdocs");
    for (name, id, parts) in [
        (
            "storageAccount",
            &ids.storage,
            &["properties", "kind", "sku", "location", "tags"][..],
        ),
        ("storageBlobs", &ids.blobs, &["properties"]),
        ("storageLifecycle", &ids.lifecycle, &["properties"]),
        ("storageContainer", &ids.documents, &["properties"]),
        (
            "cosmosAccount",
            &ids.cosmos,
            &["properties", "kind", "location", "tags"],
        ),
        ("cosmosDatabase", &ids.database, &["properties", "tags"]),
        ("cosmosContainer", &ids.records, &["properties", "tags"]),
    ] {
        let found = cloud.resource(id);
        for part in parts {
            // Extra settings fail too, so that both stay equal.
            let (found, wanted) = (
                plain(&found[part]),
                plain(&evaluated(&template[name][part])),
            );
            assert!(!wanted.is_null(), "the template has no {part} of {name}");
            assert_eq!(found, wanted, "{name}: {part}");
        }
    }
    let leases = cloud.resource(&ids.leases);
    let key = &template["cosmosLeases"]["properties"]["resource"]["partitionKey"];
    assert_eq!(leases["properties"]["resource"]["partitionKey"], *key);
}
