//! The permission engine.
//!
//! It takes application records by value and a time, and answers. No cloud-side group, flag or claim
//! reaches it, it reads nothing itself, and every answer comes from the one evaluator in [`access`].

pub mod access;
mod account;
mod capability;
pub mod history;
mod permit;
pub mod preview;
mod role;
pub mod subjects;

pub use access::{Access, Reason, Refusal, Source};
pub use account::AccountAccess;
pub use capability::{Capabilities, Capability};
pub use permit::Permit;
pub use role::{AccountRole, ProjectRole, TeamRole};
