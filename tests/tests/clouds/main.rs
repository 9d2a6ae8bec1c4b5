//! The surfaces on AWS and Azure over their emulators: what the conformance suite does not cover.
//!
//! Each topic has the scenarios of both clouds, and a module for each cloud with its part of them and the tests of what
//! only it has.

mod aws_deployed;
mod aws_emulators;
mod azure_services;
mod costs;
mod faults;
mod front;
mod functions_host;
mod harness;
mod records;
mod tokens;
mod up;
mod uploads;
