//! HTTP for the surfaces that serve it themselves: the local node, and a handler behind a functions host.
//!
//! Warp's filters say what is answered. They run as a service on hyper's own connections, because
//! warp's server has no time limit for a request's head, no limit of connections and no end to how
//! long it drains.

mod api;
mod body;
mod in_flight;
mod server;

pub use api::{convert, plain_headers, plain_method, problem, raw_query, routes};
pub use body::{Body, BodyError, body};
pub use server::{Server, Timeouts};
