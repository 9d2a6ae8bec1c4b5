//! Shared test code: surfaces and their callers, faults, the conformance suite, goldens, random
//! states and the oracles for comparison.

pub mod arm;
pub mod bodies;
#[cfg(feature = "cedar")]
pub mod cedar;
pub mod client;
pub mod cost_probe;
pub mod costs;
pub mod emulators;
pub mod faults;
pub mod forgery;
pub mod format_1;
pub mod functions_host;
pub mod generator;
pub mod golden;
pub mod harness;
pub mod infra;
pub mod instrumented;
pub mod issuer;
pub mod key_server;
pub mod lambda;
pub mod memory;
pub mod openapi;
pub mod oracle;
pub mod oracle_comparison;
pub mod process;
pub mod process_metrics;
pub mod random_source;
pub mod reference;
pub mod replay;
pub mod repository;
pub mod suite;
pub mod surfaces;
pub mod tools;
pub mod up;
