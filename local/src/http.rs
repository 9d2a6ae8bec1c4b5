//! What a node answers over HTTP: the API, files, and the keys of the built-in issuer.

mod download;
mod files;
mod keys;

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

pub use files::Files;
use warp::{Filter, filters::BoxedFilter, reply::Response as HttpResponse};
use wm_core::http::{Request, Response};
use wm_http::Timeouts;
use wm_service::EnvSource;

use crate::identity::Issuer;

/// How long a node waits for its clients: stopping, with what a node does after it, has to end within 5 seconds.
pub const TIMEOUTS: Timeouts = Timeouts {
    head: Duration::from_secs(10),
    drain: Duration::from_secs(4),
};

/// What a node answers.
pub struct Site<H> {
    /// The API.
    pub handle: H,
    pub files: Files,
    /// The built-in issuer, whose keys are published.
    pub issuer: Arc<Issuer>,
    /// The time, and the ids of refusals.
    pub env: Arc<EnvSource>,
}

impl<H, F> Site<H>
where
    H: Fn(Request) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    /// All of it, on a server with this address: every request that is for no file and no key goes to
    /// the API.
    pub fn routes(self, address: SocketAddr) -> BoxedFilter<(HttpResponse,)> {
        keys::routes(self.issuer, address)
            .or(self.files.routes())
            .unify()
            .or(wm_http::routes(self.handle, self.env))
            .unify()
            .boxed()
    }
}
