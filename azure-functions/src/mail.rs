//! Mail through Communication Services.

use wm_core::mail::Message;
use wm_service::ports::{Mail, PortError, PortErrorKind};

use crate::{
    config::Config,
    sdk::{Sdk, SdkError},
};

/// The port over Communication Services Email; a handler that sends nothing has none.
#[derive(Debug, Clone)]
pub struct CommunicationMail;

impl CommunicationMail {
    /// The sender the handler is configured with.
    ///
    /// # Errors
    /// [`SdkError`].
    pub fn new(_: &Sdk, _: &Config) -> Result<Self, SdkError> {
        Ok(Self)
    }
}

impl Mail for CommunicationMail {
    async fn send(&self, _: &Message) -> Result<(), PortError> {
        Err(PortError::new(PortErrorKind::Unavailable, "not there yet"))
    }
}
