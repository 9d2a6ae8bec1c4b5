//! Settings of all clients: credentials, connections, timeouts.

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

/// The root certificates of Amazon (<https://www.amazontrust.com/repository/>). Reading these few
/// takes half as long as reading all certificates of the system.
const ROOTS: &[u8] = include_bytes!("roots.pem");

const TLS: Provider = Provider::Rustls(CryptoMode::AwsLc);

/// The timeouts of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    /// For one attempt, until its answer begins.
    attempt: Duration,
    /// For all attempts together.
    operation: Duration,
}

impl Timeouts {
    /// The database answers within milliseconds or not at all.
    pub(crate) const DATABASE: Self = Self::seconds(2, 4);
    /// For services that are called rarely.
    pub(crate) const SERVICE: Self = Self::seconds(5, 10);
    /// For the object store, which assembles the parts of an upload before it answers.
    pub(crate) const OBJECTS: Self = Self::seconds(20, 25);

    const fn seconds(attempt: u64, operation: u64) -> Self {
        Self {
            attempt: Duration::from_secs(attempt),
            operation: Duration::from_secs(operation),
        }
    }

    fn timeouts(self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(self.attempt)
            .operation_timeout(self.operation)
            .build()
    }
}

/// The settings of all clients of a function. Credentials come from the environment, as Lambda sets
/// them. The longer provider chain of the SDK would be searched at every start.
#[must_use]
pub fn sdk_config(config: &Config) -> SdkConfig {
    let client = Builder::new()
        .tls_provider(TLS)
        .tls_context(tls_context())
        .build_https();
    let credentials = EnvironmentVariableCredentialsProvider::new();
    // One retry for connections that broke while the function was frozen. Callers have their own
    // retries with jitter and a deadline.
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

/// The settings for one service, with its endpoint and timeouts.
pub(crate) fn for_service(
    shared: &SdkConfig,
    config: &Config,
    service: &str,
    timeouts: Timeouts,
) -> SdkConfig {
    let mut builder = shared.clone().into_builder();
    builder.set_endpoint_url(config.endpoint(service));
    builder.timeout_config(timeouts.timeouts()).build()
}

/// A connection for plain requests with the same root certificates.
pub(crate) fn connector(timeout: Duration) -> Connector {
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(timeout)
        .read_timeout(timeout)
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
