//! Settings of all clients: credentials, connections, timeouts.

use std::{future::Future, sync::Arc, time::Duration};

use azure_core::{
    credentials::TokenCredential,
    error::ErrorKind,
    http::{
        ClientOptions, Context, ExponentialRetryOptions, Pipeline, PipelineOptions, Request,
        RetryOptions, StatusCode, Transport,
        policies::{Policy, PolicyResult, RetryHeaders, auth::BearerTokenAuthorizationPolicy},
    },
};
use azure_identity::{ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId};
use wm_service::ports::{PortError, PortErrorKind};

use crate::config::Config;

/// The reason why a client cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum SdkError {
    /// A URL is invalid, or the SDK does not start.
    #[error("a client for Azure cannot be created: check the URLs in the environment")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The key is invalid.
    #[error("`AZURE_COMMUNICATION_ACCESS_KEY` must be the key of the resource in base64")]
    Key,
    /// The operating system refused random bytes or certificates.
    #[error("the system refused random bytes or certificates")]
    System(#[from] std::io::Error),
}

impl From<azure_core::Error> for SdkError {
    fn from(error: azure_core::Error) -> Self {
        Self::Client(error.into())
    }
}

/// The timeouts of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    /// For one attempt, until its answer begins.
    pub(crate) attempt: Duration,
    /// For all attempts together.
    pub(crate) operation: Duration,
}

impl Timeouts {
    /// The database answers within milliseconds or not at all.
    pub(crate) const DATABASE: Self = Self::seconds(2, 4);
    /// For services that are called rarely.
    pub(crate) const SERVICE: Self = Self::seconds(5, 10);
    /// For the object store, which assembles the blocks of an upload before it answers.
    pub(crate) const OBJECTS: Self = Self::seconds(20, 25);

    const fn seconds(attempt: u64, operation: u64) -> Self {
        Self {
            attempt: Duration::from_secs(attempt),
            operation: Duration::from_secs(operation),
        }
    }
}

/// Credentials and connections, created once.
#[derive(Debug, Clone)]
pub struct Sdk {
    /// The identity for everything except mail.
    pub(crate) credential: Arc<dyn TokenCredential>,
    /// The identity that may send mail.
    pub(crate) mail_credential: Arc<dyn TokenCredential>,
    /// Connections for everything except the database, whose SDK has its own.
    pub(crate) http: reqwest::Client,
}

impl Sdk {
    /// Clients that act as the managed identity of this process, without keys and secrets.
    ///
    /// # Errors
    /// [`SdkError`].
    pub fn new(config: &Config) -> Result<Self, SdkError> {
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(1))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| SdkError::Client(error.into()))?;
        let credential = |id: &Option<String>| {
            let options = ManagedIdentityCredentialOptions {
                user_assigned_id: id.clone().map(UserAssignedId::ClientId),
                client_options: options(&http, Timeouts::SERVICE),
            };
            ManagedIdentityCredential::new(Some(options))
        };
        let sender = config.mail.as_ref();
        let mail_identity = sender.and_then(|sender| sender.identity.clone());
        let default = credential(&config.identity)?;
        let mail_credential = match &mail_identity {
            None => default.clone(),
            other => credential(other)?,
        };
        Ok(Self::acting_as(default, mail_credential, http))
    }

    /// Clients that act as these identities, over these connections.
    #[must_use]
    pub fn acting_as(
        credential: Arc<dyn TokenCredential>,
        mail_credential: Arc<dyn TokenCredential>,
        http: reqwest::Client,
    ) -> Self {
        Self {
            credential,
            mail_credential,
            http,
        }
    }

    /// A pipeline for a service without an SDK, with tokens of this scope. Tokens are sent over TLS
    /// only.
    pub(crate) fn pipeline(
        &self,
        credential: &Arc<dyn TokenCredential>,
        scope: &str,
        timeouts: Timeouts,
    ) -> Pipeline {
        pipeline(bearer(credential, scope), self.client_options(timeouts))
    }

    /// A pipeline without retries, for calls whose repetition could have a second effect.
    pub(crate) fn pipeline_without_retries(
        &self,
        authorization: Arc<dyn Policy>,
        timeouts: Timeouts,
    ) -> Pipeline {
        let options = ClientOptions {
            retry: RetryOptions::none(),
            ..self.client_options(timeouts)
        };
        pipeline(authorization, options)
    }

    /// Options of a client with these timeouts.
    pub(crate) fn client_options(&self, timeouts: Timeouts) -> ClientOptions {
        options(&self.http, timeouts)
    }
}

/// One retry for broken connections. Callers have their own retries with jitter and a deadline.
fn options(http: &reqwest::Client, timeouts: Timeouts) -> ClientOptions {
    let retry = ExponentialRetryOptions {
        initial_delay: azure_core::time::Duration::milliseconds(25),
        max_retries: 1,
        max_total_elapsed: azure_core::time::Duration::try_from(timeouts.operation)
            .unwrap_or(azure_core::time::Duration::seconds(10)),
        ..Default::default()
    };
    ClientOptions {
        retry: RetryOptions::exponential(retry),
        per_try_policies: vec![Arc::new(Attempt(timeouts.attempt))],
        transport: Some(Transport::new(Arc::new(http.clone()))),
        ..Default::default()
    }
}

/// Authorizes each attempt with a token of this scope.
pub(crate) fn bearer(credential: &Arc<dyn TokenCredential>, scope: &str) -> Arc<dyn Policy> {
    let policy = BearerTokenAuthorizationPolicy::new(credential.clone(), [scope]);
    Arc::new(policy)
}

fn pipeline(authorization: Arc<dyn Policy>, options: ClientOptions) -> Pipeline {
    Pipeline::new(
        option_env!("CARGO_PKG_NAME"),
        option_env!("CARGO_PKG_VERSION"),
        options,
        Vec::new(),
        vec![authorization],
        Some(retried()),
    )
}

/// The retried errors. Throttling is not among them, because the caller knows best how long it can
/// wait.
fn retried() -> PipelineOptions {
    PipelineOptions {
        retry_headers: RetryHeaders::default(),
        retry_status_codes: vec![
            StatusCode::RequestTimeout,
            StatusCode::InternalServerError,
            StatusCode::BadGateway,
            StatusCode::ServiceUnavailable,
            StatusCode::GatewayTimeout,
        ],
    }
}

/// Cancels an attempt without an answer in time. The policies of the SDK do not.
#[derive(Debug)]
struct Attempt(Duration);

#[async_trait::async_trait]
impl Policy for Attempt {
    async fn send(
        &self,
        context: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        let missing =
            || azure_core::Error::with_message(ErrorKind::Other, "the pipeline has no transport");
        let (first, rest) = next.split_first().ok_or_else(missing)?;
        let late = |_| azure_core::Error::with_message(ErrorKind::Io, "no answer in time");
        tokio::time::timeout(self.0, first.send(context, request, rest))
            .await
            .map_err(late)?
    }
}

/// The result of work within this time.
pub(crate) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, PortError>>,
) -> Result<T, PortError> {
    let late = |_| PortError::new(PortErrorKind::Unavailable, "no answer in time");
    tokio::time::timeout(limit, work).await.map_err(late)?
}
