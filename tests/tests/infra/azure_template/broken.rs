//! Tests every check on templates that are broken in the way that it must find.

use serde_json::Value;
use wm_tests::arm::{Arm, CONTAINER_APP, MAIN, SITE};

use super::{
    Check, api, baseline, container, data, events, functions, operation, rights, schemas, secrets,
    site,
};

/// The breaks that each check must find: a property of a resource, or a path from the template's
/// root, and its new value as JSON.
type Breaks = &'static [(Check, &'static [(&'static str, &'static str)])];

const BREAKS: Breaks = &[
    (
        data::accounts,
        &[
            ("storageAccount/allowSharedKeyAccess", "true"),
            ("storageAccount/allowBlobPublicAccess", "true"),
            ("storageAccount/minimumTlsVersion", r#""TLS1_0""#),
            ("hostStorage/supportsHttpsTrafficOnly", "false"),
            ("hostStorage/allowSharedKeyAccess", "true"),
            ("storageBlobs/deleteRetentionPolicy/enabled", "false"),
            ("hostBlobs/containerDeleteRetentionPolicy/days", "1"),
            ("storageContainer/publicAccess", r#""Blob""#),
            ("deadLetters/publicAccess", r#""Container""#),
            ("/resources/storageAccount/kind", r#""BlobStorage""#),
        ],
    ),
    (
        data::adopted,
        &[
            ("/resources/storageAccount/condition", "true"),
            ("/resources/cosmosContainer/condition", "false"),
            (
                "/resources/cosmosLeases/condition",
                r#""[not(parameters('dataExists'))]""#,
            ),
            ("cosmosLeases/resource/partitionKey/paths", r#"["/pk"]"#),
        ],
    ),
    (
        data::paid,
        &[
            ("cosmosAccount/capabilities", "[]"),
            ("cosmosAccount/enableFreeTier", "true"),
            ("cosmosDatabase/options", "{}"),
        ],
    ),
    (
        baseline::storage,
        &[
            ("storageBlobs/isVersioningEnabled", "false"),
            ("storageLifecycle/policy/rules/0/enabled", "false"),
            ("storageAccount/isHnsEnabled", "true"),
            ("/resources/storageAccount/apiVersion", r#""2025-06-01""#),
        ],
    ),
    (
        baseline::cosmos,
        &[
            (
                "cosmosAccount/consistencyPolicy/defaultConsistencyLevel",
                r#""Session""#,
            ),
            ("cosmosAccount/disableLocalAuth", "false"),
            ("cosmosAccount/backupPolicy/type", r#""Periodic""#),
            (
                "cosmosContainer/resource/indexingPolicy/includedPaths",
                r#"[{ "path": "/*" }]"#,
            ),
            ("cosmosContainer/resource/defaultTtl", "3600"),
            ("cosmosContainer/resource/partitionKey/paths", r#"["/id"]"#),
        ],
    ),
    (
        baseline::roles,
        &[(
            "/variables/roles/storageBlobDataContributor",
            r#""b7e6dc6d-f1e8-4753-8033-0f276bb0955b""#,
        )],
    ),
    (
        events::topics,
        &[
            ("topic/disableLocalAuth", "false"),
            ("topic/minimumTlsVersionAllowed", r#""1.0""#),
            ("topic/inputSchema", r#""EventGridSchema""#),
            ("/resources/storageTopic/identity", "null"),
        ],
    ),
    (
        events::delivery,
        &[
            ("notifySubscription/deadLetterWithResourceIdentity", "null"),
            ("ingestSubscription/retryPolicy", "null"),
            (
                "ingestRedriveSubscription/destination/properties/resourceId",
                r#""[resourceId('Microsoft.Web/sites/functions', variables('name'), 'notify')]""#,
            ),
            ("/resources/notifySubscription/condition", "true"),
            (
                "/resources/ingestSubscription/dependsOn",
                r#"["functions"]"#,
            ),
        ],
    ),
    (
        events::filters,
        &[
            ("ingestSubscription/filter/subjectBeginsWith", r#""""#),
            (
                "ingestSubscription/filter/includedEventTypes",
                r#"["Microsoft.Storage.BlobDeleted"]"#,
            ),
            ("notifySubscription/filter", r#"{}"#),
        ],
    ),
    (
        api::routes,
        &[
            (
                "/resources/postOperation/name",
                r#""[format('{0}/workspace/public-post', variables('name'))]""#,
            ),
            ("catalogOperation/urlTemplate", r#""/v1/session""#),
            ("deleteOperation/method", r#""HEAD""#),
        ],
    ),
    (
        api::gateway,
        &[
            ("/variables/tokenPolicy", r#""""#),
            ("apiPolicy/format", r#""rawxml""#),
            ("api/protocols", r#"["http", "https"]"#),
            ("gateway/customProperties", "{}"),
            ("/variables/ratePolicy", r#""<rate-limit-by-key />""#),
        ],
    ),
    (
        api::log,
        &[
            ("apiLog/frontend/request/headers", r#"["Authorization"]"#),
            ("apiLog/backend/request/dataMasking", "null"),
            ("apiLog/frontend/response/body/bytes", "8192"),
        ],
    ),
    (
        api::origins,
        &[
            (
                "/parameters/allowedOrigins/defaultValue",
                r#"["https://a.example"]"#,
            ),
            (
                "storageBlobs/cors/corsRules",
                r#"[{ "allowedOrigins": ["*"] }]"#,
            ),
            (
                "/variables/originElements",
                r#""<allowed-origins><origin>*</origin></allowed-origins>""#,
            ),
        ],
    ),
    (
        functions::whole,
        &[
            ("functions/httpsOnly", "false"),
            ("functions/siteConfig/minTlsVersion", r#""1.0""#),
            ("functions/siteConfig/ftpsState", r#""AllAllowed""#),
            ("functions/functionAppConfig/runtime/name", r#""node""#),
            (
                "functions/functionAppConfig/deployment/storage/authentication/type",
                r#""StorageAccountConnectionString""#,
            ),
            ("passwords/template/resources/1/properties/allow", "true"),
            (
                "/variables/hostStorageAccount",
                r#""[parameters('storageAccountName')]""#,
            ),
        ],
    ),
    (
        functions::variables,
        &[
            (
                "functions/siteConfig/appSettings/1",
                r#"{ "name": "AZURE_COSMOS_KEY", "value": "x" }"#,
            ),
            (
                "functions/siteConfig/appSettings/0",
                r#"{ "name": "AZURE_NOBODY_READS", "value": "x" }"#,
            ),
            (
                "functions/siteConfig/appSettings/0",
                r#"{ "name": "FUNCTIONS_WORKER_RUNTIME", "value": "custom" }"#,
            ),
            (
                "functions/siteConfig/appSettings/22/value",
                r#""AccountKey""#,
            ),
        ],
    ),
    (
        functions::names,
        &[(
            "/parameters/storageAccountName/defaultValue",
            r#""documents""#,
        )],
    ),
    (
        secrets::vault,
        &[
            ("vault/enablePurgeProtection", "false"),
            ("vault/enableRbacAuthorization", "false"),
            ("/resources/secret/condition", "true"),
            ("/resources/appMayReadItsSecret/condition", "true"),
            ("/parameters/surfaceSecret/type", r#""string""#),
            (
                "/outputs/keyVaultName/value",
                r#""[parameters('surfaceSecret')]""#,
            ),
        ],
    ),
    (
        secrets::configuration,
        &[
            ("/resources/surfaceIdValue/condition", "true"),
            ("surfaceIdValue/value", r#""srf_""#),
            (
                "/resources/publicUrlValue/name",
                r#""[format('{0}/public_url', variables('name'))]""#,
            ),
            (
                "configuration/dataPlaneProxy/authenticationMode",
                r#""Local""#,
            ),
        ],
    ),
    (
        secrets::keyless,
        &[
            ("topic/disableLocalAuth", "false"),
            ("mail/disableLocalAuth", "false"),
            ("insights/DisableLocalAuth", "false"),
            ("configuration/disableLocalAuth", "false"),
            (
                "/outputs/apiUrl/value",
                r#""[listKeys(variables('name'), '2025-08-01')]""#,
            ),
            (
                "/parameters/mailFrom/defaultValue",
                r#""endpoint=x;accesskey=y""#,
            ),
        ],
    ),
    (
        operation::names,
        &[
            ("/variables/vault", r#""[variables('name')]""#),
            (
                "/variables/hostStorageAccount",
                r#""[concat('a', replace(variables('name'), '-', ''))]""#,
            ),
        ],
    ),
    (
        operation::tags,
        &[("/resources/vault/tags", "null"), ("/variables/tags", "{}")],
    ),
    (
        operation::alarms,
        &[
            ("latencyAlarm/actions", "[]"),
            ("serverErrorsAlarm/enabled", "false"),
            (
                "ingestDeadLettersAlarm/criteria/allOf/0/metricName",
                r#""MatchedEventCount""#,
            ),
            ("databaseThrottledAlarm/criteria/allOf/0/dimensions", "[]"),
        ],
    ),
    (
        operation::logs,
        &[
            ("logs/retentionInDays", "730"),
            ("insights/WorkspaceResourceId", "null"),
            (
                "/resources/vaultLog/scope",
                r#""[resourceId('Microsoft.EventGrid/topics', variables('name'))]""#,
            ),
        ],
    ),
    (
        operation::listed,
        &[
            ("/metadata/concerns/logs", "[]"),
            ("/metadata/concerns", r#"{ "odds and ends": [] }"#),
        ],
    ),
    (
        operation::ordered,
        &[
            ("/resources/vault/dependsOn", r#"["functions"]"#),
            ("/resources/plan/dependsOn", r#"["plans"]"#),
        ],
    ),
    (
        schemas::versions,
        &[("/resources/hostStorage/apiVersion", r#""2023-01-01""#)],
    ),
    (
        rights::least,
        &[
            ("/resources/appMayUseDocuments/scope", "null"),
            (
                "/resources/appMayUseDocuments/scope",
                r#""[resourceId('Microsoft.Storage/storageAccounts', parameters('storageAccountName'))]""#,
            ),
            (
                "/variables/roles/eventGridDataSender",
                r#""b24988ac-6180-42a0-ab88-20f7382dd24c""#,
            ),
            (
                "mailMaySend/principalId",
                r#""[reference('appIdentity').principalId]""#,
            ),
            (
                "appMayUseRecords/scope",
                r#""[resourceId('Microsoft.DocumentDB/databaseAccounts', parameters('cosmosAccountName'))]""#,
            ),
            (
                "/resources/appMayReadItsSecret/scope",
                r#""[resourceId('Microsoft.KeyVault/vaults', variables('vault'))]""#,
            ),
            (
                "setupMayUseDocuments/principalId",
                r#""[reference('gatewayIdentity').principalId]""#,
            ),
        ],
    ),
    (
        rights::distinct,
        &[(
            "/resources/appMayPublish/name",
            r#""[guid(resourceId('Microsoft.EventGrid/topics', variables('name')), parameters('setupPrincipalId'), variables('roles').eventGridDataSender)]""#,
        )],
    ),
];

const OF_THE_SITE: Breaks = &[
    (
        site::apart,
        &[
            (
                "/variables/site",
                r#""[parameters('siteStorageAccountName')]""#,
            ),
            ("siteBlobs/staticWebsite/enabled", "false"),
            (
                "/resources/setupMayUpload/scope",
                r#""[resourceId('Microsoft.Storage/storageAccounts', parameters('storageAccountName'))]""#,
            ),
        ],
    ),
    (data::accounts, &[("site/allowSharedKeyAccess", "true")]),
];

const OF_THE_CONTAINER: Breaks = &[
    (
        container::whole,
        &[
            ("api/configuration/ingress/allowInsecure", "true"),
            ("api/template/containers/0/probes", "[]"),
        ],
    ),
    (
        container::variables,
        &[
            ("api/template/containers/0/env", "[]"),
            (
                "api/template/containers/0/env/0/value",
                r#""[parameters('image')]""#,
            ),
        ],
    ),
];

/// A template with one value replaced.
fn broken(whole: &Arm, path: &str, value: &str) -> Arm {
    let pointer = match path.split_once('/') {
        Some(("", _)) => path.to_owned(),
        Some((resource, rest)) => format!("/resources/{resource}/properties/{rest}"),
        None => panic!("`{path}` names no property"),
    };
    let mut template = whole.clone();
    let value: Value = serde_json::from_str(value).unwrap();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = template.0.pointer_mut(parent);
    let parent = parent.unwrap_or_else(|| panic!("there is no `{pointer}`"));
    match parent {
        // An optional member may be missing before.
        Value::Object(members) => {
            let before = members.insert(name.to_owned(), value.clone());
            let there = before.is_some() || ["condition", "dependsOn"].contains(&name);
            assert!(there, "there is no `{pointer}`");
            assert_ne!(before, Some(value), "`{path}` is so already");
        }
        Value::Array(values) => values[name.parse::<usize>().unwrap()] = value,
        _ => panic!("there is no `{pointer}`"),
    }
    template
}

#[test]
fn every_check_finds_its_violations() {
    for (path, breaks) in [
        (MAIN, BREAKS),
        (SITE, OF_THE_SITE),
        (CONTAINER_APP, OF_THE_CONTAINER),
    ] {
        let whole = Arm::read(path);
        for (check, breaks) in breaks {
            assert_eq!(check(&whole), Vec::<String>::new(), "{path}");
            for (place, value) in *breaks {
                let broken = broken(&whole, place, value);
                let findings = check(&broken);
                assert!(!findings.is_empty(), "no check finds `{place}` as {value}");
            }
        }
    }
}
