//! The ports: the interface that a surface implements.
//!
//! The traits contain only what differs between surfaces. They are used without `dyn`: a surface is
//! one type that implements [`Provider`], mostly [`Ports`], and the executor is compiled for it.

use std::{error::Error, fmt, future::Future, sync::Arc, time::Duration};

use wm_core::{
    http::Request,
    jobs::mail::Message,
    operation::{Batch, Part, SignDownload, SignUpload, Stat},
    record::CloudEvent,
    storage::{Item, Key, List, ObjectPath, Page, Range, Scope, ScopePage},
    value::{Env, Timestamp},
};

use crate::{EnvSource, clock::now};

/// A surface: one implementation of every port, with clock and randomness.
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
    /// The keys of token issuers.
    fn keys(&self) -> &Self::Keys;
    /// The event bus.
    fn events(&self) -> &Self::Events;
    /// The mail service.
    fn mail(&self) -> &Self::Mail;
    /// The time, and 32 bytes of entropy that also depend on the context.
    fn env(&self, context: EntropyContext<'_>) -> Env;
    /// The current time.
    fn now(&self) -> Timestamp;
    /// Waits for the duration. The surface provides it, because it selects the async runtime.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;
}

/// A surface made of its ports, with the clock and the entropy of the machine.
#[derive(Debug)]
pub struct Ports<R, A, K, E, M, S> {
    /// The database.
    pub records: R,
    /// The object store.
    pub artifacts: A,
    /// The keys of token issuers.
    pub keys: K,
    /// The event bus.
    pub events: E,
    /// The mail service.
    pub mail: M,
    /// The source of time and entropy.
    pub env: Arc<EnvSource>,
    /// Waits for the duration, on the async runtime of the surface.
    pub sleep: fn(Duration) -> S,
}

impl<R, A, K, E, M, S> Provider for Ports<R, A, K, E, M, S>
where
    R: Records + 'static,
    A: Artifacts + 'static,
    K: KeySource + 'static,
    E: Events + 'static,
    M: Mail + 'static,
    S: Future<Output = ()> + Send + 'static,
{
    type Records = R;
    type Artifacts = A;
    type Keys = K;
    type Events = E;
    type Mail = M;

    fn records(&self) -> &R {
        &self.records
    }

    fn artifacts(&self) -> &A {
        &self.artifacts
    }

    fn keys(&self) -> &K {
        &self.keys
    }

    fn events(&self) -> &E {
        &self.events
    }

    fn mail(&self) -> &M {
        &self.mail
    }

    fn env(&self, context: EntropyContext<'_>) -> Env {
        self.env.env(context)
    }

    fn now(&self) -> Timestamp {
        now()
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        (self.sleep)(duration)
    }
}

/// The purpose of the entropy of an [`Env`].
///
/// The entropy source mixes the context into the bytes it derives. A process image can be cloned or
/// restored, and every copy then has the same generator state. Copies that handle different
/// requests still get different bytes.
#[derive(Debug, Clone, Copy)]
pub enum EntropyContext<'a> {
    /// A request of a client.
    Request(&'a Request),
    /// A job of the system, identified by the key of its record or the path of its object.
    Job(&'a str),
    /// A value without a subject: a retry delay, the id of a commit that only marks records, or the
    /// id of a response made outside the service.
    Ephemeral,
}

/// The failure of a port.
#[derive(Debug)]
pub struct PortError {
    /// The kind of failure.
    pub kind: PortErrorKind,
    source: Box<dyn Error + Send + Sync>,
}

/// The kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortErrorKind {
    /// The service is busy or limits the caller. The call had no effect and can be retried.
    Throttled,
    /// The service did not answer, or the connection broke. It is unknown whether the call had an
    /// effect.
    Unavailable,
    /// The service refused the call because of an error in this program or its configuration.
    Refused,
    /// The storage is full.
    Full,
}

impl PortError {
    /// A failure of this kind with this cause.
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
            PortErrorKind::Full => "the storage is full",
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
    /// Reads one item, strongly consistent.
    fn get(&self, key: &Key) -> impl Future<Output = Result<Option<Item>, PortError>> + Send;

    /// Reads consecutive items of one partition in byte order of their sort keys, strongly
    /// consistent. The implementation follows the pages of the service.
    fn scan(&self, range: &Range) -> impl Future<Output = Result<Page, PortError>> + Send;

    /// Reads one page of an index partition in byte order of its sort keys. The index may be
    /// seconds behind.
    fn list(&self, list: &List) -> impl Future<Output = Result<Page, PortError>> + Send;

    /// Reads some of the scopes that have a head, after this one. Each page visits a limited part of
    /// the store, and may be empty. A scope that is created meanwhile may be left out.
    fn scopes(
        &self,
        after: Option<Scope>,
    ) -> impl Future<Output = Result<ScopePage, PortError>> + Send;

    /// Commits a batch, all or nothing.
    fn commit(&self, batch: &Batch) -> impl Future<Output = Result<(), CommitError>> + Send;

    /// Waits for the scope lock of a writer and holds it while the value lives. Surfaces with a
    /// single process queue writers here, so that they do not conflict. Other surfaces return at
    /// once.
    fn lock_scope(&self, _scope: Scope) -> impl Future<Output = impl Send> + Send {
        async {}
    }
}

/// The reason why a batch was not committed.
#[derive(Debug)]
pub enum CommitError {
    /// A condition did not hold. The commit had no effect.
    Conflict,
    /// The service failed. Unless the kind is [`PortErrorKind::Throttled`],
    /// [`PortErrorKind::Refused`] or [`PortErrorKind::Full`], the batch may have been committed.
    Failed(PortError),
}

/// The object store.
pub trait Artifacts: Send + Sync {
    /// Starts a multipart upload and returns the provider's id for it.
    fn begin_parts(
        &self,
        upload: &SignUpload,
    ) -> impl Future<Output = Result<String, PortError>> + Send;

    /// Signs one URL for the whole object. It is bound to one object that must not exist yet, and
    /// to as much as the provider can bind: length, type, digest.
    fn sign_upload(
        &self,
        upload: &SignUpload,
    ) -> impl Future<Output = Result<SignedRequest, PortError>> + Send;

    /// Signs one URL for each part of a multipart upload, in the order of the parts. Each is bound
    /// to its part, and to as much as the provider can bind.
    fn sign_parts(
        &self,
        upload: &SignUpload,
        upload_id: &str,
    ) -> impl Future<Output = Result<Vec<SignedRequest>, PortError>> + Send;

    /// Signs a URL that downloads exactly this object, as an attachment with a fixed type.
    fn sign_download(
        &self,
        download: &SignDownload,
    ) -> impl Future<Output = Result<SignedRequest, PortError>> + Send;

    /// Completes a multipart upload. `None` if a part is missing. A repeated call after success
    /// gives the same result.
    fn assemble(
        &self,
        path: &ObjectPath,
        upload_id: &str,
        parts: &[Part],
    ) -> impl Future<Output = Result<Option<Stat>, PortError>> + Send;

    /// The properties of an object. `None` if it does not exist. With `hash`, a provider without
    /// stored digests reads the object to compute one.
    fn stat(
        &self,
        path: &ObjectPath,
        hash: bool,
    ) -> impl Future<Output = Result<Option<Stat>, PortError>> + Send;

    /// Deletes an object or aborts an unfinished multipart upload, for the sweep.
    fn remove(
        &self,
        path: &ObjectPath,
        upload_id: Option<&str>,
    ) -> impl Future<Output = Result<(), PortError>> + Send;

    /// Objects last written before this time, for the sweep. The order is that of their paths,
    /// starting after `after`.
    fn older_than(
        &self,
        time: Timestamp,
        after: Option<&ObjectPath>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<ObjectPath>, PortError>> + Send;
}

/// A signed request, for the client to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRequest {
    /// The method that is signed.
    pub method: &'static str,
    /// The signed URL. It is a secret until it expires and must not be logged.
    pub url: String,
    /// The headers that the client must send unchanged, without headers of its own.
    pub headers: Vec<(String, String)>,
}

/// The source of the keys of token issuers. Callers check and cache the result.
pub trait KeySource: Send + Sync {
    /// Fetches the key set at this URL, or at the URL that the discovery document there names. The
    /// URL is always the configured one of an issuer. Implementations limit time (5 s) and size
    /// (256 KiB) and follow no redirects.
    fn fetch(&self, url: &str) -> impl Future<Output = Result<Vec<u8>, PortError>> + Send;
}

/// The event bus.
pub trait Events: Send + Sync {
    /// Publishes events (CloudEvents 1.0). The results are in the order of the events.
    fn publish(
        &self,
        entries: &[CloudEvent],
    ) -> impl Future<Output = Vec<Result<(), PortError>>> + Send;
}

/// The mail service.
pub trait Mail: Send + Sync {
    /// Hands one message over to the mail service.
    fn send(&self, message: &Message) -> impl Future<Output = Result<(), PortError>> + Send;
}
