//! The wanted settings of storage account and database, as one value.
//!
//! The template `infra/azure/main.json` has the same settings in its own form. A test compares
//! both, field by field. Names and values are those of Azure Resource Manager.

/// The settings that `wm setup azure` makes.
#[derive(Debug, Clone, Copy)]
pub struct Baseline {
    /// The storage account with the private container.
    pub storage: StorageBaseline,
    /// The Cosmos DB account with the container of records.
    pub cosmos: CosmosBaseline,
}

/// The storage account of documents.
///
/// Two settings are left out, because no change is needed: encryption at rest cannot be turned off,
/// and the service deletes uncommitted blocks after a week.
#[derive(Debug, Clone, Copy)]
pub struct StorageBaseline {
    /// The API version of `Microsoft.Storage` with these property names.
    pub api: &'static str,
    /// The kind of account. It cannot be changed later.
    pub kind: &'static str,
    /// The replication of a new account: three copies in three zones. An existing account keeps its
    /// own.
    pub sku: &'static str,
    /// The default tier of blobs in a new account.
    pub access_tier: &'static str,
    /// Whether the account has directories. Such an account cannot keep versions. It cannot be
    /// changed later.
    pub hierarchical_namespace: bool,
    /// Whether a container may be public.
    pub public_blobs: bool,
    /// Whether the account's keys, and signatures with them, are accepted.
    pub shared_key: bool,
    /// Whether tools use an identity by default.
    pub identity_by_default: bool,
    /// Whether blobs may be replicated to other tenants.
    pub cross_tenant_replication: bool,
    /// The allowed sources of copies.
    pub copy_scope: &'static str,
    /// Whether the account may have its own users with passwords, for SFTP.
    pub local_users: bool,
    /// Whether only TLS is accepted.
    pub https_only: bool,
    /// The minimum TLS version.
    pub minimum_tls: &'static str,
    /// Whether the account is reachable from the internet. Clients upload and download directly.
    pub public_network: &'static str,
    /// The default action for requests that no network rule matches, for a new account. An existing
    /// account keeps its own, which may be stricter.
    pub network_default: &'static str,
    /// Whether overwritten and deleted blobs are kept.
    pub versioning: bool,
    /// The number of days for which a deleted blob or version can be restored.
    pub deleted_blobs_days: u16,
    /// The number of days for which a deleted container can be restored.
    pub deleted_containers_days: u16,
    /// The rule that deletes old versions.
    pub old_versions: LifecycleBaseline,
    /// The permissions of pages from other origins.
    pub cors: CorsBaseline,
    /// The public access of the container.
    pub container_access: &'static str,
}

/// A lifecycle rule for all block blobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LifecycleBaseline {
    /// The name of the rule, by which a later run finds it.
    pub name: &'static str,
    /// The types of blobs that the rule matches.
    pub blob_types: &'static [&'static str],
    /// The number of days after the creation of a version. The service has no age since a version
    /// was superseded. Deleted versions stay restorable for
    /// [`StorageBaseline::deleted_blobs_days`].
    pub days: u16,
}

/// The rule for pages from other origins. The origins belong to the deployment. A rule has no name,
/// so a later run finds it by its origins.
#[derive(Debug, Clone, Copy)]
pub struct CorsBaseline {
    /// The methods of signed requests.
    pub methods: &'static [&'static str],
    /// The headers that a signed request may have.
    pub headers: &'static [&'static str],
    /// The response headers that an uploader needs.
    pub exposed: &'static [&'static str],
    /// The time for which a browser may cache the answer, in seconds.
    pub max_age: u16,
}

/// The Cosmos DB account with its database and containers.
#[derive(Debug, Clone, Copy)]
pub struct CosmosBaseline {
    /// The API version of `Microsoft.DocumentDB` with these property names.
    pub api: &'static str,
    /// The kind of account, which selects its API. It cannot be changed later.
    pub kind: &'static str,
    /// The only existing offer, which the API requires.
    pub offer: &'static str,
    /// The default consistency of reads: a decision reads the last commit. It requires that
    /// [`CosmosBaseline::multiple_writers`] is off.
    pub consistency: &'static str,
    /// Whether several regions accept writes.
    pub multiple_writers: bool,
    /// Whether another region takes over automatically. There is no other region.
    pub automatic_failover: bool,
    /// Whether the account's keys are refused.
    pub local_auth_disabled: bool,
    /// Whether keys are refused for changing databases and containers too.
    pub key_metadata_writes_disabled: bool,
    /// The minimum TLS version.
    pub minimal_tls: &'static str,
    /// Whether the account is reachable from the internet. All access needs an identity.
    pub public_network: &'static str,
    /// The kind of backup: continuous, for restoring to any second. It can be turned on but not
    /// off.
    pub backup: &'static str,
    /// The retention of the backup.
    pub backup_tier: &'static str,
    /// The capability of an account that is billed by use. For a new account without the free tier,
    /// which excludes it.
    pub serverless: &'static str,
    /// Request units per second shared by all containers, for a new account with the free tier: as
    /// many as are free.
    pub free_throughput: u32,
    pub records: ContainerBaseline,
    /// The container in which the trigger of the relay stores its position.
    pub leases: LeasesBaseline,
}

#[derive(Debug, Clone, Copy)]
pub struct ContainerBaseline {
    /// The property of the partition key. It cannot be changed later.
    pub partition_key: &'static str,
    /// The kind of hash. Version 2 of it covers long keys completely.
    pub partition_kind: &'static str,
    /// The version of the hash, see [`ContainerBaseline::partition_kind`].
    pub partition_version: u8,
    /// The time of index updates relative to a write.
    pub indexing_mode: &'static str,
    /// The only indexed paths.
    pub indexed: &'static [&'static str],
    /// The paths without an index: all others.
    pub not_indexed: &'static [&'static str],
    /// Composite indexes: pairs of a property that queries compare by value and a property that
    /// they compare by range and order. Both are ascending.
    pub ordered: &'static [[&'static str; 2]],
    /// The default lifetime of items in seconds: without limit. An item with `ttl` expires by its
    /// own value.
    pub default_ttl: i32,
}

#[derive(Debug, Clone, Copy)]
pub struct LeasesBaseline {
    pub name: &'static str,
    /// The partition key that the trigger requires.
    pub partition_key: &'static str,
}

/// The built-in role that may read, write and delete blobs, and nothing else.
/// <https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage>
pub const BLOB_DATA_CONTRIBUTOR: &str = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";

/// The built-in role of every Cosmos DB account that may read and write items, but not change
/// containers.
/// <https://learn.microsoft.com/azure/cosmos-db/how-to-connect-role-based-access-control>
pub const COSMOS_DATA_CONTRIBUTOR: &str = "00000000-0000-0000-0000-000000000002";

pub const BASELINE: Baseline = Baseline {
    storage: StorageBaseline {
        api: "2025-08-01",
        kind: "StorageV2",
        sku: "Standard_ZRS",
        access_tier: "Hot",
        hierarchical_namespace: false,
        public_blobs: false,
        shared_key: false,
        identity_by_default: true,
        cross_tenant_replication: false,
        copy_scope: "AAD",
        local_users: false,
        https_only: true,
        minimum_tls: "TLS1_2",
        public_network: "Enabled",
        network_default: "Allow",
        versioning: true,
        deleted_blobs_days: 30,
        deleted_containers_days: 30,
        old_versions: LifecycleBaseline {
            name: "old-versions",
            blob_types: &["blockBlob"],
            days: 30,
        },
        cors: CorsBaseline {
            methods: &["GET", "HEAD", "PUT"],
            headers: &["*"],
            exposed: &["ETag"],
            max_age: 3600,
        },
        container_access: "None",
    },
    cosmos: CosmosBaseline {
        api: "2025-10-15",
        kind: "GlobalDocumentDB",
        offer: "Standard",
        consistency: "Strong",
        multiple_writers: false,
        automatic_failover: false,
        local_auth_disabled: true,
        key_metadata_writes_disabled: true,
        minimal_tls: "Tls12",
        public_network: "Enabled",
        backup: "Continuous",
        backup_tier: "Continuous30Days",
        serverless: "EnableServerless",
        free_throughput: 1000,
        records: ContainerBaseline {
            partition_key: "/pk",
            partition_kind: "Hash",
            partition_version: 2,
            indexing_mode: "consistent",
            // The partition key is indexed only if it is listed.
            indexed: &[
                "/pk/?",
                "/sk/?",
                "/gsi1pk/?",
                "/gsi1sk/?",
                "/gsi2pk/?",
                "/gsi2sk/?",
                "/gsi3pk/?",
                "/gsi3sk/?",
                "/gsi4pk/?",
                "/gsi4sk/?",
            ],
            not_indexed: &["/*", "/\"_etag\"/?"],
            ordered: &[
                ["/pk", "/sk"],
                ["/gsi1pk", "/gsi1sk"],
                ["/gsi2pk", "/gsi2sk"],
                ["/gsi3pk", "/gsi3sk"],
                ["/gsi4pk", "/gsi4sk"],
            ],
            default_ttl: -1,
        },
        leases: LeasesBaseline {
            name: "leases",
            partition_key: "/id",
        },
    },
};
