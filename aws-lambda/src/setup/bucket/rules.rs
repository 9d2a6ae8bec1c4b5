//! The rules of the bucket that are ours, found by their ids among those of others.

use aws_sdk_s3::{
    error::BuildError,
    types::{
        AbortIncompleteMultipartUpload, CorsRule, ExpirationStatus, LifecycleExpiration,
        LifecycleRule, LifecycleRuleFilter, NoncurrentVersionExpiration,
    },
};

use crate::setup::baseline::{BASELINE, BucketBaseline, LifecycleBaseline};

const BUCKET: &BucketBaseline = &BASELINE.bucket;

