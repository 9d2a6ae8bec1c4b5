//! The HTTP contract: requests, responses, the statuses of problems, the router and the OpenAPI
//! document.

#[cfg(any(test, feature = "openapi-document"))]
pub mod openapi;
mod problem;
mod request;
mod response;
mod router;

pub use problem::ProblemView;
pub use request::Request;
pub use response::Response;
pub use router::find;

/// The OpenAPI document, as JSON text. A test compares it with what the routes generate.
pub const OPENAPI: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));
