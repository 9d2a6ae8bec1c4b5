//! Differential replay: one random script on every surface, and every answer, event, mail and record compared
//! with the reference's.
//!
//! What may differ is listed in [`compare`], and is compared by shape and effect there.

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
