//! The HTTP server and the files behind it, over real connections.
#![expect(
    clippy::unwrap_used,
    reason = "a helper that cannot go on fails its test"
)]

mod downloads;
mod server;
mod support;
mod uploads;
