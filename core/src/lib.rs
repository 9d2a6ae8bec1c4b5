//! The workspace model, its permissions and its operations.
//!
//! Pure: no clock, no randomness, no input or output. Everything a decision depends on comes in as
//! a value ([`value::Env`] for time and randomness), everything it wants done goes out as one.
//!
//! The modules are layers, and each imports only those before it: [`value`] and the names of services
//! in [`catalog`] and [`selection`], [`storage`], [`record`], [`permission`], [`operation`],
//! [`operations`], [`jobs`], [`http`].
#![warn(missing_docs)]
#![no_std]
#![deny(
    clippy::alloc_instead_of_core,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core
)]

extern crate alloc;

pub mod catalog;
pub mod http;
pub mod jobs;
pub mod operation;
pub mod operations;
pub mod permission;
pub mod record;
pub mod selection;
pub mod storage;
pub mod value;

#[cfg(test)]
mod testing;
