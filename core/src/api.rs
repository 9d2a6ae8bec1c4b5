//! The HTTP contract, as data: requests, answers, problems and the one route table.

pub mod openapi;
pub mod plan;
mod problem;
mod request;
mod response;
mod route;
pub mod view;

pub use problem::{FieldError, Problem, ProblemKind, ProblemView};
pub use request::{IfMatch, Method, PageRequest, Parsed, Request, nullable};
pub use response::Response;
pub use route::{
    Handler, PAGE, ParseFn, Precondition, QueryParameter, Route, SchemaFn, find, schema,
};
