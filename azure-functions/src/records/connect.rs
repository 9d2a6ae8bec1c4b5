//! Where the container is, and how it is asked.

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

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(1);
/// How often a request is sent again that the service had no capacity for, after the pause it asks for.
/// Whoever calls has retries of its own, with jitter and a deadline.
const THROTTLED_RETRIES: u32 = 1;

/// A container of an account, and who asks for it.
pub(super) struct Place {
    endpoint: AccountEndpoint,
    credential: Arc<dyn TokenCredential>,
    names: Cosmos,
}

impl fmt::Debug for Place {
    /// Without the credential.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.names.fmt(formatter)
    }
}

impl Place {
    pub(super) fn new(sdk: &Sdk, names: &Cosmos) -> Result<Self, SdkError> {
        let endpoint = names.endpoint.parse();
        Ok(Self {
            endpoint: endpoint.map_err(|error: CosmosError| SdkError::Client(error.into()))?,
            credential: Arc::clone(&sdk.credential),
            names: names.clone(),
        })
    }
}

/// Looks the account and the container up.
pub(super) async fn connect(place: &Place) -> Result<ContainerClient, PortError> {
    look_up(place).await.map_err(port_error)
}

async fn look_up(place: &Place) -> Result<ContainerClient, CosmosError> {
    let runtime = CosmosRuntime::builder()
        .with_connection_pool(connections()?)
        .build()
        .await?;
    let account =
        AccountReference::with_credential(place.endpoint.clone(), Arc::clone(&place.credential));
    // One region writes, and it is the one that is read.
    let anywhere = RoutingStrategy::PreferredRegions(Vec::new());
    let client = CosmosClient::builder()
        .with_runtime(runtime)
        .with_default_operation_options(common(1))
        .with_binary_encoding_options(BinaryEncodingOptions::new().with_enabled(false))
        .build(account, anywhere)
        .await?;
    client
        .database_client(place.names.database.clone())
        .container_client(place.names.container.clone(), None)
        .await
}

fn connections() -> Result<ConnectionPoolOptions, CosmosError> {
    ConnectionPoolOptions::builder()
        .with_max_connect_timeout(CONNECT)
        .with_max_dataplane_request_timeout(Timeouts::DATABASE.attempt)
        .with_max_metadata_request_timeout(Timeouts::DATABASE.attempt)
        // The gateway every account has, which is what the tests talk to.
        .with_gateway_v2_disabled(true)
        .build()
}

/// What holds for every call. All of it is said, because what is not may be said by variables of the
/// environment.
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
        // At Strong, no session needs a token to read what it wrote.
        .with_session_capturing_disabled(true)
        .with_availability_strategy(AvailabilityStrategy::Disabled)
        .with_content_response_on_write(ContentResponseOnWrite::Disabled)
        .with_read_consistency_strategy(ReadConsistencyStrategy::Default)
        .build()
}

/// For a read that a decision is taken on. On an account that is not at Strong it fails, instead of being
/// answered with the past. Tried again once, for connections that died in between.
pub(super) fn for_decisions() -> OperationOptions {
    let mut options = common(1);
    options.read_consistency_strategy = Some(ReadConsistencyStrategy::GlobalStrong);
    options
}

/// For a read that may be behind.
pub(super) fn for_lists() -> OperationOptions {
    common(1)
}

/// For a write, which is not sent again once it was answered: only the executor can tell whether it was
/// carried out. When a connection dies in between, the SDK sends it once more over another one, whatever it
/// is told; then it may meet itself, which looks like a conflict and which the executor sees through too.
pub(super) fn for_writes() -> OperationOptions {
    common(0)
}
