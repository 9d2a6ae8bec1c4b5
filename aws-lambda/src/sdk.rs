//! What all clients share: credentials, connections, patience.

use std::time::Duration;

use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider,
    retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::{
    Builder, Connector,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::HttpConnectorSettings;

use crate::config::Config;

/// Amazon's root certificates (<https://www.amazontrust.com/repository/>). Reading the few a Lambda
/// function meets takes half as long as reading all that the system trusts.
const ROOTS: &[u8] = include_bytes!("roots.pem");

const TLS: Provider = Provider::Rustls(CryptoMode::AwsLc);

/// How long a call may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    /// One attempt, until its answer begins.
    attempt: Duration,
    /// All attempts together.
    operation: Duration,
}

impl Timeouts {
    /// For the database: it answers within milliseconds, or not at all.
    pub(crate) const DATABASE: Self = Self::seconds(2, 4);
    /// For services that are asked for little.
    pub(crate) const SERVICE: Self = Self::seconds(5, 10);
    /// For the object store, which puts the parts of an upload together before it answers.
    pub(crate) const OBJECTS: Self = Self::seconds(20, 25);

    const fn seconds(attempt: u64, operation: u64) -> Self {
        Self {
            attempt: Duration::from_secs(attempt),
            operation: Duration::from_secs(operation),
        }
    }

    /// As the SDK takes it.
    fn timeouts(self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(self.attempt)
            .operation_timeout(self.operation)
            .build()
    }
}

/// What the clients of a function are made from. Credentials come from the environment and nowhere
/// else, as Lambda hands them over; the SDK's longer chain would be searched at every start.
#[must_use]
pub fn sdk_config(config: &Config) -> SdkConfig {
    let client = Builder::new()
        .tls_provider(TLS)
        .tls_context(tls_context())
        .build_https();
    let credentials = EnvironmentVariableCredentialsProvider::new();
    // Tried again once here, for connections that died while the function was frozen. Whoever calls
    // has retries of its own, with jitter and a deadline.
    let retries = RetryConfig::standard()
        .with_max_attempts(2)
        .with_initial_backoff(Duration::from_millis(25));
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(config.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(client)
        .retry_config(retries)
        .build()
}

/// The same for one service: where it is, if not where AWS has it, and how long it may take.
pub(crate) fn for_service(
    shared: &SdkConfig,
    config: &Config,
    service: &str,
    patience: Timeouts,
) -> SdkConfig {
    let mut builder = shared.clone().into_builder();
    builder.set_endpoint_url(config.endpoint(service));
    builder.timeout_config(patience.timeouts()).build()
}

/// A connection for plain requests, which trusts the same roots.
pub(crate) fn connector(patience: Duration) -> Connector {
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(patience)
        .read_timeout(patience)
        .build();
    Connector::builder()
        .connector_settings(settings)
        .tls_provider(TLS)
        .tls_context(tls_context())
        .build()
}

fn tls_context() -> TlsContext {
    let trusted = TrustStore::empty().with_pem_certificate(ROOTS);
    TlsContext::builder()
        .with_trust_store(trusted)
        .build()
        .unwrap_or_default()
}
