//! `wm setup aws` and the template create the same resources.

use serde_json::{Value, json};
use wm_aws_deploy::setup::baseline::{BASELINE, KEY_TYPE, Keys, LifecycleBaseline};
use wm_tests::infra::{TEMPLATE, Template};

fn schema(keys: Keys) -> Value {
    json!([
        { "AttributeName": keys.partition, "KeyType": "HASH" },
        { "AttributeName": keys.sort, "KeyType": "RANGE" },
    ])
}

#[test]
fn template_creates_the_same_table_as_setup() {
    let template = Template::read(TEMPLATE);
    let found = template.properties("Table");
    let baseline = BASELINE.table;
    let all = baseline.indexes.iter().map(|index| index.keys);
    let attributes = [baseline.keys].into_iter().chain(all);
    let attributes = attributes.flat_map(|keys| [keys.partition, keys.sort]);
    let indexes = baseline.indexes.iter().map(|index| {
        json!({
            "IndexName": index.name,
            "KeySchema": schema(index.keys),
            "Projection": { "ProjectionType": baseline.projection.as_str() },
        })
    });
    let expected = json!({
        "TableName": { "Ref": "TableName" },
        "AttributeDefinitions": attributes
            .map(|name| json!({ "AttributeName": name, "AttributeType": KEY_TYPE.as_str() }))
            .collect::<Vec<_>>(),
        "KeySchema": schema(baseline.keys),
        "GlobalSecondaryIndexes": indexes.collect::<Vec<_>>(),
        "BillingMode": baseline.billing.as_str(),
        "StreamSpecification": { "StreamViewType": baseline.stream.as_str() },
        "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": baseline.point_in_time_recovery },
        "TimeToLiveSpecification": { "AttributeName": baseline.time_to_live, "Enabled": true },
        "SSESpecification": { "SSEEnabled": baseline.encryption },
        "DeletionProtectionEnabled": baseline.deletion_protection,
    });
    // Extra settings fail too, so that both stay equal.
    assert_eq!(found, &expected);
}

fn rule(baseline: LifecycleBaseline, action: &str, days: &str) -> Value {
    json!({ "Id": baseline.id, "Status": "Enabled", action: { days: baseline.days } })
}

#[test]
fn template_creates_the_same_bucket_as_setup() {
    let template = Template::read(TEMPLATE);
    let found = template.properties("Bucket");
    let baseline = BASELINE.bucket;
    let blocked = baseline.public_access_blocked;
    let mut versions = rule(
        baseline.old_versions,
        "NoncurrentVersionExpiration",
        "NoncurrentDays",
    );
    versions["ExpiredObjectDeleteMarker"] = true.into();
    let cors = baseline.cors;
    let expected = json!({
        "BucketName": { "Ref": "BucketName" },
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": blocked, "BlockPublicPolicy": blocked,
            "IgnorePublicAcls": blocked, "RestrictPublicBuckets": blocked,
        },
        "OwnershipControls": { "Rules": [{ "ObjectOwnership": baseline.ownership.as_str() }] },
        "VersioningConfiguration": { "Status": baseline.versioning.as_str() },
        "BucketEncryption": { "ServerSideEncryptionConfiguration": [{
            // Has no effect with this algorithm.
            "BucketKeyEnabled": true,
            "ServerSideEncryptionByDefault": { "SSEAlgorithm": baseline.encryption.as_str() },
        }] },
        "LifecycleConfiguration": { "Rules": [
            rule(baseline.unfinished_uploads, "AbortIncompleteMultipartUpload", "DaysAfterInitiation"),
            versions,
        ] },
        "NotificationConfiguration": { "EventBridgeConfiguration": { "EventBridgeEnabled": baseline.event_bridge } },
        "CorsConfiguration": { "Fn::If": [
            "BucketHasOrigins",
            { "CorsRules": [{
                "Id": cors.id,
                "AllowedOrigins": { "Ref": "AllowedOrigins" },
                "AllowedMethods": cors.methods,
                "AllowedHeaders": cors.headers,
                "ExposedHeaders": cors.exposed,
                "MaxAge": cors.max_age,
            }] },
            { "Ref": "AWS::NoValue" },
        ] },
    });
    assert_eq!(found, &expected);
}

#[test]
fn template_creates_the_same_policy_as_setup() {
    let template = Template::read(TEMPLATE);
    let found = template.properties("BucketPolicy");
    let expected = json!([{
        "Sid": BASELINE.bucket.tls_only,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [{ "Fn::GetAtt": ["Bucket", "Arn"] }, { "Fn::Sub": "${Bucket.Arn}/*" }],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    }]);
    assert_eq!(found["PolicyDocument"]["Statement"], expected);
}
