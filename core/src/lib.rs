//! The workspace model, its permissions and its operations.
//!
//! The crate has no clock, no randomness, no input and no output. A decision depends only on its
//! arguments: time and random bytes arrive as a [`value::Env`], stored records as facts. The result
//! of a decision is a value too.
//!
//! Each module imports only modules before it in this list: [`value`], [`catalog`], [`selection`],
//! [`storage`], [`record`], [`permission`], [`operation`], [`operations`] and [`jobs`], [`http`].
//! `operations` and `jobs` are beside one another, and neither imports the other.
//!
//! # Example
//! The permission engine decides about records that the caller has read:
//!
//! ```
//! use wm_core::{
//!     permission::{AccountAccess, Refusal},
//!     record::{Account, AccountKind, Author, Clock, Member, MemberStatus, Record},
//!     value::{AccountId, AccountRole, Capability, Env, Invalid, Timestamp, UserId},
//! };
//!
//! let env = Env::new(Timestamp::from_millis(1_764_000_000_000), [7; 32]);
//! let (account_id, ana): (AccountId, UserId) = (env.id("account"), env.id("ana"));
//! let account = Account::new("Harbour Consulting".parse()?, AccountKind::Consulting, env.id("olga"));
//! let member = Member {
//!     account_id,
//!     membership_id: env.id("membership"),
//!     role: AccountRole::Admin,
//!     status: MemberStatus::Active,
//!     invitation_id: None,
//! };
//! let account = Record::new(account_id, account, Clock::default(), env.now, Author::System);
//! let member = Record::new(ana, member, Clock::default(), env.now, Author::System);
//!
//! let access = AccountAccess { user: ana, account: Some(&account), member: Some(&member), teams: &[] };
//! assert!(access.permit(account_id, Capability::MemberManage).is_ok());
//! assert_eq!(
//!     access.permit(account_id, Capability::AccountDelete).err(),
//!     Some(Refusal::Missing(Capability::AccountDelete)),
//! );
//! # Ok::<(), Invalid>(())
//! ```
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
