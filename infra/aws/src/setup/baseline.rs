//! The wanted settings of table and bucket, as one value.
//!
//! The template of the stack has the same settings in its own form. A test compares both, field by
//! field.

use aws_sdk_dynamodb::types::{BillingMode, ProjectionType, ScalarAttributeType, StreamViewType};
use aws_sdk_s3::types::{BucketVersioningStatus, ObjectOwnership, ServerSideEncryption};

/// The settings that `wm setup aws` makes.
#[derive(Debug, Clone, Copy)]
pub struct Baseline {
    pub table: TableBaseline,
    pub bucket: BucketBaseline,
}

/// The keys of a table or of an index. Both attributes have the type [`KEY_TYPE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keys {
    /// The attribute of the partition key.
    pub partition: &'static str,
    /// The attribute of the sort key.
    pub sort: &'static str,
}

/// The type of all key attributes: text.
pub const KEY_TYPE: ScalarAttributeType = ScalarAttributeType::S;

/// An index for listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexBaseline {
    pub name: &'static str,
    pub keys: Keys,
}

#[derive(Debug, Clone, Copy)]
pub struct TableBaseline {
    pub keys: Keys,
    /// The indexes. All have [`TableBaseline::projection`].
    pub indexes: &'static [IndexBaseline],
    /// The attributes that an index copies.
    pub projection: &'static ProjectionType,
    pub billing: &'static BillingMode,
    /// The content of the stream for each change.
    pub stream: &'static StreamViewType,
    /// Whether the table can be restored to any second of the last 35 days.
    pub point_in_time_recovery: bool,
    /// The attribute with the time in seconds since 1970 after which an item may be deleted.
    pub time_to_live: &'static str,
    /// Whether the table is encrypted with a key in the account's key service, and not with a key
    /// that the database shares among customers.
    pub encryption: bool,
    /// Whether deletion of the table is refused.
    pub deletion_protection: bool,
}

#[derive(Debug, Clone, Copy)]
pub struct BucketBaseline {
    /// Whether all public access is blocked.
    pub public_access_blocked: bool,
    /// The owner of objects: the owner of the bucket, so that access lists have no effect.
    pub ownership: &'static ObjectOwnership,
    /// The id of the policy statement that refuses requests without TLS. The service itself refuses
    /// versions below TLS 1.2.
    pub tls_only: &'static str,
    /// Whether overwritten and deleted objects are kept.
    pub versioning: &'static BucketVersioningStatus,
    /// The minimum encryption of objects whose upload requests no other.
    pub encryption: &'static ServerSideEncryption,
    /// The rule that ends unfinished uploads.
    pub unfinished_uploads: LifecycleBaseline,
    /// The rule that deletes old versions and, after them, delete markers.
    pub old_versions: LifecycleBaseline,
    /// Whether the event bus is notified of changes.
    pub event_bridge: bool,
    /// The permissions of pages from other origins.
    pub cors: CorsBaseline,
}

/// A lifecycle rule for all objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LifecycleBaseline {
    /// The id of the rule, by which a later run finds it.
    pub id: &'static str,
    /// The number of days after which it acts.
    pub days: i32,
}

/// The rule for pages from other origins. The origins belong to the deployment.
#[derive(Debug, Clone, Copy)]
pub struct CorsBaseline {
    /// The id of the rule, by which a later run finds it.
    pub id: &'static str,
    /// The methods of signed requests.
    pub methods: &'static [&'static str],
    /// The headers that a signed request may have.
    pub headers: &'static [&'static str],
    /// The response headers that an uploader needs: completing an upload needs the ETag of each
    /// part.
    pub exposed: &'static [&'static str],
    /// The time for which a browser may cache the answer, in seconds.
    pub max_age: i32,
}

const fn index(name: &'static str, partition: &'static str, sort: &'static str) -> IndexBaseline {
    IndexBaseline {
        name,
        keys: Keys { partition, sort },
    }
}

pub const BASELINE: Baseline = Baseline {
    table: TableBaseline {
        keys: Keys {
            partition: "PK",
            sort: "SK",
        },
        indexes: &[
            index("GSI1", "GSI1PK", "GSI1SK"),
            index("GSI2", "GSI2PK", "GSI2SK"),
            index("GSI3", "GSI3PK", "GSI3SK"),
            index("GSI4", "GSI4PK", "GSI4SK"),
        ],
        projection: &ProjectionType::All,
        billing: &BillingMode::PayPerRequest,
        stream: &StreamViewType::NewImage,
        point_in_time_recovery: true,
        time_to_live: "ttl",
        encryption: true,
        deletion_protection: true,
    },
    bucket: BucketBaseline {
        public_access_blocked: true,
        ownership: &ObjectOwnership::BucketOwnerEnforced,
        tls_only: "TlsOnly",
        versioning: &BucketVersioningStatus::Enabled,
        encryption: &ServerSideEncryption::Aes256,
        unfinished_uploads: LifecycleBaseline {
            id: "unfinished-uploads",
            days: 7,
        },
        old_versions: LifecycleBaseline {
            id: "old-versions",
            days: 30,
        },
        event_bridge: true,
        cors: CorsBaseline {
            id: "signed-requests",
            methods: &["GET", "HEAD", "PUT"],
            headers: &["*"],
            exposed: &["ETag"],
            max_age: 3600,
        },
    },
};
