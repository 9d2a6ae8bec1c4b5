//! The event bus: an Event Grid topic that takes CloudEvents.

use wm_core::cloud_event::CloudEvent;
use wm_service::ports::{Events, PortError, PortErrorKind};

use crate::{
    config::Config,
    sdk::{Sdk, SdkError},
};

/// The port over a topic; a handler that publishes nothing has none.
#[derive(Debug, Clone)]
pub struct EventGrid;

impl EventGrid {
    /// The topic the handler is configured with.
    ///
    /// # Errors
    /// [`SdkError`].
    pub fn new(_: &Sdk, _: &Config) -> Result<Self, SdkError> {
        Ok(Self)
    }
}

impl Events for EventGrid {
    async fn publish(&self, entries: &[CloudEvent]) -> Vec<Result<(), PortError>> {
        let each = |_| Err(PortError::new(PortErrorKind::Unavailable, "not there yet"));
        entries.iter().map(each).collect()
    }
}
