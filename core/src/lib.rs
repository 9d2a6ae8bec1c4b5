//! The workspace model, its permissions and its use-cases.
//!
//! Pure: no clock, no randomness, no input or output. Everything a decision depends on comes in as
//! a value ([`env::Env`] for time and randomness), everything it wants done goes out as one.
#![no_std]
#![deny(
    clippy::alloc_instead_of_core,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core
)]

extern crate alloc;

pub mod api;
pub mod authority;
pub mod canonical;
pub mod catalog;
pub mod cloud_event;
pub mod commit;
pub mod context;
pub mod drive;
pub mod env;
pub mod facts;
pub mod identity;
pub mod invitation_token;
pub mod journal;
pub mod listing;
pub mod mail;
pub mod model;
pub mod notify;
pub mod operations;
pub mod permission;
pub mod selection;
pub mod storage;
pub mod use_case;
pub mod value;

#[cfg(test)]
mod testing;
