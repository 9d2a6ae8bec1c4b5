//! Topics, subscriptions and dead letters.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wm_core::value::SurfaceId;
use wm_tests::{arm::Arm, repository};

use super::{Findings, SURFACE, assert_check, deployed, expect, expect_equal, expect_members};

/// The functions that receive events of the topics.
const LISTENING: [&str; 2] = ["ingest", "notify"];

pub(crate) fn topics(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let template = deployed(template, &[]);
    let expected = json!({
        "inputSchema": "CloudEventSchemaV1_0",
        "disableLocalAuth": true,
        "minimumTlsVersionAllowed": "1.2",
    });
    expect_members(
        &mut findings,
        "topic",
        template.properties("topic"),
        &expected,
    );
    let storage = json!({
        "source": "Microsoft.Storage/storageAccounts/workspacemanagedevdocs",
        "topicType": "Microsoft.Storage.StorageAccounts",
    });
    let found = template.properties("storageTopic");
    expect_equal(&mut findings, "storageTopic", found, &storage);
    // Dead letters are stored with an identity that has no other right.
    for name in ["topic", "storageTopic"] {
        let identities = &template.resource(name)["identity"]["userAssignedIdentities"];
        let events = json!({ identity("events"): {} });
        expect_equal(&mut findings, name, identities, &events);
    }
    findings
}

fn identity(of: &str) -> String {
    format!("Microsoft.ManagedIdentity/userAssignedIdentities/workspace-management-dev-{of}")
}

/// The symbolic names and contents of the subscriptions.
fn subscriptions(template: &Arm) -> BTreeMap<String, Value> {
    let resources = template.resources().into_iter();
    let listening = resources.filter(|(_, resource)| {
        resource["type"]
            .as_str()
            .is_some_and(|kind| kind.ends_with("/eventSubscriptions"))
    });
    listening
        .map(|(name, resource)| (name.to_owned(), resource.clone()))
        .collect()
}

pub(crate) fn delivery(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let before = deployed(template, &[("functionsPublished", json!(false))]);
    expect(
        &mut findings,
        subscriptions(&before).is_empty(),
        "events are to be delivered to functions that are not there yet",
    );
    let template = deployed(template, &[]);
    let host = template.resource("hostStorage")["name"].as_str().unwrap();
    let subscriptions = subscriptions(&template);
    expect(
        &mut findings,
        subscriptions.len() == 3,
        format!("the subscriptions are {:?}", subscriptions.keys()),
    );
    for (name, subscription) in &subscriptions {
        let properties = &subscription["properties"];
        let function = if name.starts_with("ingest") {
            "ingest"
        } else {
            "notify"
        };
        let letters = json!({
            "identity": { "type": "UserAssigned", "userAssignedIdentity": identity("events") },
            "deadLetterDestination": {
                "endpointType": "StorageBlob",
                "properties": {
                    "resourceId": format!("Microsoft.Storage/storageAccounts/{host}"),
                    "blobContainerName": "dead-letters",
                },
            },
        });
        let expected = json!({
            "eventDeliverySchema": "CloudEventSchemaV1_0",
            "destination": {
                "endpointType": "AzureFunction",
                "properties": {
                    "resourceId": format!("Microsoft.Web/sites/workspace-management-dev/functions/{function}"),
                    // A failed event is delivered again alone.
                    "maxEventsPerBatch": 1,
                    "preferredBatchSizeInKilobytes": 64,
                },
            },
            "retryPolicy": { "maxDeliveryAttempts": 24, "eventTimeToLiveInMinutes": 360 },
            "deadLetterWithResourceIdentity": letters,
        });
        expect_members(&mut findings, name, properties, &expected);
        let waits = subscription["dependsOn"].as_array().unwrap();
        expect(
            &mut findings,
            waits.contains(&json!("eventsMayKeepDeadLetters")),
            format!("{name} may come before the right to keep its dead letters"),
        );
    }
    findings
}

pub(crate) fn filters(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let template = deployed(template, &[]);
    let blobs = json!({
        "includedEventTypes": ["Microsoft.Storage.BlobCreated"],
        "subjectBeginsWith": "/blobServices/default/containers/workspace-documents/blobs/accounts/",
        "isSubjectCaseSensitive": true,
    });
    for name in ["ingestSubscription", "ingestRedriveSubscription"] {
        let found = &template.properties(name)["filter"];
        expect_equal(&mut findings, name, found, &blobs);
    }
    // The data of every event of the product names its surface. Azure's events about blobs do not.
    let surface: SurfaceId = SURFACE.parse().unwrap();
    let surface = surface.to_string();
    let (start, _) = surface.split_at(4);
    let ours = json!({
        "isSubjectCaseSensitive": true,
        "advancedFilters": [{ "operatorType": "StringBeginsWith", "key": "data.surface", "values": [start] }],
    });
    let found = &template.properties("notifySubscription")["filter"];
    expect_equal(&mut findings, "notifySubscription", found, &ours);
    for (name, below) in [
        ("notifySubscription", "topics"),
        ("ingestSubscription", "systemTopics"),
        ("ingestRedriveSubscription", "topics"),
    ] {
        let kind = &template.resource(name)["type"];
        let expected = json!(format!("Microsoft.EventGrid/{below}/eventSubscriptions"));
        expect_equal(&mut findings, name, kind, &expected);
    }
    findings
}

#[test]
fn events_reach_the_functions_or_are_kept() {
    assert_check(topics);
    assert_check(delivery);
    assert_check(filters);
}

/// The bindings in a function's folder.
fn bindings(function: &str) -> Vec<Value> {
    let path = repository::root().join(format!("azure-functions/{function}/function.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let folder: Value = serde_json::from_str(&text).unwrap();
    folder["bindings"].as_array().unwrap().clone()
}

#[test]
fn every_subscription_delivers_to_an_existing_function() {
    for function in LISTENING {
        let bindings = bindings(function);
        assert_eq!(bindings[0]["type"], "eventGridTrigger", "{function}");
    }
    let relay = &bindings("relay")[0];
    for (name, expected) in [
        ("type", "cosmosDBTrigger"),
        ("connection", "WorkspaceCosmos"),
        ("leaseConnection", "WorkspaceCosmos"),
        ("leaseContainerName", "leases"),
    ] {
        assert_eq!(relay[name], expected, "relay: `{name}`");
    }
    // The data rights do not include the creation of containers.
    assert_eq!(relay["createLeaseContainerIfNotExists"], false);
}
