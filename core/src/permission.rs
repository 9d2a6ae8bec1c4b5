//! The permission engine.
//!
//! It takes application records by value and a time, and answers. No cloud-side group, flag or claim
//! reaches it, it reads nothing itself, and every answer comes from the one evaluator in [`access`].

pub mod access;
mod account;
pub mod history;
mod invitation;
mod jobs;
mod permit;
pub mod preview;
mod right;
pub mod subjects;

pub use access::{Access, Reason, Refusal, Source};
pub use account::AccountAccess;
pub use invitation::{InvitationAccess, InvitationRefusal};
pub use jobs::NotDue;
pub use permit::Permit;
pub use right::{Job, Right};
