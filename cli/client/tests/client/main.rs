//! The client against a scripted server and against a node.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may stop where they fail, as tests do"
)]

mod node;
mod requests;
mod scripted;
mod signed;
