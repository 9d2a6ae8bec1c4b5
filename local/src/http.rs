//! The HTTP interface of a node: the API, files, and the keys of the built-in issuer.

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

/// The timeouts for clients of a node. Shutting down, including the work after the last request,
/// must end within 5 seconds.
pub const TIMEOUTS: Timeouts = Timeouts {
    head: Duration::from_secs(10),
    drain: Duration::from_secs(4),
};

/// The handlers behind the routes of a node.
pub struct Site<H> {
    pub handle: H,
    pub files: Files,
    /// The built-in issuer. Its keys are published.
    pub issuer: Arc<Issuer>,
    /// Source of the time, and of request ids for refused requests.
    pub env: Arc<EnvSource>,
}

impl<H, F> Site<H>
where
    H: Fn(Request) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    /// All routes, for a server with this address. Requests for neither a file nor a key go to the
    /// API.
    pub fn routes(self, address: SocketAddr) -> BoxedFilter<(HttpResponse,)> {
        keys::routes(self.issuer, address)
            .or(self.files.routes())
            .unify()
            .or(wm_http::routes(self.handle, self.env))
            .unify()
            .boxed()
    }
}
