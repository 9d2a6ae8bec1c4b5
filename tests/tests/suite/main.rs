//! The conformance suite: every scenario on memory and on each surface.

mod aws;
mod azure;
mod local;
mod memory;
