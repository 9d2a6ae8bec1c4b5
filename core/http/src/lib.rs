//! HTTP for surfaces that serve it themselves: the local node, and the handler behind a functions
//! host.
//!
//! Warp's filters produce the answers. They run as a service on hyper connections, because the
//! server of warp has no time limit for request heads, no limit of connections and no limit on
//! draining.

mod api;
mod body;
mod in_flight;
mod server;

pub use api::{convert, plain_headers, plain_method, problem, raw_query, routes};
pub use body::{Body, BodyError, body};
pub use server::{Server, Timeouts};
