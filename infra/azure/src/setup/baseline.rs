//! What storage account and database have to be, as one value.
//!
//! The template `infra/azure/main.json` says the same in its own words; a test compares the two, field
//! by field. Names and values are those of Azure Resource Manager.

/// What `wm setup azure` makes of a storage account and a Cosmos DB account.
#[derive(Debug, Clone, Copy)]
pub struct Baseline {
    /// The storage account with the private container.
    pub storage: StorageBaseline,
    /// The Cosmos DB account with the container of records.
    pub cosmos: CosmosBaseline,
}

/// The storage account of documents.
///
/// Left alone, because nothing here needs them otherwise: encryption at rest, which cannot be turned off;
/// blocks of uploads that nobody finishes, which the service drops after a week by itself.
#[derive(Debug, Clone, Copy)]
pub struct StorageBaseline {
    /// The version of `Microsoft.Storage` in which these properties have their names.
    pub api: &'static str,
    /// What kind of account: fixed when it is made.
    pub kind: &'static str,
    /// How often its bytes are kept, for an account that is made: three times, in three zones. One that
    /// exists keeps its own.
    pub sku: &'static str,
    /// The tier of blobs that name none, for an account that is made.
    pub access_tier: &'static str,
    /// Whether it has directories. An account that has them cannot keep versions; fixed when it is made.
    pub hierarchical_namespace: bool,
    /// Whether a container could be opened to everybody.
    pub public_blobs: bool,
    /// Whether the account's keys, and signatures made with them, are taken.
    pub shared_key: bool,
    /// Whether tools sign with an identity unless told otherwise.
    pub identity_by_default: bool,
    /// Whether blobs could be replicated into other tenants.
    pub cross_tenant_replication: bool,
    /// From where blobs may be copied into it.
    pub copy_scope: &'static str,
    /// Whether there could be users of the account's own, with passwords, for SFTP.
    pub local_users: bool,
    /// Whether only TLS is answered.
    pub https_only: bool,
    /// The oldest TLS that is answered.
    pub minimum_tls: &'static str,
    /// Whether it answers the internet: clients bring and fetch bytes themselves.
    pub public_network: &'static str,
    /// What becomes of requests that no network rule names. For an account that is made: whoever has
    /// narrowed theirs knows why.
    pub network_default: &'static str,
    /// Whether overwritten and deleted blobs are kept.
    pub versioning: bool,
    /// For how many days a deleted blob or version can be brought back.
    pub deleted_blobs_days: u16,
    /// For how many days a deleted container can be brought back.
    pub deleted_containers_days: u16,
    /// The rule that removes what was overwritten or deleted.
    pub old_versions: LifecycleBaseline,
    /// What pages of other origins may do.
    pub cors: CorsBaseline,
    /// What everybody may see of the container.
    pub container_access: &'static str,
}

/// A rule of the account's lifecycle, for every block blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LifecycleBaseline {
    /// Its name, by which it is found again.
    pub name: &'static str,
    /// Which blobs it concerns.
    pub blob_types: &'static [&'static str],
    /// How many days after a version was *made* it acts: the service knows no age since a version was
    /// superseded. What it removes stays for [`StorageBaseline::deleted_blobs_days`] more.
    pub days: u16,
}

/// The rule for pages of other origins. The origins are the deployment's; a rule has no name, so it is
/// found again by its origins.
#[derive(Debug, Clone, Copy)]
pub struct CorsBaseline {
    /// The methods of signed requests.
    pub methods: &'static [&'static str],
    /// The headers a signed request may carry.
    pub headers: &'static [&'static str],
    /// The headers an uploader has to see.
    pub exposed: &'static [&'static str],
    /// For how long a browser may remember the answer, in seconds.
    pub max_age: u16,
}

/// The Cosmos DB account, its database and its container.
#[derive(Debug, Clone, Copy)]
pub struct CosmosBaseline {
    /// The version of `Microsoft.DocumentDB` in which these properties have their names.
    pub api: &'static str,
    /// Which of its interfaces it speaks: fixed when it is made.
    pub kind: &'static str,
    /// The one offer there is, which has to be named.
    pub offer: &'static str,
    /// The weakest read there is: a decision reads what was committed last. Needs
    /// [`CosmosBaseline::multiple_writers`] to be off.
    pub consistency: &'static str,
    /// Whether more than one region could write.
    pub multiple_writers: bool,
    /// Whether another region takes over by itself. There is no other.
    pub automatic_failover: bool,
    /// Whether the account's keys are refused.
    pub local_auth_disabled: bool,
    /// Whether keys are also refused for changing databases and containers.
    pub key_metadata_writes_disabled: bool,
    /// The oldest TLS that is answered.
    pub minimal_tls: &'static str,
    /// Whether it answers the internet, behind identities.
    pub public_network: &'static str,
    /// How it is backed up: so that it can be restored to any second. Can be turned on and never off.
    pub backup: &'static str,
    /// For how long back.
    pub backup_tier: &'static str,
    /// The capability of an account that is paid by use. For one that is made, without the free tier, which
    /// excludes it.
    pub serverless: &'static str,
    /// Request units a second that all containers of the database share, for one that is made with the free
    /// tier: as many as are free.
    pub free_throughput: u32,
    pub records: ContainerBaseline,
    /// The container in which the relay's trigger remembers how far it has come.
    pub leases: LeasesBaseline,
}

/// The container of records.
#[derive(Debug, Clone, Copy)]
pub struct ContainerBaseline {
    /// The property items are spread by: fixed when it is made.
    pub partition_key: &'static str,
    /// How it is hashed, and the version of that, in which long keys count to their end.
    pub partition_kind: &'static str,
    /// See [`ContainerBaseline::partition_kind`].
    pub partition_version: u8,
    /// When the index follows a write.
    pub indexing_mode: &'static str,
    /// The only paths that are indexed.
    pub indexed: &'static [&'static str],
    /// The paths that are not: everything else.
    pub not_indexed: &'static [&'static str],
    /// Pairs of which the first is asked for by value and the second by range and order: what a database
    /// with real indexes would call its indexes. Both ascend.
    pub ordered: &'static [[&'static str; 2]],
    /// For how many seconds an item lives that says nothing of it: for ever. One that says `ttl` goes then.
    pub default_ttl: i32,
}

/// The container of leases.
#[derive(Debug, Clone, Copy)]
pub struct LeasesBaseline {
    pub name: &'static str,
    /// The property that the trigger needs it to be spread by.
    pub partition_key: &'static str,
}

/// Azure's own role that may read, write and delete blobs, and nothing else.
/// <https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage>
pub const BLOB_DATA_CONTRIBUTOR: &str = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";

/// The role of every Cosmos DB account that may read and write items, and change no container.
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
            // The key items are spread by is indexed only where it is said to be.
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
