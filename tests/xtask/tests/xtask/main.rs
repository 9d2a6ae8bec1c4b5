//! Tests of the tasks: the real program, its output and its exit codes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests may stop where they fail, as tests do"
)]

mod check;
mod parity;
mod record;
mod support;
mod usage;
