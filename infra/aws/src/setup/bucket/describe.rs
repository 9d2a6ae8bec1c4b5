//! Describing the current state of the bucket.

use aws_sdk_s3::{
    Client,
    error::ProvideErrorMetadata,
    operation::get_bucket_acl::GetBucketAclOutput,
    types::{
        BucketVersioningStatus, CorsRule, LifecycleRule, NotificationConfiguration,
        ObjectOwnership, Permission, PublicAccessBlockConfiguration, ServerSideEncryption,
        ServerSideEncryptionByDefault, ServerSideEncryptionRule,
        TransitionDefaultMinimumObjectSize,
    },
};
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use serde_json::Value;

use super::WantedBucket;
use wm_deploy::{service_error::ServiceError, tags::Tags};

use crate::setup::error::{SetupError, service_error};

/// The state of a bucket.
#[derive(Debug, Clone)]
pub struct FoundBucket {
    /// Whether all public access is blocked.
    pub public_access_blocked: bool,
    /// The owner of objects. `None` if it was never set.
    pub ownership: Option<ObjectOwnership>,
    /// Whether the access list gives access to others.
    pub shared: bool,
    pub policy: Option<Value>,
    /// Whether overwritten and deleted objects are kept.
    pub versioning: Option<BucketVersioningStatus>,
    /// The encryption of objects whose upload requests no other.
    pub encryption: Option<ServerSideEncryption>,
    /// A customer key for encryption, if it is not the account's key for the object store.
    pub key: Option<String>,
    pub lifecycle: Vec<LifecycleRule>,
    /// The minimum size of objects that those rules move.
    pub transition_size: Option<TransitionDefaultMinimumObjectSize>,
    /// The targets of change notifications.
    pub notification: NotificationConfiguration,
    /// The permissions of pages from other origins.
    pub cors: Vec<CorsRule>,
    pub tags: Tags,
}

/// The header with the region of a bucket, in refusals.
const REGION_HEADER: &str = "x-amz-bucket-region";

pub(super) async fn describe(
    client: &Client,
    wanted: &WantedBucket,
) -> Result<Option<FoundBucket>, SetupError> {
    if !exists(client, wanted).await? {
        return Ok(None);
    }
    let name = &wanted.name;
    let ownership = ownership(client, name).await?;
    // If the owner owns all objects, the access list has no effect.
    let lists_count = ownership.as_ref() != Some(&ObjectOwnership::BucketOwnerEnforced);
    let (lifecycle, transition_size) = lifecycle(client, name).await?;
    let policy = policy(client, name).await?;
    let encryption = encryption(client, name).await?;
    let encryption = encryption.and_then(|rule| rule.apply_server_side_encryption_by_default);
    Ok(Some(FoundBucket {
        public_access_blocked: public_access_blocked(client, name).await?,
        shared: lists_count && shared(client, name).await?,
        ownership,
        policy,
        versioning: versioning(client, name).await?,
        key: encryption.as_ref().and_then(own_key),
        encryption: encryption.map(|found| found.sse_algorithm),
        lifecycle,
        transition_size,
        notification: notification(client, name).await?,
        cors: cors(client, name).await?,
        tags: tags(client, name).await?,
    }))
}

/// A key other than the key service's default for the object store.
fn own_key(encryption: &ServerSideEncryptionByDefault) -> Option<String> {
    let key = encryption.kms_master_key_id();
    key.filter(|key| !key.ends_with("alias/aws/s3"))
        .map(str::to_owned)
}

/// Whether the bucket exists in the right account and region.
pub(super) async fn exists(client: &Client, wanted: &WantedBucket) -> Result<bool, SetupError> {
    let WantedBucket {
        name,
        region,
        account,
        ..
    } = wanted;
    let request = client
        .head_bucket()
        .bucket(name)
        .expected_bucket_owner(account);
    let (status, there) = match request.send().await {
        Ok(answer) => (200, answer.bucket_region),
        Err(error) => {
            let Some(answer) = error.raw_response() else {
                return Err(service_error("s3:ListBucket", error).into());
            };
            let there = answer.headers().get(REGION_HEADER).map(str::to_owned);
            match answer.status().as_u16() {
                404 => return Ok(false),
                status @ (301 | 400 | 403) => (status, there),
                _ => return Err(service_error("s3:ListBucket", error).into()),
            }
        }
    };
    let elsewhere = there.filter(|there| there != region);
    let reason = match (elsewhere, status) {
        (Some(there), _) => format!(
            "the bucket `{name}` is in the region `{there}`, not `{region}`: use `--region {there}`, or choose another bucket with `--bucket`"
        ),
        (None, 200) => return Ok(true),
        (None, _) => format!(
            "the bucket `{name}` does not belong to the account `{account}`, or these credentials may not read it: choose another with `--bucket`, or allow `s3:ListBucket`"
        ),
    };
    Err(SetupError::Refused(vec![reason]))
}

/// Turns the error for a setting that was never set into `None`.
fn unless_unset<T, E>(
    action: &'static str,
    unset: &str,
    answer: Result<T, SdkError<E, HttpResponse>>,
) -> Result<Option<T>, ServiceError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.code() == Some(unset) => Ok(None),
        Err(error) => Err(service_error(action, error)),
    }
}

async fn public_access_blocked(client: &Client, name: &str) -> Result<bool, ServiceError> {
    let answer = client.get_public_access_block().bucket(name).send().await;
    let unset = "NoSuchPublicAccessBlockConfiguration";
    let answer = unless_unset("s3:GetBucketPublicAccessBlock", unset, answer)?;
    let blocks = |found: PublicAccessBlockConfiguration| {
        let kinds = [
            found.block_public_acls,
            found.ignore_public_acls,
            found.block_public_policy,
            found.restrict_public_buckets,
        ];
        kinds.iter().all(|kind| *kind == Some(true))
    };
    let found = answer.and_then(|answer| answer.public_access_block_configuration);
    Ok(found.is_some_and(blocks))
}

async fn ownership(client: &Client, name: &str) -> Result<Option<ObjectOwnership>, ServiceError> {
    let answer = client
        .get_bucket_ownership_controls()
        .bucket(name)
        .send()
        .await;
    let unset = "OwnershipControlsNotFoundError";
    let answer = unless_unset("s3:GetBucketOwnershipControls", unset, answer)?;
    let rules = answer
        .and_then(|answer| answer.ownership_controls)
        .map(|found| found.rules);
    let first = rules.and_then(|rules| rules.into_iter().next());
    Ok(first.map(|rule| rule.object_ownership))
}

async fn shared(client: &Client, name: &str) -> Result<bool, ServiceError> {
    let answer = client.get_bucket_acl().bucket(name).send().await;
    let answer = answer.map_err(|error| service_error("s3:GetBucketAcl", error))?;
    let GetBucketAclOutput { owner, grants, .. } = answer;
    let owner = owner.and_then(|owner| owner.id);
    let is_owners = |grant: &aws_sdk_s3::types::Grant| {
        let grantee = grant.grantee().and_then(|grantee| grantee.id());
        grantee == owner.as_deref() && grant.permission() == Some(&Permission::FullControl)
    };
    Ok(!grants.unwrap_or_default().iter().all(is_owners))
}

async fn policy(client: &Client, name: &str) -> Result<Option<Value>, SetupError> {
    let answer = client.get_bucket_policy().bucket(name).send().await;
    let answer = unless_unset("s3:GetBucketPolicy", "NoSuchBucketPolicy", answer)?;
    let Some(text) = answer.and_then(|answer| answer.policy) else {
        return Ok(None);
    };
    let policy = serde_json::from_str(&text).map_err(|error| {
        SetupError::Refused(vec![format!(
            "the policy of the bucket `{name}` is not JSON ({error}): correct it and try again"
        )])
    })?;
    Ok(Some(policy))
}

async fn versioning(
    client: &Client,
    name: &str,
) -> Result<Option<BucketVersioningStatus>, ServiceError> {
    let answer = client.get_bucket_versioning().bucket(name).send().await;
    let answer = answer.map_err(|error| service_error("s3:GetBucketVersioning", error))?;
    Ok(answer.status)
}

/// The default encryption.
async fn encryption(
    client: &Client,
    name: &str,
) -> Result<Option<ServerSideEncryptionRule>, ServiceError> {
    let answer = client.get_bucket_encryption().bucket(name).send().await;
    let unset = "ServerSideEncryptionConfigurationNotFoundError";
    let answer = unless_unset("s3:GetEncryptionConfiguration", unset, answer)?;
    let found = answer.and_then(|answer| answer.server_side_encryption_configuration);
    let rules = found.map(|found| found.rules).unwrap_or_default();
    Ok(rules.into_iter().next())
}

async fn lifecycle(
    client: &Client,
    name: &str,
) -> Result<
    (
        Vec<LifecycleRule>,
        Option<TransitionDefaultMinimumObjectSize>,
    ),
    ServiceError,
> {
    let request = client.get_bucket_lifecycle_configuration().bucket(name);
    let answer = request.send().await;
    let unset = "NoSuchLifecycleConfiguration";
    let answer = unless_unset("s3:GetLifecycleConfiguration", unset, answer)?;
    Ok(answer.map_or_else(Default::default, |answer| {
        let rules = answer.rules.unwrap_or_default();
        (rules, answer.transition_default_minimum_object_size)
    }))
}

async fn notification(
    client: &Client,
    name: &str,
) -> Result<NotificationConfiguration, ServiceError> {
    let request = client.get_bucket_notification_configuration().bucket(name);
    let answer = request.send().await;
    let answer = answer.map_err(|error| service_error("s3:GetBucketNotification", error))?;
    Ok(NotificationConfiguration::builder()
        .set_topic_configurations(answer.topic_configurations)
        .set_queue_configurations(answer.queue_configurations)
        .set_lambda_function_configurations(answer.lambda_function_configurations)
        .set_event_bridge_configuration(answer.event_bridge_configuration)
        .build())
}

async fn cors(client: &Client, name: &str) -> Result<Vec<CorsRule>, ServiceError> {
    let answer = client.get_bucket_cors().bucket(name).send().await;
    let answer = unless_unset("s3:GetBucketCORS", "NoSuchCORSConfiguration", answer)?;
    Ok(answer
        .and_then(|answer| answer.cors_rules)
        .unwrap_or_default())
}

async fn tags(client: &Client, name: &str) -> Result<Tags, ServiceError> {
    let answer = client.get_bucket_tagging().bucket(name).send().await;
    let answer = unless_unset("s3:GetBucketTagging", "NoSuchTagSet", answer)?;
    let pairs = answer
        .map(|answer| answer.tag_set)
        .unwrap_or_default()
        .into_iter();
    Ok(pairs.map(|tag| (tag.key, tag.value)).collect())
}
