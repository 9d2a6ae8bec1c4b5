//! What table and bucket have to be, as one value.
//!
//! The stack's template says the same in its own words; a test compares the two, field by field.

use aws_sdk_dynamodb::types::{BillingMode, ProjectionType, ScalarAttributeType, StreamViewType};
use aws_sdk_s3::types::{BucketVersioningStatus, ObjectOwnership, ServerSideEncryption};

/// What `wm setup aws` makes of a table and a bucket.
#[derive(Debug, Clone, Copy)]
pub struct Baseline {
    pub table: TableBaseline,
    pub bucket: BucketBaseline,
}

/// The keys of a table or of one of its indexes. Both attributes are of [`KEY_TYPE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keys {
    /// The attribute items are spread by.
    pub partition: &'static str,
    /// The attribute a partition is sorted by.
    pub sort: &'static str,
}

/// The type of every key attribute: a text.
pub const KEY_TYPE: ScalarAttributeType = ScalarAttributeType::S;

/// One index for listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexBaseline {
    pub name: &'static str,
    pub keys: Keys,
}

/// The table of records.
#[derive(Debug, Clone, Copy)]
pub struct TableBaseline {
    pub keys: Keys,
    /// Its indexes, each with what [`TableBaseline::projection`] says.
    pub indexes: &'static [IndexBaseline],
    /// What an index repeats of an item.
    pub projection: &'static ProjectionType,
    /// How it is paid for.
    pub billing: &'static BillingMode,
    /// What its stream says of a change.
    pub stream: &'static StreamViewType,
    /// Whether it can be restored to any second of the last 35 days.
    pub point_in_time_recovery: bool,
    /// The attribute that says when an item may be collected, in seconds since 1970.
    pub time_to_live: &'static str,
    /// Whether it is encrypted under a key of the account's key service rather than one that the
    /// database shares among all its customers.
    pub encryption: bool,
    /// Whether it refuses to be deleted.
    pub deletion_protection: bool,
}

/// The bucket of artifacts.
#[derive(Debug, Clone, Copy)]
pub struct BucketBaseline {
    /// Whether every kind of public access is blocked.
    pub public_access_blocked: bool,
    /// Who owns what is put in: the bucket's owner, so that access lists mean nothing.
    pub ownership: &'static ObjectOwnership,
    /// The id of the policy's statement that refuses whatever does not come over TLS. Below TLS 1.2
    /// the service refuses by itself.
    pub tls_only: &'static str,
    /// Whether overwritten and deleted objects are kept.
    pub versioning: &'static BucketVersioningStatus,
    /// What encrypts objects that do not ask for anything else, at least.
    pub encryption: &'static ServerSideEncryption,
    /// The rule that ends uploads nobody finishes.
    pub unfinished_uploads: LifecycleBaseline,
    /// The rule that removes what was overwritten or deleted, and at last the mark of the deletion.
    pub old_versions: LifecycleBaseline,
    /// Whether changes are told to the event bus.
    pub event_bridge: bool,
    /// What pages of other origins may do.
    pub cors: CorsBaseline,
}

/// A rule of the bucket's lifecycle, for every object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LifecycleBaseline {
    /// Its id, by which it is found again.
    pub id: &'static str,
    /// After how many days it acts.
    pub days: i32,
}

/// The bucket's rule for pages of other origins. The origins are the deployment's.
#[derive(Debug, Clone, Copy)]
pub struct CorsBaseline {
    /// Its id, by which it is found again.
    pub id: &'static str,
    /// The methods of signed requests.
    pub methods: &'static [&'static str],
    /// The headers a signed request may carry.
    pub headers: &'static [&'static str],
    /// The headers an uploader has to see: a part's tag is needed to put the parts together.
    pub exposed: &'static [&'static str],
    /// For how long a browser may remember the answer, in seconds.
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
