//! The AWS surface: all ports over services of AWS, and the Lambda functions.

pub mod artifacts;
pub mod config;
mod error;
pub mod events;
pub mod functions;
pub mod http;
pub mod identity;
pub mod mail;
mod metrics;
pub mod records;
pub mod sdk;
pub mod secrets;
pub mod surface;
mod telemetry;
