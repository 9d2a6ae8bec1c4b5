//! The templates of both clouds declare the same concerns.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Found, Violations, many};
use crate::{checkout::Checkout, failure::Failure};

const AWS: &str = "infra/aws/template.yaml";
const AZURE: &str = "infra/azure/main.json";

/// A concern, and its resource types on each cloud.
struct Concern {
    name: &'static str,
    aws: &'static [&'static str],
    azure: &'static [&'static str],
}

const CONCERNS: [Concern; 10] = [
    Concern {
        name: "persistence",
        aws: &["AWS::DynamoDB::Table"],
        azure: &[
            "Microsoft.DocumentDB/databaseAccounts",
            "Microsoft.DocumentDB/databaseAccounts/sqlDatabases",
            "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers",
        ],
    },
    Concern {
        name: "storage",
        aws: &["AWS::S3::Bucket", "AWS::S3::BucketPolicy"],
        azure: &[
            "Microsoft.Storage/storageAccounts",
            "Microsoft.Storage/storageAccounts/blobServices",
            "Microsoft.Storage/storageAccounts/blobServices/containers",
        ],
    },
    Concern {
        name: "identity",
        aws: &["AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient"],
        // People are in a tenant, which no template creates.
        azure: &["Microsoft.ManagedIdentity/userAssignedIdentities"],
    },
    Concern {
        name: "notification",
        aws: &[
            "AWS::Events::EventBus",
            "AWS::Events::Rule",
            "AWS::SES::EmailIdentity",
            "AWS::SQS::Queue",
        ],
        azure: &[
            "Microsoft.EventGrid/topics",
            "Microsoft.EventGrid/topics/eventSubscriptions",
            "Microsoft.EventGrid/systemTopics/eventSubscriptions",
            "Microsoft.Communication/emailServices",
        ],
    },
    Concern {
        name: "API",
        aws: &[
            "AWS::ApiGatewayV2::Api",
            "AWS::ApiGatewayV2::Authorizer",
            "AWS::ApiGatewayV2::Route",
        ],
        azure: &[
            "Microsoft.ApiManagement/service/apis",
            "Microsoft.ApiManagement/service/apis/policies",
            "Microsoft.ApiManagement/service/apis/operations",
        ],
    },
    Concern {
        name: "functions",
        aws: &["AWS::Serverless::Function"],
        azure: &["Microsoft.Web/serverfarms", "Microsoft.Web/sites"],
    },
    Concern {
        name: "roles",
        aws: &["AWS::IAM::Role"],
        azure: &[
            "Microsoft.Authorization/roleAssignments",
            "Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments",
        ],
    },
    Concern {
        name: "secrets and names",
        aws: &["AWS::SecretsManager::Secret", "AWS::SSM::Parameter"],
        azure: &[
            "Microsoft.KeyVault/vaults/secrets",
            "Microsoft.AppConfiguration/configurationStores/keyValues",
        ],
    },
    Concern {
        name: "logs",
        aws: &["AWS::Logs::LogGroup"],
        azure: &[
            "Microsoft.OperationalInsights/workspaces",
            "Microsoft.Insights/diagnosticSettings",
        ],
    },
    Concern {
        name: "alarms",
        aws: &["AWS::CloudWatch::Alarm"],
        azure: &["Microsoft.Insights/metricAlerts"],
    },
];

/// The resource types under each concern of a template.
type Declared = BTreeMap<String, BTreeSet<String>>;

pub(super) fn find(checkout: &Checkout) -> Result<Found, Failure> {
    let azure: Value = serde_json::from_str(&checkout.read(AZURE)?).map_err(|error| {
        Failure::because(format!("`{AZURE}` is not valid JSON; correct it"), error)
    })?;
    let (aws, azure) = (of_aws(&checkout.read(AWS)?), of_azure(&azure));
    let mut violations = lacking(AWS, &aws, |concern| concern.aws);
    violations.extend(lacking(AZURE, &azure, |concern| concern.azure));
    let types = aws.values().chain(azure.values()).map(BTreeSet::len);
    Ok(Found {
        looked_at: format!(
            "{}, {} of resources",
            many(CONCERNS.len(), "concern"),
            many(types.sum(), "type")
        ),
        violations,
    })
}

/// Headings in the text mark the start of a concern: ` # ------ persistence`.
fn of_aws(text: &str) -> Declared {
    let mut declared = Declared::new();
    let mut concern = None;
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("  # ---") {
            concern = Some(heading.trim_start_matches('-').trim().to_owned());
        } else if let Some(kind) = line.strip_prefix("    Type: ")
            && let Some(concern) = &concern
        {
            let types = declared.entry(concern.clone()).or_default();
            types.insert(kind.trim().trim_matches('"').to_owned());
        }
    }
    declared
}

/// The metadata lists the resources of each concern.
fn of_azure(template: &Value) -> Declared {
    let concerns = template.pointer("/metadata/concerns");
    let concerns = concerns.and_then(Value::as_object).into_iter().flatten();
    let kind = |symbol: &Value| {
        let resource = template.get("resources")?.get(symbol.as_str()?)?;
        resource.get("type")?.as_str().map(str::to_owned)
    };
    concerns
        .map(|(concern, symbols)| {
            let symbols = symbols.as_array().into_iter().flatten();
            (concern.clone(), symbols.filter_map(kind).collect())
        })
        .collect()
}

fn lacking(
    path: &str,
    declared: &Declared,
    wanted: fn(&Concern) -> &'static [&'static str],
) -> Violations {
    let mut violations = Violations::new();
    let none = BTreeSet::new();
    for concern in &CONCERNS {
        let name = concern.name;
        let there = declared.get(name).unwrap_or(&none);
        let missing = wanted(concern)
            .iter()
            .filter(|kind| !there.contains(**kind));
        violations.extend(missing.map(|kind| {
            format!("`{path}` declares no `{kind}` under `{name}`: add it, or change the table of `cargo xtask check`")
        }));
    }
    let is_known = |name: &str| CONCERNS.iter().any(|concern| concern.name == name);
    let strange = declared.keys().filter(|name| !is_known(name));
    violations.extend(strange.map(|name| {
        format!("`{path}` declares the concern `{name}`, which is not compared: add it for both clouds to the table of `cargo xtask check`")
    }));
    violations
}
