//! What the conformance suite needs of a surface: its front door, and a look at what came out behind.

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
    /// Its name, for messages.
    fn name(&self) -> &'static str;

    /// Sends a request through the front door.
    fn call(&self, request: Request) -> impl Future<Output = Answer> + Send;

    /// Sends a request to a signed address.
    fn object(&self, request: ObjectRequest) -> impl Future<Output = Answer> + Send;

    /// An access token for the person behind an address.
    fn access_token(&self, email: &str) -> String;

    /// An ID token for the person behind an address.
    fn id_token(&self, email: &str) -> String;

    /// An access token for the person behind an address that was good an hour ago.
    fn expired_token(&self, email: &str) -> String;

    /// What this surface's emulators cannot show: see [`crate::suite::supports`].
    fn known_limitations(&self) -> &[&str] {
        &[]
    }

    /// Returns once everything committed so far is published and mailed.
    fn drain(&self) -> impl Future<Output = ()> + Send;

    /// Every event published so far.
    fn events(&self) -> impl Future<Output = Vec<CloudEvent>> + Send;

    /// The texts of all mails to an address, oldest first.
    fn mails(&self, to: &str) -> impl Future<Output = Vec<String>> + Send;

    /// Runs the sweep once.
    fn sweep(&self) -> impl Future<Output = ()> + Send;

    /// Lets time pass, where the surface's clock can be told to.
    ///
    /// # Errors
    /// Why it cannot; the scenario is then counted as skipped.
    fn pass(&self, duration: Duration) -> Result<(), &'static str>;
}

/// What attacks need of a surface: the keys behind what it signs, which only a test has.
pub trait Signing: Harness {
    /// Who signs its access tokens.
    fn issuer(&self) -> &TestIssuer;

    /// The request that a plan asks for, of this many bytes, as it would have been signed at another time.
    ///
    /// # Errors
    /// Why it cannot be had; what needs it is then counted as skipped.
    fn signed_at(
        &self,
        plan: &Value,
        size: usize,
        time: Timestamp,
    ) -> impl Future<Output = Result<ObjectRequest, &'static str>> + Send;
}

/// A request to a signed address.
#[derive(Debug, Clone, Default)]
pub struct ObjectRequest {
    pub method: String,
    /// The address.
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// An answer as it came over the wire.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What a service answers by itself, without a protocol around it.
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
    /// The first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}
