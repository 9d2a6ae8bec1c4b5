//! The HTTP contract: requests, responses, the statuses of problems, the router and the OpenAPI
//! document.

pub mod openapi;
mod problem;
mod request;
mod response;
mod router;

pub use problem::ProblemView;
pub use request::Request;
pub use response::Response;
pub use router::find;
