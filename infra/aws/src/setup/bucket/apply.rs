//! Running the steps for the bucket.

use aws_sdk_s3::{
    Client,
    types::{
        BucketLifecycleConfiguration, BucketLocationConstraint, CorsConfiguration, CorsRule,
        CreateBucketConfiguration, LifecycleRule, NotificationConfiguration, OwnershipControls,
        OwnershipControlsRule, PublicAccessBlockConfiguration, ServerSideEncryptionByDefault,
        ServerSideEncryptionConfiguration, ServerSideEncryptionRule, Tag, Tagging,
        TransitionDefaultMinimumObjectSize, VersioningConfiguration,
    },
};
use serde_json::Value;
use wm_deploy::tags::Tags;

use super::{BucketStep, WantedBucket, rules};
use crate::setup::{
    baseline::{BASELINE, BucketBaseline},
    error::SetupError,
    wait::retry_while_busy,
};

const BUCKET: &BucketBaseline = &BASELINE.bucket;
/// The region that must not be named when a bucket is created in it.
const UNNAMED_REGION: &str = "us-east-1";

pub(super) async fn apply(
    client: &Client,
    wanted: &WantedBucket,
    step: &BucketStep,
) -> Result<(), SetupError> {
    let name = &wanted.name;
    match step {
        BucketStep::Create => create(client, wanted).await,
        BucketStep::PublicAccess => public_access(client, name).await,
        BucketStep::Ownership => ownership(client, name).await,
        BucketStep::Policy(policy) => self::policy(client, name, policy).await,
        BucketStep::Versioning => versioning(client, name).await,
        BucketStep::Encryption => encryption(client, name).await,
        BucketStep::Lifecycle { foreign, size } => {
            lifecycle(client, name, foreign, size.as_ref()).await
        }
        BucketStep::Notification(config) => notification(client, name, config).await,
        BucketStep::Cors { foreign, origins } => cors(client, name, foreign, origins).await,
        BucketStep::Tags(tags) => self::tags(client, name, tags).await,
    }
}

async fn create(client: &Client, wanted: &WantedBucket) -> Result<(), SetupError> {
    let WantedBucket { name, region, .. } = wanted;
    let configuration = CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::from(region.as_str()))
        .build();
    let request = client
        .create_bucket()
        .bucket(name)
        .object_ownership(BUCKET.ownership.clone())
        .set_create_bucket_configuration((region != UNNAMED_REGION).then_some(configuration));
    let made = retry_while_busy("s3:CreateBucket", || request.clone().send()).await;
    match made {
        Err(error) if error.code() == Some("BucketAlreadyExists") => {
            Err(SetupError::Refused(vec![format!(
                "the bucket `{name}` belongs to another account: choose another with `--bucket` or `--prefix`"
            )]))
        }
        // A concurrent run created it.
        Err(error) if error.code() == Some("BucketAlreadyOwnedByYou") => Ok(()),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(()),
    }
}

async fn public_access(client: &Client, name: &str) -> Result<(), SetupError> {
    let blocked = BUCKET.public_access_blocked;
    let configuration = PublicAccessBlockConfiguration::builder()
        .block_public_acls(blocked)
        .ignore_public_acls(blocked)
        .block_public_policy(blocked)
        .restrict_public_buckets(blocked);
    let request = client
        .put_public_access_block()
        .bucket(name)
        .public_access_block_configuration(configuration.build());
    retry_while_busy("s3:PutBucketPublicAccessBlock", || request.clone().send()).await?;
    Ok(())
}

async fn ownership(client: &Client, name: &str) -> Result<(), SetupError> {
    let rule = OwnershipControlsRule::builder().object_ownership(BUCKET.ownership.clone());
    let controls = OwnershipControls::builder().rules(rule.build()?).build()?;
    let request = client.put_bucket_ownership_controls().bucket(name);
    let request = request.ownership_controls(controls);
    retry_while_busy("s3:PutBucketOwnershipControls", || request.clone().send()).await?;
    Ok(())
}

async fn policy(client: &Client, name: &str, policy: &Value) -> Result<(), SetupError> {
    let request = client.put_bucket_policy().bucket(name);
    let request = request.policy(policy.to_string());
    retry_while_busy("s3:PutBucketPolicy", || request.clone().send()).await?;
    Ok(())
}

async fn versioning(client: &Client, name: &str) -> Result<(), SetupError> {
    let configuration = VersioningConfiguration::builder().status(BUCKET.versioning.clone());
    let request = client
        .put_bucket_versioning()
        .bucket(name)
        .versioning_configuration(configuration.build());
    retry_while_busy("s3:PutBucketVersioning", || request.clone().send()).await?;
    Ok(())
}

async fn encryption(client: &Client, name: &str) -> Result<(), SetupError> {
    let default = ServerSideEncryptionByDefault::builder()
        .sse_algorithm(BUCKET.encryption.clone())
        .build()?;
    let rule = ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default);
    let configuration = ServerSideEncryptionConfiguration::builder();
    let request = client
        .put_bucket_encryption()
        .bucket(name)
        .server_side_encryption_configuration(configuration.rules(rule.build()).build()?);
    retry_while_busy("s3:PutEncryptionConfiguration", || request.clone().send()).await?;
    Ok(())
}

async fn lifecycle(
    client: &Client,
    name: &str,
    foreign: &[LifecycleRule],
    size: Option<&TransitionDefaultMinimumObjectSize>,
) -> Result<(), SetupError> {
    let rules = foreign.iter().cloned().chain(rules::lifecycle()?);
    let configuration = BucketLifecycleConfiguration::builder().set_rules(Some(rules.collect()));
    let request = client
        .put_bucket_lifecycle_configuration()
        .bucket(name)
        .lifecycle_configuration(configuration.build()?)
        .set_transition_default_minimum_object_size(size.cloned());
    retry_while_busy("s3:PutLifecycleConfiguration", || request.clone().send()).await?;
    Ok(())
}

async fn notification(
    client: &Client,
    name: &str,
    configuration: &NotificationConfiguration,
) -> Result<(), SetupError> {
    let request = client
        .put_bucket_notification_configuration()
        .bucket(name)
        .notification_configuration(configuration.clone())
        // Whether existing targets are still valid is outside the scope of this program.
        .skip_destination_validation(true);
    retry_while_busy("s3:PutBucketNotification", || request.clone().send()).await?;
    Ok(())
}

async fn cors(
    client: &Client,
    name: &str,
    foreign: &[CorsRule],
    origins: &[String],
) -> Result<(), SetupError> {
    let rules = foreign.iter().cloned().chain([rules::cors(origins)?]);
    let configuration = CorsConfiguration::builder().set_cors_rules(Some(rules.collect()));
    let request = client.put_bucket_cors().bucket(name);
    let request = request.cors_configuration(configuration.build()?);
    retry_while_busy("s3:PutBucketCORS", || request.clone().send()).await?;
    Ok(())
}

async fn tags(client: &Client, name: &str, tags: &Tags) -> Result<(), SetupError> {
    let tag = |(key, value)| Tag::builder().key(key).value(value).build();
    let set: Result<Vec<_>, _> = tags.iter().map(tag).collect();
    let tagging = Tagging::builder().set_tag_set(Some(set?)).build()?;
    let request = client.put_bucket_tagging().bucket(name).tagging(tagging);
    retry_while_busy("s3:PutBucketTagging", || request.clone().send()).await?;
    Ok(())
}
