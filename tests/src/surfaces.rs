//! The surfaces the suite runs on.

use wm_service::{Service, ports::Provider};

/// Publishes and mails everything that was committed, where nothing else carries it.
///
/// # Panics
/// When what waits cannot be listed.
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
