//! Differential replay: one random script runs on every surface, and every answer, event, mail and
//! record is compared with the reference's.
//!
//! [`compare`] lists the permitted differences, and compares those values by shape and effect.

pub mod compare;
pub mod crash;
mod mail;
pub mod model;
mod normal;
mod pair;
pub mod run;
pub mod script;
pub mod shrink;
mod snapshot;
mod state;
pub mod target;
