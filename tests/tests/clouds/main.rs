//! The surfaces on AWS and Azure over their emulators: tests beyond the conformance suite.
//!
//! Each topic has the scenarios of both clouds, and one module per cloud with its part of them and
//! its own tests.

mod aws_deployed;
mod aws_emulators;
mod azure_services;
mod costs;
mod faults;
mod format_1;
mod front;
mod functions_host;
mod harness;
mod records;
mod tokens;
mod up;
mod uploads;
