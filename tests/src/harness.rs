//! The interface of a surface for the conformance suite: its public API, and the events and mails
//! that it produced.

use std::{future::Future, time::Duration};

use serde_json::Value;
use wm_core::{
    http::{Request, Response},
    record::CloudEvent,
    value::Timestamp,
};

use crate::issuer::TestIssuer;

/// One surface under test.
pub trait Harness: Send + Sync {
    /// The name for messages.
    fn name(&self) -> &'static str;

    /// Sends a request to the public API.
    fn call(&self, request: Request) -> impl Future<Output = Answer> + Send;

    /// Sends a request to a signed URL.
    fn object(&self, request: ObjectRequest) -> impl Future<Output = Answer> + Send;

    /// An access token for the person with this e-mail address.
    fn access_token(&self, email: &str) -> String;

    /// An ID token for the person with this e-mail address.
    fn id_token(&self, email: &str) -> String;

    /// An access token for the person with this e-mail address that expired an hour ago.
    fn expired_token(&self, email: &str) -> String;

    /// The abilities that this surface's emulators lack: see [`crate::suite::supports`].
    fn known_limitations(&self) -> &[&str] {
        &[]
    }

    /// Waits until all committed changes are published and mailed.
    fn drain(&self) -> impl Future<Output = ()> + Send;

    /// Every event published so far.
    fn events(&self) -> impl Future<Output = Vec<CloudEvent>> + Send;

    /// The texts of all mails to an address, oldest first.
    fn mails(&self, to: &str) -> impl Future<Output = Vec<String>> + Send;

    fn sweep(&self) -> impl Future<Output = ()> + Send;

    /// Advances the surface's clock, if it can be set.
    ///
    /// # Errors
    ///
    /// The reason why it cannot. The scenario is then counted as skipped.
    fn pass(&self, duration: Duration) -> Result<(), &'static str>;
}

/// The keys behind a surface's signatures. Attacks need them, and only tests have them.
pub trait Signing: Harness {
    /// The signer of its access tokens.
    fn issuer(&self) -> &TestIssuer;

    /// The request of an upload plan for this number of bytes, as signed at another time.
    ///
    /// # Errors
    ///
    /// The reason why the surface cannot sign it. The scenario is then counted as skipped.
    fn signed_at(
        &self,
        plan: &Value,
        size: usize,
        time: Timestamp,
    ) -> impl Future<Output = Result<ObjectRequest, &'static str>> + Send;
}

/// A request to a signed URL.
#[derive(Debug, Clone, Default)]
pub struct ObjectRequest {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// A received answer.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    pub status: u16,
    /// The headers. Names are in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// The answer of a service without a protocol around it.
impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        let headers = response.headers.into_iter();
        Self {
            status: response.status,
            headers: headers
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            body: response.body,
        }
    }
}

impl Answer {
    /// The first header with this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}
