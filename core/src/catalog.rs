//! The provider catalog: what each provider brings for each concern, and how its names look. The one
//! place in core that knows the names of cloud services.

use core::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::Invalid;

/// Where a surface runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// One machine.
    Local,
    /// Amazon Web Services.
    Aws,
    /// Microsoft Azure.
    Azure,
}

impl Provider {
    /// Every provider.
    pub const ALL: &'static [Self] = &[Self::Local, Self::Aws, Self::Azure];

    /// The word in records, answers and selections.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Aws => "aws",
            Self::Azure => "azure",
        }
    }

    /// What the catalog says of it.
    #[must_use]
    pub const fn entry(self) -> &'static Entry {
        match self {
            Self::Local => &LOCAL,
            Self::Aws => &AWS,
            Self::Azure => &AZURE,
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Provider {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let named = Self::ALL.iter().find(|provider| provider.as_str() == text);
        named
            .copied()
            .ok_or(Invalid("must be `local`, `aws` or `azure`"))
    }
}

/// What a surface needs from its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Concern {
    /// Who people are.
    Identity,
    /// What answers HTTP.
    ApiRuntime,
    /// The bytes of artifacts.
    Storage,
    /// The records.
    Database,
    /// The event bus.
    Events,
    /// Outgoing mail.
    Mail,
    /// Secrets and runtime configuration.
    Secrets,
}

/// One provider in the catalog.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CatalogEntry")]
pub struct Entry {
    /// The provider.
    pub provider: Provider,
    /// What people call it.
    pub label: &'static str,
    /// Which service answers each concern.
    pub services: &'static [Service],
    /// The fields of its backend selection, in the order they are written.
    pub fields: &'static [Field],
}

/// The service a provider answers a concern with.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CatalogService")]
pub struct Service {
    /// The concern.
    pub concern: Concern,
    /// What people call the service.
    pub label: &'static str,
}

/// One field of a backend selection.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CatalogField")]
pub struct Field {
    /// Its path, such as `storage.bucket`.
    pub path: &'static str,
    /// The value for the default prefix and environment.
    #[serde(rename = "default")]
    pub example: &'static str,
    /// How the value follows from prefix and environment.
    #[serde(skip)]
    pub source: Source,
    /// What the provider accepts.
    #[serde(skip)]
    pub rule: Rule,
}

/// Where the value of a field comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// It is the catalog's value unless someone writes another.
    Catalog,
    /// Prefix, environment and this ending, so that it is unique where the provider wants it so.
    Derived(&'static str),
    /// Where the surface runs; asked of whoever sets it up.
    Place,
}

/// What a provider accepts as a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// This text and no other.
    Exactly,
    /// Lower-case letters, digits and inner hyphens; `runs` allows several hyphens in a row.
    Hyphenated {
        /// The fewest and the most characters.
        length: (usize, usize),
        /// Whether hyphens may follow each other.
        runs: bool,
        /// Beginnings the provider keeps for itself.
        reserved: &'static [&'static str],
    },
    /// Lower-case letters and digits.
    Compact {
        /// The fewest and the most characters.
        length: (usize, usize),
    },
    /// Letters, digits, `_`, `.` and `-`.
    Identifier {
        /// The fewest and the most characters.
        length: (usize, usize),
    },
    /// Words of lower-case letters and digits, joined by hyphens.
    Place {
        /// The fewest and the most words.
        words: (usize, usize),
    },
    /// A path on this machine.
    Path,
}

/// The prefix of names unless someone chooses another.
pub const DEFAULT_PREFIX: &str = "workspace-management";
/// The environment unless someone chooses another.
pub const DEFAULT_ENVIRONMENT: &str = "dev";

/// Texts that only occur in secrets of these providers, with what they give away. Compared without
/// regard to case.
pub const CREDENTIAL_MARKS: &[(&str, &str)] = &[
    ("-----begin", "a private key or certificate"),
    ("accountkey=", "a connection string"),
    ("sharedaccesskey=", "a connection string"),
    ("accesskey=", "a connection string"),
    ("sharedaccesssignature", "a shared access signature"),
    ("sig=", "a shared access signature"),
    ("x-amz-signature=", "a presigned address"),
    ("x-amz-security-token=", "a presigned address"),
    ("aws_secret_access_key", "an access key"),
    ("password=", "a connection string"),
    ("pwd=", "a connection string"),
    ("client_secret=", "a client secret"),
    ("bearer ", "a token"),
];

/// Beginnings of access key ids; sixteen upper-case letters and digits follow.
pub const ACCESS_KEY_STARTS: &[&str] = &["AKIA", "ASIA", "AIDA", "AROA", "AGPA", "ANPA"];

const fn fixed(path: &'static str, value: &'static str) -> Field {
    Field {
        path,
        example: value,
        source: Source::Catalog,
        rule: Rule::Exactly,
    }
}

const fn chosen(path: &'static str, value: &'static str, rule: Rule) -> Field {
    Field {
        path,
        example: value,
        source: Source::Catalog,
        rule,
    }
}

const fn derived(
    path: &'static str,
    example: &'static str,
    ending: &'static str,
    rule: Rule,
) -> Field {
    Field {
        path,
        example,
        source: Source::Derived(ending),
        rule,
    }
}

const fn place(path: &'static str, example: &'static str, words: (usize, usize)) -> Field {
    Field {
        path,
        example,
        source: Source::Place,
        rule: Rule::Place { words },
    }
}

const PRIVATE_PREFIX_MODE: Field = fixed("storage.privatePrefixMode", "workspace-model");

const ITEM_CONTAINER: Field = chosen(
    "database.itemContainer",
    "workspace_items",
    Rule::Identifier { length: (3, 255) },
);

const fn service(concern: Concern, label: &'static str) -> Service {
    Service { concern, label }
}

static LOCAL: Entry = Entry {
    provider: Provider::Local,
    label: "This machine",
    services: &[
        service(Concern::Identity, "Built-in OpenID Connect issuer"),
        service(Concern::ApiRuntime, "`wm serve`"),
        service(Concern::Storage, "A directory with signed addresses"),
        service(Concern::Database, "SQLite"),
        service(Concern::Events, "In-process bus and JSON lines"),
        service(Concern::Mail, "A maildir"),
        service(Concern::Secrets, "The data directory and the environment"),
    ],
    fields: &[
        chosen("storage.directory", ".wm-data/objects", Rule::Path),
        PRIVATE_PREFIX_MODE,
        chosen("database.file", ".wm-data/workspace.sqlite", Rule::Path),
        ITEM_CONTAINER,
        fixed("identity.service", "Built-in OpenID Connect issuer"),
        fixed("notifications.service", "In-process bus + maildir"),
    ],
};

static AWS: Entry = Entry {
    provider: Provider::Aws,
    label: "Amazon Web Services",
    services: &[
        service(Concern::Identity, "Cognito"),
        service(Concern::ApiRuntime, "API Gateway HTTP API + Lambda"),
        service(Concern::Storage, "S3"),
        service(Concern::Database, "DynamoDB"),
        service(Concern::Events, "EventBridge"),
        service(Concern::Mail, "SES"),
        service(Concern::Secrets, "Secrets Manager + Parameter Store"),
    ],
    fields: &[
        place("region", "us-east-1", (3, 4)),
        derived(
            "storage.bucket",
            "workspace-management-dev-documents",
            "documents",
            Rule::Hyphenated {
                length: (3, 63),
                runs: true,
                reserved: &["xn--", "sthree-", "amzn-s3-demo-"],
            },
        ),
        PRIVATE_PREFIX_MODE,
        derived(
            "database.table",
            "workspace-management-dev",
            "",
            Rule::Identifier { length: (3, 255) },
        ),
        ITEM_CONTAINER,
        fixed("identity.service", "Cognito"),
        fixed("notifications.service", "EventBridge + SES"),
    ],
};

static AZURE: Entry = Entry {
    provider: Provider::Azure,
    label: "Microsoft Azure",
    services: &[
        service(Concern::Identity, "Microsoft Entra External ID"),
        service(Concern::ApiRuntime, "API Management + Functions"),
        service(Concern::Storage, "Blob Storage"),
        service(Concern::Database, "Cosmos DB for NoSQL"),
        service(Concern::Events, "Event Grid"),
        service(Concern::Mail, "Azure Communication Services Email"),
        service(Concern::Secrets, "Key Vault + App Configuration"),
    ],
    fields: &[
        place("location", "eastus", (1, 1)),
        derived(
            "storage.account",
            "workspacemanagedevdocs",
            "docs",
            Rule::Compact { length: (3, 24) },
        ),
        chosen(
            "storage.container",
            "workspace-documents",
            Rule::Hyphenated {
                length: (3, 63),
                runs: false,
                reserved: &[],
            },
        ),
        PRIVATE_PREFIX_MODE,
        derived(
            "database.account",
            "workspace-management-dev-cosmos",
            "cosmos",
            Rule::Hyphenated {
                length: (3, 44),
                runs: false,
                reserved: &[],
            },
        ),
        chosen(
            "database.database",
            "workspace",
            Rule::Identifier { length: (1, 255) },
        ),
        chosen(
            "database.container",
            "workspace_items",
            Rule::Identifier { length: (1, 255) },
        ),
        ITEM_CONTAINER,
        fixed("identity.service", "Microsoft Entra External ID"),
        fixed(
            "notifications.service",
            "Event Grid + Azure Communication Services Email",
        ),
    ],
};

/// The whole catalog, as `GET /v1/catalog` answers it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Catalog {
    /// One entry per provider.
    pub providers: [&'static Entry; 3],
}

/// The whole catalog.
#[must_use]
pub fn catalog() -> Catalog {
    Catalog {
        providers: [&LOCAL, &AWS, &AZURE],
    }
}

/// The whole catalog as JSON.
#[must_use]
pub fn document() -> serde_json::Value {
    crate::value::canonical::to_value(&catalog())
}
