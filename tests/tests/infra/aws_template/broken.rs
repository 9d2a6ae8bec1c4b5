//! Tests every check on templates that are broken in the way that it must find.

use serde_json::Value;
use wm_tests::infra::{SITE, TEMPLATE, Template};

use super::{Check, api, data, events, functions, operation, people, rights, site};

/// The breaks that each check must find: a property of a resource, or a path from the template's
/// root, and its new value as JSON.
const BREAKS: &[(Check, &[(&str, &str)])] = &[
    (
        data::buckets,
        &[
            (
                "Bucket/PublicAccessBlockConfiguration/RestrictPublicBuckets",
                "false",
            ),
            ("Bucket/OwnershipControls", "null"),
            ("Bucket/BucketEncryption", "null"),
            ("Bucket/VersioningConfiguration/Status", r#""Suspended""#),
            (
                "Bucket/LifecycleConfiguration/Rules/0/Status",
                r#""Disabled""#,
            ),
            (
                "BucketPolicy/PolicyDocument/Statement/0/Resource",
                r#"[{ "Fn::GetAtt": ["Bucket", "Arn"] }]"#,
            ),
        ],
    ),
    (
        data::kept,
        &[
            ("/Resources/Table/DeletionPolicy", r#""Delete""#),
            ("Table/PointInTimeRecoverySpecification", "null"),
            ("Table/StreamSpecification/StreamViewType", r#""KEYS_ONLY""#),
            (
                "Table/GlobalSecondaryIndexes/3/Projection/ProjectionType",
                r#""KEYS_ONLY""#,
            ),
            ("Bucket/NotificationConfiguration", "null"),
        ],
    ),
    (
        people::safe,
        &[
            ("UserPool/UserAttributeUpdateSettings", "null"),
            ("UserPool/Policies/PasswordPolicy/MinimumLength", "8"),
            ("UserPoolClient/AllowedOAuthFlows", r#"["implicit"]"#),
            (
                "UserPoolClient/ExplicitAuthFlows/0",
                r#""ALLOW_USER_PASSWORD_AUTH""#,
            ),
        ],
    ),
    (
        events::queues,
        &[
            ("RelayDeadLetters/SqsManagedSseEnabled", "false"),
            (
                "SweepDeadLettersPolicy/PolicyDocument/Statement/0/Effect",
                r#""Allow""#,
            ),
        ],
    ),
    (
        events::rules,
        &[
            ("NotifyRule/Targets/0/DeadLetterConfig", "null"),
            ("NotifyRule/Targets/0/RetryPolicy", "null"),
            (
                "NotifyRule/EventPattern/source",
                r#"["workspace-management"]"#,
            ),
            (
                "IngestDeadLettersPolicy/PolicyDocument/Statement/1/Condition/ArnEquals/aws:SourceArn",
                r#"[{ "Fn::GetAtt": ["IngestRule", "Arn"] }]"#,
            ),
            ("SweepPermission/SourceArn", "null"),
        ],
    ),
    (events::permissions, &[("ApiPermission/SourceArn", "null")]),
    (
        events::relay,
        &[
            ("RelayStream/FunctionResponseTypes", "null"),
            ("RelayStream/FilterCriteria", "null"),
            ("Archive/RetentionDays", "30"),
        ],
    ),
    (
        api::routes,
        &[
            ("PostRoute/AuthorizationType", r#""NONE""#),
            ("CatalogRoute/RouteKey", r#""GET /v1/session""#),
            ("DeleteRoute/AuthorizerId", "null"),
            ("GetRoute/Target", "null"),
        ],
    ),
    (
        api::gateway,
        &[
            ("Authorizer/JwtConfiguration/Audience", "[]"),
            ("Stage/DefaultRouteSettings/ThrottlingRateLimit", "null"),
            (
                "Stage/AccessLogSettings/Format",
                r#""{\"request_id\":\"$context.requestId\",\"q\":\"$context.queryString\"}""#,
            ),
            ("ApiFunction/Timeout", "30"),
        ],
    ),
    (
        api::origins,
        &[("Api/CorsConfiguration", r#"{ "AllowOrigins": ["*"] }"#)],
    ),
    (
        functions::whole,
        &[
            (
                "NotifyFunction/Role",
                r#"{ "Fn::GetAtt": ["ApiRole", "Arn"] }"#,
            ),
            ("SweepFunction/DeadLetterQueue", "null"),
            ("AccessLogs/RetentionInDays", "null"),
        ],
    ),
    (
        functions::variables,
        &[
            ("RelayFunction/Environment", "null"),
            (
                "NotifyFunction/Environment/Variables",
                r#"{ "AWS_SES_FROM": "a@example.com", "AWS_SURFACE_SECRET": "x" }"#,
            ),
            (
                "NotifyFunction/Environment/Variables",
                r#"{ "AWS_SES_FROM": "a@example.com", "AWS_SES_TO": "x" }"#,
            ),
        ],
    ),
    (
        functions::configuration,
        &[
            ("Secret/GenerateSecretString/PasswordLength", "16"),
            ("SurfaceIdParameter/Name", r#""/surface-id""#),
            ("/Parameters/BucketName/Default", r#""documents""#),
        ],
    ),
    (
        operation::names,
        &[
            ("/Parameters/Prefix/MaxLength", "64"),
            ("Bus/Name", r#""bus""#),
        ],
    ),
    (
        operation::alarms,
        &[
            ("LatencyAlarm/AlarmActions", "null"),
            ("/Resources/NotifyDeadLettersAlarm", "null"),
        ],
    ),
    (
        rights::least,
        &[
            (
                "ApiRole/Policies/0/PolicyDocument/Statement/0/Action",
                r#""dynamodb:*""#,
            ),
            (
                "ApiRole/Policies/0/PolicyDocument/Statement/0/Resource",
                r#""*""#,
            ),
            (
                "RelayRole/Policies/0/PolicyDocument/Statement/2/Resource",
                r#"{ "Fn::Sub": "arn:aws:dynamodb:*:*:table/*" }"#,
            ),
            (
                "SweepRole/ManagedPolicyArns",
                r#"["arn:aws:iam::aws:policy/AdministratorAccess"]"#,
            ),
            (
                "NotifyRole/AssumeRolePolicyDocument/Statement/0/Principal",
                r#"{ "AWS": "*" }"#,
            ),
        ],
    ),
];

/// A template with one value replaced.
fn broken(whole: &Template, path: &str, value: &str) -> Template {
    let pointer = match path.split_once('/') {
        Some(("", _)) => path.to_owned(),
        Some((resource, rest)) => format!("/Resources/{resource}/Properties/{rest}"),
        None => panic!("`{path}` names no property"),
    };
    let mut template = whole.clone();
    let place = template.0.pointer_mut(&pointer);
    let place = place.unwrap_or_else(|| panic!("there is no `{pointer}`"));
    let value: Value = serde_json::from_str(value).unwrap();
    assert_ne!(*place, value, "`{path}` is so already");
    *place = value;
    template
}

#[test]
fn every_check_finds_its_violations() {
    let whole = Template::read(TEMPLATE);
    for (check, breaks) in BREAKS {
        for (path, value) in *breaks {
            let findings = check(&broken(&whole, path, value));
            assert!(!findings.is_empty(), "no check finds `{path}` as {value}");
        }
    }
    let whole = Template::read(SITE);
    for (path, value) in [
        (
            "SiteBucketPolicy/PolicyDocument/Statement/1/Condition",
            "null",
        ),
        (
            "Distribution/DistributionConfig/DefaultCacheBehavior/ViewerProtocolPolicy",
            r#""allow-all""#,
        ),
        ("/Rules/TheSiteIsNotTheDocuments", "null"),
    ] {
        let findings = site::apart(&broken(&whole, path, value));
        assert!(!findings.is_empty(), "no check finds `{path}` as {value}");
    }
}
