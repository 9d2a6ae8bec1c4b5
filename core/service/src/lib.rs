//! The ports, and the one executor that runs the use-cases of `wm-core` over them.
//!
//! Asynchronous, without a runtime and without an SDK: a surface brings both.

pub mod ports;
