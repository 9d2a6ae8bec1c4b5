//! Table and bucket: retained and private.

use serde_json::{Value, json};
use wm_tests::infra::{SITE, Template, each};

use super::{Findings, assert_check, expect, expect_members, target};

pub(crate) fn buckets(template: &Template) -> Findings {
    let mut findings = Findings::new();
    let buckets = template.of_type("AWS::S3::Bucket");
    expect(&mut findings, !buckets.is_empty(), "there is no bucket");
    for (name, bucket) in buckets {
        let properties = &bucket["Properties"];
        let blocked = json!({
            "BlockPublicAcls": true, "BlockPublicPolicy": true,
            "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
        });
        let expected = json!({
            "PublicAccessBlockConfiguration": blocked,
            "OwnershipControls": { "Rules": [{ "ObjectOwnership": "BucketOwnerEnforced" }] },
            "VersioningConfiguration": { "Status": "Enabled" },
        });
        expect_members(&mut findings, name, properties, &expected);
        let encryption = &properties["BucketEncryption"]["ServerSideEncryptionConfiguration"][0];
        let algorithm = &encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"];
        let encrypted = (algorithm == "AES256" || algorithm == "aws:kms")
            && encryption["BucketKeyEnabled"] == true;
        expect(&mut findings, encrypted, format!("{name} is not encrypted"));
        let rules = each(&properties["LifecycleConfiguration"]["Rules"]);
        let rule = |id: &str| {
            let mut found = rules
                .iter()
                .filter(|rule| rule["Id"] == id && rule["Status"] == "Enabled");
            found.next().copied().cloned().unwrap_or_default()
        };
        let days =
            &rule("unfinished-uploads")["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"];
        expect(
            &mut findings,
            days == 7,
            format!("{name} keeps unfinished uploads"),
        );
        let old = rule("old-versions");
        expect(
            &mut findings,
            old["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30,
            format!("{name} keeps old versions"),
        );
        expect(
            &mut findings,
            old["ExpiredObjectDeleteMarker"] == true,
            format!("{name} keeps delete markers"),
        );
        expect(
            &mut findings,
            refuses_plain_text(template, "AWS::S3::BucketPolicy", "s3:*", name),
            format!("{name} is reached without TLS"),
        );
    }
    findings
}

/// Whether a policy of this type denies all requests without TLS to this resource.
pub(crate) fn refuses_plain_text(
    template: &Template,
    kind: &str,
    action: &str,
    resource: &str,
) -> bool {
    let policies = template.of_type(kind);
    let mut statements = policies.iter().flat_map(|(_, policy)| {
        let properties = &policy["Properties"];
        let resources = each(&properties["Bucket"])
            .into_iter()
            .chain(each(&properties["Queues"]));
        let applies = resources.filter_map(target).any(|name| name == resource);
        let statements = each(&properties["PolicyDocument"]["Statement"]).into_iter();
        statements.filter(move |_| applies)
    });
    statements.any(|statement| {
        let objects = json!({ "Fn::Sub": format!("${{{resource}.Arn}}/*") });
        let covered = each(&statement["Resource"]);
        let whole = json!({ "Fn::GetAtt": [resource, "Arn"] });
        let all = covered.contains(&&whole) && (action != "s3:*" || covered.contains(&&objects));
        let insecure = json!({ "Bool": { "aws:SecureTransport": "false" } });
        statement["Effect"] == "Deny"
            && statement["Principal"] == "*"
            && statement["Action"] == action
            && statement["Condition"] == insecure
            && all
    })
}

#[test]
fn buckets_are_private_encrypted_versioned_and_over_tls() {
    assert_check(buckets);
    let findings = buckets(&Template::read(SITE));
    assert!(findings.is_empty(), "{findings:#?}");
}

pub(crate) fn kept(template: &Template) -> Findings {
    let mut findings = Findings::new();
    for name in ["Table", "Bucket", "BucketPolicy"] {
        let kept = json!({ "Condition": "CreateData", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain" });
        expect_members(&mut findings, name, &template.0["Resources"][name], &kept);
    }
    let table = json!({
        "TableName": { "Ref": "TableName" },
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": true,
        "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": true },
        "SSESpecification": { "SSEEnabled": true },
        "StreamSpecification": { "StreamViewType": "NEW_IMAGE" },
        "TimeToLiveSpecification": { "AttributeName": "ttl", "Enabled": true },
        "KeySchema": keys("PK", "SK"),
    });
    expect_members(&mut findings, "Table", template.properties("Table"), &table);
    let indexes: Vec<Value> = ["GSI1", "GSI2", "GSI3", "GSI4"].iter().map(|name| {
        let keys = keys(&format!("{name}PK"), &format!("{name}SK"));
        json!({ "IndexName": name, "KeySchema": keys, "Projection": { "ProjectionType": "ALL" } })
    }).collect();
    let found = &template.properties("Table")["GlobalSecondaryIndexes"];
    expect(
        &mut findings,
        *found == json!(indexes),
        "the indexes are others",
    );
    let attributes = each(&template.properties("Table")["AttributeDefinitions"]);
    let texts = attributes.len() == 10
        && attributes
            .iter()
            .all(|attribute| attribute["AttributeType"] == "S");
    expect(&mut findings, texts, "the key attributes are not ten texts");
    let bucket = json!({
        "BucketName": { "Ref": "BucketName" },
        "NotificationConfiguration": { "EventBridgeConfiguration": { "EventBridgeEnabled": true } },
    });
    expect_members(
        &mut findings,
        "Bucket",
        template.properties("Bucket"),
        &bucket,
    );
    findings
}

fn keys(partition: &str, sort: &str) -> Value {
    json!([{ "AttributeName": partition, "KeyType": "HASH" }, { "AttributeName": sort, "KeyType": "RANGE" }])
}

#[test]
fn data_is_retained_when_the_stack_is_deleted() {
    assert_check(kept);
}
