//! The configuration of a function, from environment variables. `docs/aws.md` lists them.

use wm_core::{catalog::DEFAULT_ENVIRONMENT, storage::WorkPartitions};
use wm_service::variables::{ConfigError, Variables};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// Answers HTTP requests.
    Api,
    /// Publishes committed journal entries from the stream of the table.
    Relay,
    /// Completes uploads whose bytes arrived.
    Ingest,
    /// Sends mails for events of the bus.
    Notify,
    /// Finishes interrupted work.
    Sweep,
}

impl Function {
    pub const ALL: [Self; 5] = [
        Self::Api,
        Self::Relay,
        Self::Ingest,
        Self::Notify,
        Self::Sweep,
    ];

    /// The name of the function and of its binary.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Relay => "relay",
            Self::Ingest => "ingest",
            Self::Notify => "notify",
            Self::Sweep => "sweep",
        }
    }

    /// The required variables. Values that may come from Parameter Store or Secrets Manager are not
    /// among them.
    #[must_use]
    pub const fn required_variables(self) -> &'static [&'static str] {
        match self {
            Self::Api => &[REGION, TABLE, BUCKET, USER_POOL, CLIENTS],
            Self::Relay | Self::Sweep => &[REGION, TABLE, BUCKET, BUS],
            Self::Ingest => &[REGION, TABLE, BUCKET],
            Self::Notify => &[REGION, TABLE, BUCKET, FROM],
        }
    }
}

const REGION: &str = "AWS_REGION";
const TABLE: &str = "AWS_DYNAMODB_TABLE";
const BUCKET: &str = "AWS_S3_BUCKET";
const BUS: &str = "AWS_EVENTBRIDGE_BUS";
const FROM: &str = "AWS_SES_FROM";
const USER_POOL: &str = "AWS_COGNITO_USER_POOL";
const CLIENTS: &str = "AWS_COGNITO_CLIENTS";
const JWKS_URL: &str = "AWS_COGNITO_JWKS_URL";
const TRUSTS_EMAIL: &str = "AWS_COGNITO_TRUSTS_EMAIL";
const SSM_PATH: &str = "AWS_SSM_PATH";
const SECRET: &str = "AWS_SECRETS_MANAGER_SECRET";
const ENVIRONMENT: &str = "WM_ENVIRONMENT";
/// The number of index partitions for each kind of unfinished work. Default: 4.
const WORK_PARTITIONS: &str = "WM_WORK_PARTITIONS";
/// The id of the surface. Default: the value in Parameter Store.
pub(crate) const SURFACE_ID: &str = "AWS_SURFACE_ID";
/// The public URL of the surface. Default: the value in Parameter Store.
pub(crate) const PUBLIC_URL: &str = "AWS_PUBLIC_URL";
/// The secret of the surface. Default: the value in Secrets Manager.
pub(crate) const SURFACE_SECRET: &str = "AWS_SURFACE_SECRET";

#[derive(Debug, Clone)]
pub struct Config {
    pub region: String,
    pub table: String,
    /// The bucket of documents.
    pub bucket: String,
    /// The event bus, for functions that publish.
    pub bus: Option<String>,
    /// The sender address, for the function that sends mail.
    pub from: Option<String>,
    /// The issuer of accepted tokens, for the function that verifies them.
    pub cognito: Option<Cognito>,
    /// The path of the parameters in Parameter Store.
    pub parameters: Option<String>,
    /// The name of the secret in Secrets Manager.
    pub secret: Option<String>,
    /// The environment, such as `dev`.
    pub environment: String,
    /// The index partitions for each kind of unfinished work, for the function that raises their
    /// number.
    pub work_partitions: WorkPartitions,
    /// All variables, for values that can also come from elsewhere.
    pub(crate) variables: Variables,
}

/// A Cognito user pool whose tokens are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cognito {
    /// The pool id, such as `us-east-1_aBcDeFgHi`.
    pub user_pool: String,
    /// The app clients whose tokens are accepted.
    pub clients: Vec<String>,
    /// The URL of the pool's keys. Default: that of AWS.
    pub jwks_url: Option<String>,
    /// Whether the claim `email_verified` is trusted.
    pub trusts_email: bool,
}

impl Config {
    /// Reads the configuration of a function from variables.
    ///
    /// # Errors
    /// [`ConfigError`], which names all missing variables at once.
    pub fn read(function: Function, variables: Variables) -> Result<Self, ConfigError> {
        let program = || format!("the function `{}`", function.name());
        variables.require(function.required_variables(), program, "docs/aws.md")?;
        let text = |name| variables.text(name).unwrap_or_default();
        Ok(Self {
            region: text(REGION),
            table: text(TABLE),
            bucket: text(BUCKET),
            bus: variables.text(BUS),
            from: variables.text(FROM),
            cognito: Cognito::read(&variables)?,
            parameters: variables.text(SSM_PATH),
            secret: variables.text(SECRET),
            environment: variables
                .text(ENVIRONMENT)
                .unwrap_or_else(|| DEFAULT_ENVIRONMENT.to_owned()),
            work_partitions: variables.parsed(WORK_PARTITIONS)?.unwrap_or_default(),
            variables,
        })
    }

    /// The endpoint of a service: `AWS_ENDPOINT_URL_{SERVICE}`, or else `AWS_ENDPOINT_URL`, as in
    /// every AWS SDK. `None` means the endpoint of AWS.
    pub(crate) fn endpoint(&self, service: &str) -> Option<String> {
        let specific = format!("AWS_ENDPOINT_URL_{service}");
        self.variables
            .text(&specific)
            .or_else(|| self.variables.text("AWS_ENDPOINT_URL"))
    }
}

impl Cognito {
    fn read(variables: &Variables) -> Result<Option<Self>, ConfigError> {
        let Some(user_pool) = variables.text(USER_POOL) else {
            return Ok(None);
        };
        Ok(Some(Self {
            user_pool,
            clients: variables.list(CLIENTS),
            trusts_email: variables.flag(TRUSTS_EMAIL)?,
            jwks_url: variables.url(JWKS_URL)?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(given: &[(&str, &str)]) -> Variables {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        given.iter().map(owned).collect()
    }

    #[test]
    fn config_error_names_all_missing_variables() {
        let given = variables(&[(REGION, "eu-central-1"), (TABLE, " ")]);
        let error = Config::read(Function::Api, given).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the function `api` needs `AWS_DYNAMODB_TABLE`, `AWS_S3_BUCKET`, `AWS_COGNITO_USER_POOL`, \
             `AWS_COGNITO_CLIENTS`: set these variables as described in docs/aws.md"
        );
    }

    #[test]
    fn key_urls_need_tls() {
        let with = |url| {
            Config::read(
                Function::Api,
                variables(&[
                    (REGION, "eu-central-1"),
                    (TABLE, "table"),
                    (BUCKET, "bucket"),
                    (USER_POOL, "eu-central-1_a"),
                    (CLIENTS, "one, two"),
                    (JWKS_URL, url),
                ]),
            )
        };
        let cognito = with("https://keys.example.com").unwrap().cognito.unwrap();
        assert_eq!(cognito.clients, ["one", "two"]);
        for url in ["http://keys.example.com", "http://127.0.0.1.example.com/"] {
            assert!(with(url).is_err(), "{url}");
        }
    }

    #[test]
    fn service_endpoint_takes_precedence() {
        let mut given = vec![
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:2"),
        ];
        given.extend([(REGION, "r"), (TABLE, "t"), (BUCKET, "b")]);
        let config = Config::read(Function::Ingest, variables(&given)).unwrap();
        assert_eq!(config.endpoint("S3").unwrap(), "http://127.0.0.1:2");
        assert_eq!(config.endpoint("DYNAMODB").unwrap(), "http://127.0.0.1:1");
    }
}
