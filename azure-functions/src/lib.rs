//! The Azure surface: all ports over services of Azure, and the custom handler.

pub mod artifacts;
pub mod config;
mod error;
pub mod events;
pub mod functions;
pub mod http;
pub mod identity;
pub mod mail;
pub mod metrics;
pub mod records;
pub mod sdk;
pub mod secrets;
pub mod surface;
mod telemetry;
