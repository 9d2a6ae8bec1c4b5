//! The ports: everything a surface must bring, as small as it can be.
//!
//! Conveniences live above these traits. Nothing here is `dyn`: a surface is one type that
//! implements [`Provider`], and the executor is compiled for it.

use std::{error::Error, fmt, future::Future, time::Duration};

use wm_core::{
    http::Request,
    jobs::mail::Message,
    operation::{Batch, Part, SignDownload, SignUpload, Stat},
    record::CloudEvent,
    storage::{Item, Key, List, ObjectPath, Page, Range, Scope},
    value::{Env, Timestamp},
};

/// A surface: one implementation of every port, and the clock and randomness.
pub trait Provider: Send + Sync + 'static {
    /// See [`Records`].
    type Records: Records;
    /// See [`Artifacts`].
    type Artifacts: Artifacts;
    /// See [`KeySource`].
    type Keys: KeySource;
    /// See [`Events`].
    type Events: Events;
    /// See [`Mail`].
    type Mail: Mail;

    /// The database.
    fn records(&self) -> &Self::Records;
    /// The object store.
    fn artifacts(&self) -> &Self::Artifacts;
    /// Where the keys of token issuers come from.
    fn keys(&self) -> &Self::Keys;
    /// The event bus.
    fn events(&self) -> &Self::Events;
    /// Mail.
    fn mail(&self) -> &Self::Mail;
    /// The time, and 32 bytes of entropy that depend on the context too.
    fn env(&self, context: EntropyContext<'_>) -> Env;
    /// The time.
    fn now(&self) -> Timestamp;
    /// Waits. A retry waits through its surface, which alone knows the runtime.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;
}

/// What the entropy of an [`Env`] is used for.
///
/// The entropy source mixes the context into the bytes it derives. A process image can be cloned or
/// restored, and every copy then has the same generator state. Copies that handle different requests
/// still get different bytes.
#[derive(Debug, Clone, Copy)]
pub enum EntropyContext<'a> {
    /// A request of a client.
    Request(&'a Request),
    /// A job of the system, named by the key of its record or the path of its object.
    Job(&'a str),
    /// A value without a subject: a retry delay, the id of a commit that only marks records, the id of
    /// a response that the service did not make.
    Ephemeral,
}

/// Why a port failed.
#[derive(Debug)]
pub struct PortError {
    /// What kind of failure it is.
    pub kind: PortErrorKind,
    source: Box<dyn Error + Send + Sync>,
}

/// The closed list of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortErrorKind {
    /// The service is busy or limits us; nothing happened, and trying again makes sense.
    Throttled,
    /// The service does not answer, or answered in the middle: whether anything happened is unknown.
    Unavailable,
    /// The service refused the request itself: a fault of this program or its configuration.
    Refused,
    /// There is no room for more.
    Full,
}

impl PortError {
    /// A failure of this kind, because of that.
    pub fn new(kind: PortErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind,
            source: source.into(),
        }
    }
}

impl fmt::Display for PortError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.kind {
            PortErrorKind::Throttled => "the service is busy",
            PortErrorKind::Unavailable => "the service does not answer",
            PortErrorKind::Refused => "the service refused the request",
            PortErrorKind::Full => "there is no room left",
        })
    }
}

impl Error for PortError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

/// The database.
pub trait Records: Send + Sync {
    /// One item, strongly consistent.
    fn get(&self, key: &Key) -> impl Future<Output = Result<Option<Item>, PortError>> + Send;

    /// Consecutive items of one partition in byte order of their sort keys, strongly consistent,
    /// paging through whatever pages the service has.
    fn scan(&self, range: &Range) -> impl Future<Output = Result<Page, PortError>> + Send;

    /// One page of an index partition in byte order of its sort keys; may be seconds behind.
    fn list(&self, list: &List) -> impl Future<Output = Result<Page, PortError>> + Send;

    /// Carries a batch out, all or nothing.
    fn commit(&self, batch: &Batch) -> impl Future<Output = Result<(), CommitError>> + Send;

    /// Waits for this writer's turn in a scope and holds it while the value lives. Surfaces with a
    /// single process make writers queue here instead of conflicting; the others return at once.
    fn turn(&self, _scope: Scope) -> impl Future<Output = impl Send> + Send {
        async {}
    }
}

/// Why a batch was not carried out.
#[derive(Debug)]
pub enum CommitError {
    /// A condition did not hold; nothing was changed.
    Conflict,
    /// The service failed. Unless it was [`PortErrorKind::Throttled`], [`PortErrorKind::Refused`] or
    /// [`PortErrorKind::Full`], the batch may have been carried out all the same.
    Failed(PortError),
}

/// The object store.
pub trait Artifacts: Send + Sync {
    /// Begins a multipart upload, answering the provider's name for it.
    fn begin_parts(
        &self,
        upload: &SignUpload,
    ) -> impl Future<Output = Result<String, PortError>> + Send;

    /// Signs the upload: one address for the whole object, or, given the provider's name of a
    /// multipart upload, one per part. Each is bound to one object that must not exist yet, and to
    /// whatever else the provider can bind: length, type, digest.
    fn sign_upload(
        &self,
        upload: &SignUpload,
        upload_id: Option<&str>,
    ) -> impl Future<Output = Result<Vec<SignedRequest>, PortError>> + Send;

    /// Signs an address that downloads exactly this object, as an attachment of a fixed type.
    fn sign_download(
        &self,
        download: &SignDownload,
    ) -> impl Future<Output = Result<SignedRequest, PortError>> + Send;

    /// Puts the parts of a multipart upload together; `None` when a part is missing. Asking again
    /// after success answers the same.
    fn assemble(
        &self,
        path: &ObjectPath,
        upload_id: &str,
        parts: &[Part],
    ) -> impl Future<Output = Result<Option<Stat>, PortError>> + Send;

    /// What is known of an object; `None` when it is not there. With `hash`, a provider that keeps
    /// no digest of its own reads the object to compute one.
    fn stat(
        &self,
        path: &ObjectPath,
        hash: bool,
    ) -> impl Future<Output = Result<Option<Stat>, PortError>> + Send;

    /// Removes an object or an unfinished multipart upload, for the sweep.
    fn remove(
        &self,
        path: &ObjectPath,
        upload_id: Option<&str>,
    ) -> impl Future<Output = Result<(), PortError>> + Send;

    /// Objects last written before this time, in order of their paths after `after`, for the sweep.
    fn older_than(
        &self,
        time: Timestamp,
        after: Option<&ObjectPath>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<ObjectPath>, PortError>> + Send;
}

/// A signed address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRequest {
    /// The method it is good for.
    pub method: &'static str,
    /// The address. Secret while it lasts: never logged.
    pub url: String,
    /// The headers the client must send, and no others of its own.
    pub headers: Vec<(String, String)>,
}

/// Where the keys of token issuers come from: a plain fetch, checked and cached above this trait.
pub trait KeySource: Send + Sync {
    /// The key set that is at this address, or where the document there says. The address is an issuer's
    /// configured one and nothing else.
    /// Implementations bound time (5 s) and size (256 KiB) and follow no redirect.
    fn fetch(&self, url: &str) -> impl Future<Output = Result<Vec<u8>, PortError>> + Send;
}

/// The event bus.
pub trait Events: Send + Sync {
    /// Publishes entries as CloudEvents 1.0, answering for each, in order, whether it went.
    fn publish(
        &self,
        entries: &[CloudEvent],
    ) -> impl Future<Output = Vec<Result<(), PortError>>> + Send;
}

/// Mail.
pub trait Mail: Send + Sync {
    /// Hands one message over.
    fn send(&self, message: &Message) -> impl Future<Output = Result<(), PortError>> + Send;
}
