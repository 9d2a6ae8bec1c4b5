//! The permission engine.
//!
//! It evaluates application records for a given time. It reads nothing itself, and no group, flag
//! or claim of a cloud provider reaches it. Every answer comes from the evaluator in [`access`].

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
