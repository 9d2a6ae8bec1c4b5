//! What all clients share: credentials, connections, patience.

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

/// Why a client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SdkError {
    /// An address that cannot be one, or a kit that does not start.
    #[error(
        "a client for Azure cannot be made: see that the addresses in the environment are right"
    )]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A key that cannot be one.
    #[error(
        "`AZURE_COMMUNICATION_ACCESS_KEY` must be the resource's key in base64, as the resource shows it"
    )]
    Key,
    /// The system gives no randomness or no certificates.
    #[error("the system lacks what a client needs")]
    System(#[from] std::io::Error),
}

impl From<azure_core::Error> for SdkError {
    fn from(error: azure_core::Error) -> Self {
        Self::Client(error.into())
    }
}

/// How long a call may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    /// One attempt, until its answer begins.
    pub(crate) attempt: Duration,
    /// All attempts together.
    pub(crate) operation: Duration,
}

impl Timeouts {
    /// For the database: it answers within milliseconds, or not at all.
    pub(crate) const DATABASE: Self = Self::seconds(2, 4);
    /// For services that are asked for little.
    pub(crate) const SERVICE: Self = Self::seconds(5, 10);
    /// For the object store, which puts the blocks of an upload together before it answers.
    pub(crate) const OBJECTS: Self = Self::seconds(20, 25);

    const fn seconds(attempt: u64, operation: u64) -> Self {
        Self {
            attempt: Duration::from_secs(attempt),
            operation: Duration::from_secs(operation),
        }
    }
}

/// Credentials and connections, made once.
#[derive(Debug, Clone)]
pub struct Sdk {
    /// The identity everything but mail is done with.
    pub(crate) credential: Arc<dyn TokenCredential>,
    /// The identity that may send mail.
    pub(crate) mail_credential: Arc<dyn TokenCredential>,
    /// Connections to everything but the database, whose kit keeps its own.
    pub(crate) http: reqwest::Client,
}

impl Sdk {
    /// Clients that act as the managed identity of this process, and nobody else: no key, no secret.
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
        let own = credential(&config.identity)?;
        let mail_credential = match &mail_identity {
            None => own.clone(),
            other => credential(other)?,
        };
        Ok(Self {
            credential: own,
            mail_credential,
            http,
        })
    }

    /// Clients that act as somebody else and trust somebody else: a person at the command line, a test.
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

    /// The way to a service without a kit that takes tokens of this scope. Tokens go over TLS only.
    pub(crate) fn pipeline(
        &self,
        credential: &Arc<dyn TokenCredential>,
        scope: &str,
        patience: Timeouts,
    ) -> Pipeline {
        pipeline(bearer(credential, scope), self.client_options(patience))
    }

    /// The way to a service where a second attempt might do a thing twice: there is none.
    pub(crate) fn pipeline_without_retries(
        &self,
        authorization: Arc<dyn Policy>,
        patience: Timeouts,
    ) -> Pipeline {
        let options = ClientOptions {
            retry: RetryOptions::none(),
            ..self.client_options(patience)
        };
        pipeline(authorization, options)
    }

    /// Options for a client that is asked with this much patience.
    pub(crate) fn client_options(&self, patience: Timeouts) -> ClientOptions {
        options(&self.http, patience)
    }
}

/// Tried again once here, for connections that died in between. Whoever calls has retries of its own,
/// with jitter and a deadline.
fn options(http: &reqwest::Client, patience: Timeouts) -> ClientOptions {
    let retry = ExponentialRetryOptions {
        initial_delay: azure_core::time::Duration::milliseconds(25),
        max_retries: 1,
        max_total_elapsed: azure_core::time::Duration::try_from(patience.operation)
            .unwrap_or(azure_core::time::Duration::seconds(10)),
        ..Default::default()
    };
    ClientOptions {
        retry: RetryOptions::exponential(retry),
        per_try_policies: vec![Arc::new(Attempt(patience.attempt))],
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

/// What is tried again once. A service that limits us is not, and nobody waits here for as long as a
/// service likes: whoever calls knows better when to come back.
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

/// Gives an attempt up that has no answer in time, which the kits' own policies do not.
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
            || azure_core::Error::with_message(ErrorKind::Other, "nothing sends requests");
        let (first, rest) = next.split_first().ok_or_else(missing)?;
        let late = |_| azure_core::Error::with_message(ErrorKind::Io, "no answer in time");
        tokio::time::timeout(self.0, first.send(context, request, rest))
            .await
            .map_err(late)?
    }
}

/// What comes of this in so much time.
pub(crate) async fn within<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, PortError>>,
) -> Result<T, PortError> {
    let late = |_| PortError::new(PortErrorKind::Unavailable, "no answer in time");
    tokio::time::timeout(patience, work).await.map_err(late)?
}
