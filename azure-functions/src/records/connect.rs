//! Connecting to the container, and the options of calls.

use std::{fmt, sync::Arc, time::Duration};

use azure_core::credentials::TokenCredential;
use azure_data_cosmos::{
    AccountEndpoint, AccountReference, CosmosClient, CosmosError, CosmosRuntime, RoutingStrategy,
    clients::ContainerClient,
    options::{
        AvailabilityStrategy, BinaryEncodingOptions, ConnectionPoolOptions, ContentResponseOnWrite,
        OperationOptions, OperationOptionsBuilder, ReadConsistencyStrategy,
        ThrottlingRetryOptionsBuilder,
    },
};
use wm_service::ports::PortError;

use super::failure::port_error;
use crate::{
    config::Cosmos,
    sdk::{Sdk, SdkError, Timeouts},
};

/// The timeout for a connection.
const CONNECT: Duration = Duration::from_secs(1);
/// The number of retries after throttling, with the pause that the service asks for. Callers have
/// their own retries with jitter and a deadline.
const THROTTLED_RETRIES: u32 = 1;

/// Connects to a container of an account with a credential.
pub(super) struct Connector {
    endpoint: AccountEndpoint,
    credential: Arc<dyn TokenCredential>,
    names: Cosmos,
}

impl fmt::Debug for Connector {
    /// Omits the credential.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.names.fmt(formatter)
    }
}

impl Connector {
    pub(super) fn new(sdk: &Sdk, names: &Cosmos) -> Result<Self, SdkError> {
        let endpoint = names.endpoint.parse();
        Ok(Self {
            endpoint: endpoint.map_err(|error: CosmosError| SdkError::Client(error.into()))?,
            credential: Arc::clone(&sdk.credential),
            names: names.clone(),
        })
    }
}

/// Looks up the account and the container.
pub(super) async fn connect(connector: &Connector) -> Result<ContainerClient, PortError> {
    look_up(connector).await.map_err(port_error)
}

async fn look_up(connector: &Connector) -> Result<ContainerClient, CosmosError> {
    let runtime = CosmosRuntime::builder()
        .with_connection_pool(connections()?)
        .build()
        .await?;
    let account = AccountReference::with_credential(
        connector.endpoint.clone(),
        Arc::clone(&connector.credential),
    );
    // The account has one write region, which also serves the reads.
    let anywhere = RoutingStrategy::PreferredRegions(Vec::new());
    let client = CosmosClient::builder()
        .with_runtime(runtime)
        .with_default_operation_options(common(1))
        .with_binary_encoding_options(BinaryEncodingOptions::new().with_enabled(false))
        .build(account, anywhere)
        .await?;
    client
        .database_client(connector.names.database.clone())
        .container_client(connector.names.container.clone(), None)
        .await
}

fn connections() -> Result<ConnectionPoolOptions, CosmosError> {
    ConnectionPoolOptions::builder()
        .with_max_connect_timeout(CONNECT)
        .with_max_dataplane_request_timeout(Timeouts::DATABASE.attempt)
        .with_max_metadata_request_timeout(Timeouts::DATABASE.attempt)
        // Uses the gateway of every account, which the tests use too.
        .with_gateway_v2_disabled(true)
        .build()
}

/// Options of every call. Set every option explicitly; unset ones would fall back to environment
/// variables.
fn common(retries: u32) -> OperationOptions {
    let throttled = ThrottlingRetryOptionsBuilder::new()
        .with_max_retry_count(THROTTLED_RETRIES)
        .with_max_retry_wait_time(Timeouts::DATABASE.attempt)
        .build();
    OperationOptionsBuilder::new()
        .with_end_to_end_latency_policy(Timeouts::DATABASE.operation.into())
        .with_throttling_retry_options(throttled)
        .with_max_failover_retry_count(retries)
        .with_max_session_retry_count(0)
        // At Strong consistency, no session token is needed to read one's own writes.
        .with_session_capturing_disabled(true)
        .with_availability_strategy(AvailabilityStrategy::Disabled)
        .with_content_response_on_write(ContentResponseOnWrite::Disabled)
        .with_read_consistency_strategy(ReadConsistencyStrategy::Default)
        .build()
}

/// Options of reads for decisions. On an account without Strong consistency they fail instead of
/// returning old data. One retry covers broken connections.
pub(super) fn for_decisions() -> OperationOptions {
    let mut options = common(1);
    options.read_consistency_strategy = Some(ReadConsistencyStrategy::GlobalStrong);
    options
}

/// Options of reads that may be outdated.
pub(super) fn for_lists() -> OperationOptions {
    common(1)
}

/// Options of writes. An answered write is never sent again: only the executor can tell whether it
/// took effect. If a connection breaks, the SDK sends the write again, whatever its options.
/// The second attempt can then conflict with the first, which the executor recognises.
pub(super) fn for_writes() -> OperationOptions {
    common(0)
}
