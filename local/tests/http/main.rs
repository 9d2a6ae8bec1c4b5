//! The HTTP server and the files behind it, over real connections.

mod downloads;
mod server;
mod support;
mod uploads;
