//! The provider catalog: the services and naming rules of each provider. No other module of core
//! knows the names of cloud services.

use core::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::Invalid;

/// The place where a surface runs.
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

    /// The value in records, answers and selections.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Aws => "aws",
            Self::Azure => "azure",
        }
    }

    /// The catalog entry of the provider.
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

/// A concern that each provider answers with a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Concern {
    /// Sign-in and tokens.
    Identity,
    /// The service that answers HTTP.
    ApiRuntime,
    /// The bytes of documents.
    Storage,
    /// The database of records.
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
    /// The display name.
    pub label: &'static str,
    /// One service for each concern.
    pub services: &'static [Service],
    /// The fields of the provider's backend selection, in the order in which they are written.
    pub fields: &'static [Field],
}

/// The service with which a provider answers a concern.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CatalogService")]
pub struct Service {
    /// The concern.
    pub concern: Concern,
    /// The display name.
    pub label: &'static str,
}

/// One field of a backend selection.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CatalogField")]
pub struct Field {
    /// The path, such as `storage.bucket`.
    pub path: &'static str,
    /// The value for the default prefix and environment.
    #[serde(rename = "default")]
    pub example: &'static str,
    /// The origin of the value.
    #[serde(skip)]
    pub source: Source,
    /// The rule for a valid value.
    #[serde(skip)]
    pub rule: Rule,
}

/// The origin of a field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The catalog's value, unless the selection names another.
    Catalog,
    /// Prefix, environment and this ending. Names that the provider requires to be unique come from
    /// here.
    Derived(&'static str),
    /// The location of the surface, such as a region. The operator names it at setup.
    Location,
}

/// A provider's rule for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Exactly the catalog's value.
    Exactly,
    /// Lower-case letters, digits and inner hyphens; `runs` allows several hyphens in a row.
    Hyphenated {
        /// Minimum and maximum number of characters.
        length: (usize, usize),
        /// Whether several hyphens may follow each other.
        runs: bool,
        /// Prefixes that the provider reserves.
        reserved: &'static [&'static str],
    },
    /// Lower-case letters and digits.
    Compact {
        /// Minimum and maximum number of characters.
        length: (usize, usize),
    },
    /// Letters, digits, `_`, `.` and `-`.
    Identifier {
        /// Minimum and maximum number of characters.
        length: (usize, usize),
    },
    /// Words of lower-case letters and digits, joined by hyphens.
    Location {
        /// Minimum and maximum number of words.
        words: (usize, usize),
    },
    /// A path on the local machine.
    Path,
}

/// The prefix of resource names in a selection that names none.
pub const DEFAULT_PREFIX: &str = "workspace-management";
/// The environment of a selection that names none.
pub const DEFAULT_ENVIRONMENT: &str = "dev";

/// Texts that occur only in secrets, each with the kind of secret. The comparison ignores case.
pub const CREDENTIAL_MARKS: &[(&str, &str)] = &[
    ("-----begin", "a private key or certificate"),
    ("accountkey=", "a connection string"),
    ("sharedaccesskey=", "a connection string"),
    ("accesskey=", "a connection string"),
    ("sharedaccesssignature", "a shared access signature"),
    ("sig=", "a shared access signature"),
    ("x-amz-signature=", "a presigned URL"),
    ("x-amz-security-token=", "a presigned URL"),
    ("aws_secret_access_key", "an access key"),
    ("password=", "a connection string"),
    ("pwd=", "a connection string"),
    ("client_secret=", "a client secret"),
    ("bearer ", "a token"),
];

/// Prefixes of AWS access key ids. 16 upper-case letters and digits follow.
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

const fn location(path: &'static str, example: &'static str, words: (usize, usize)) -> Field {
    Field {
        path,
        example,
        source: Source::Location,
        rule: Rule::Location { words },
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

const LOCAL_SERVICES: &[Service] = &[
    service(Concern::Identity, "Built-in OpenID Connect issuer"),
    service(Concern::ApiRuntime, "`wm serve`"),
    service(Concern::Storage, "A directory with signed URLs"),
    service(Concern::Database, "SQLite"),
    service(Concern::Events, "In-process bus and JSON lines"),
    service(Concern::Mail, "A maildir"),
    service(Concern::Secrets, "The data directory and the environment"),
];

const AWS_SERVICES: &[Service] = &[
    service(Concern::Identity, "Cognito"),
    service(Concern::ApiRuntime, "API Gateway HTTP API + Lambda"),
    service(Concern::Storage, "S3"),
    service(Concern::Database, "DynamoDB"),
    service(Concern::Events, "EventBridge"),
    service(Concern::Mail, "SES"),
    service(Concern::Secrets, "Secrets Manager + Parameter Store"),
];

const AZURE_SERVICES: &[Service] = &[
    service(Concern::Identity, "Microsoft Entra External ID"),
    service(Concern::ApiRuntime, "API Management + Functions"),
    service(Concern::Storage, "Blob Storage"),
    service(Concern::Database, "Cosmos DB for NoSQL"),
    service(Concern::Events, "Event Grid"),
    service(Concern::Mail, "Azure Communication Services Email"),
    service(Concern::Secrets, "Key Vault + App Configuration"),
];

static LOCAL: Entry = Entry {
    provider: Provider::Local,
    label: "This machine",
    services: LOCAL_SERVICES,
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
    services: AWS_SERVICES,
    fields: &[
        location("region", "us-east-1", (3, 4)),
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
    services: AZURE_SERVICES,
    fields: &[
        location("location", "eastus", (1, 1)),
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

/// The whole catalog, as answered by `GET /v1/catalog`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Catalog {
    /// One entry per provider.
    pub providers: [&'static Entry; 3],
}

/// Builds the catalog document.
#[must_use]
pub fn catalog() -> Catalog {
    Catalog {
        providers: [&LOCAL, &AWS, &AZURE],
    }
}

/// Builds the catalog document as JSON.
#[must_use]
pub fn document() -> serde_json::Value {
    crate::value::canonical::to_value(&catalog())
}
