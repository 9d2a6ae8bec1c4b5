//! This program's rules of the bucket. Their ids distinguish them from rules of others.

use aws_sdk_s3::{
    error::BuildError,
    types::{
        AbortIncompleteMultipartUpload, CorsRule, ExpirationStatus, LifecycleExpiration,
        LifecycleRule, LifecycleRuleFilter, NoncurrentVersionExpiration,
    },
};

use crate::setup::baseline::{BASELINE, BucketBaseline};

const BUCKET: &BucketBaseline = &BASELINE.bucket;

/// Whether a lifecycle rule has an id of this program.
pub(super) fn is_own(rule: &LifecycleRule) -> bool {
    let ours = [BUCKET.unfinished_uploads.id, BUCKET.old_versions.id];
    rule.id().is_some_and(|id| ours.contains(&id))
}

/// The number of days after which a rule ends uploads. `None` if the rule does anything else.
pub(super) fn ends_uploads(rule: &LifecycleRule) -> Option<i32> {
    let only =
        is_whole(rule) && rule.expiration.is_none() && rule.noncurrent_version_expiration.is_none();
    let uploads = rule.abort_incomplete_multipart_upload.as_ref();
    uploads.filter(|_| only)?.days_after_initiation
}

/// The number of days after which a rule deletes old versions and delete markers. `None` if the
/// rule does anything else.
pub(super) fn removes_objects(rule: &LifecycleRule) -> Option<i32> {
    let expiration = rule.expiration.as_ref()?;
    let only = is_whole(rule)
        && rule.abort_incomplete_multipart_upload.is_none()
        && expiration.expired_object_delete_marker == Some(true)
        && expiration.days.is_none()
        && expiration.date.is_none();
    let versions = rule.noncurrent_version_expiration.as_ref();
    let versions = versions.filter(|found| only && found.newer_noncurrent_versions.is_none());
    versions?.noncurrent_days
}

/// Whether a rule is active for all objects and moves none.
fn is_whole(rule: &LifecycleRule) -> bool {
    let empty = |prefix: Option<&str>| prefix.unwrap_or_default().is_empty();
    let all = |filter: &LifecycleRuleFilter| {
        let LifecycleRuleFilter { tag, and, .. } = filter;
        let sizes = [
            filter.object_size_greater_than,
            filter.object_size_less_than,
        ];
        let sized = sizes.iter().any(Option::is_some);
        empty(filter.prefix()) && tag.is_none() && and.is_none() && !sized
    };
    #[expect(deprecated, reason = "rules of others are still written with it")]
    let prefix = rule.prefix();
    rule.status == ExpirationStatus::Enabled
        && empty(prefix)
        && rule.filter().is_none_or(all)
        && rule.transitions().is_empty()
        && rule.noncurrent_version_transitions().is_empty()
}

/// This program's lifecycle rules.
pub(super) fn lifecycle() -> Result<[LifecycleRule; 2], BuildError> {
    let uploads = AbortIncompleteMultipartUpload::builder()
        .days_after_initiation(BUCKET.unfinished_uploads.days)
        .build();
    let versions = NoncurrentVersionExpiration::builder()
        .noncurrent_days(BUCKET.old_versions.days)
        .build();
    let markers = LifecycleExpiration::builder().expired_object_delete_marker(true);
    let rule = |id| {
        let whole = LifecycleRuleFilter::builder().prefix("").build();
        let rule = LifecycleRule::builder().id(id).filter(whole);
        rule.status(ExpirationStatus::Enabled)
    };
    Ok([
        rule(BUCKET.unfinished_uploads.id)
            .abort_incomplete_multipart_upload(uploads)
            .build()?,
        rule(BUCKET.old_versions.id)
            .noncurrent_version_expiration(versions)
            .expiration(markers.build())
            .build()?,
    ])
}

/// This program's rule for pages of these origins.
pub(super) fn cors(origins: &[String]) -> Result<CorsRule, BuildError> {
    let owned = |texts: &[&str]| Some(texts.iter().map(|&text| text.to_owned()).collect());
    CorsRule::builder()
        .id(BUCKET.cors.id)
        .set_allowed_origins(Some(origins.to_vec()))
        .set_allowed_methods(owned(BUCKET.cors.methods))
        .set_allowed_headers(owned(BUCKET.cors.headers))
        .set_expose_headers(owned(BUCKET.cors.exposed))
        .max_age_seconds(BUCKET.cors.max_age)
        .build()
}

/// Whether a rule gives the permissions of this program's rule, to any origins.
pub(super) fn allows(rule: &CorsRule) -> bool {
    rule.allowed_methods() == BUCKET.cors.methods
        && rule.allowed_headers() == BUCKET.cors.headers
        && rule.expose_headers() == BUCKET.cors.exposed
        && rule.max_age_seconds() == Some(BUCKET.cors.max_age)
}
