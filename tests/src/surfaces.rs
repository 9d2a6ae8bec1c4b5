//! The surfaces of the suite.

use wm_service::{Service, ports::Provider};

/// Publishes all committed changes and sends their mails, on surfaces without a background process.
pub async fn publish<P: Provider>(service: &Service<P>) {
    let deliver = |event| async move { service.notify(&event).await };
    while service.relay(deliver).await.unwrap().published > 0 {}
}

pub mod aws;
pub mod azure;
pub mod blob;
pub mod composed_node;
pub mod local;
pub mod memory;
pub mod node;
pub mod people;
pub mod recording_local;
