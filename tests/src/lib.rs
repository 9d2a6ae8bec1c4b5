//! What the tests share: surfaces and the people who call them, faults, the conformance suite; and
//! goldens, random worlds and the oracles they are compared with.

pub mod agreement;
pub mod arm;
pub mod bodies;
pub mod budget;
pub mod cedar;
pub mod choices;
pub mod client;
pub mod costs;
pub mod emulators;
pub mod faults;
pub mod footprint;
pub mod forgery;
pub mod functions_host;
pub mod golden;
pub mod harness;
pub mod infra;
pub mod issuer;
pub mod key_server;
pub mod lambda;
pub mod memory;
pub mod openapi;
pub mod oracle;
pub mod process;
pub mod reference;
pub mod replay;
pub mod repository;
pub mod requests;
pub mod suite;
pub mod surfaces;
pub mod told;
pub mod tools;
pub mod up;
pub mod walk;
pub mod worlds;
