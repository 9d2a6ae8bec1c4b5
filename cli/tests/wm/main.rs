//! Tests of the command line: the real program, its output and its exit codes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    reason = "helpers of tests may stop where they fail, as tests do"
)]

mod demo;
mod programs;
mod proxy;
mod selection;
mod serve;
mod support;
mod token;
mod transfer;
mod usage;
