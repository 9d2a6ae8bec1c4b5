//! The layout of records in any database: scopes, keys, items and batches, as plain values.
//!
//! An adapter converts an [`Item`] to the form of its database and back, and evaluates
//! [`Condition`]s. It never reads a body, so a new field needs no change in any adapter.

mod index;
mod item;
mod key;
mod limits;
pub mod memory;
mod object_path;
mod range;
mod scope;
mod work;
mod write;

pub use index::{Index, IndexKey, IndexKeys, IndexRows};
pub use item::{ETag, Item};
pub use key::{Key, Sort};
pub use limits::UploadLimits;
pub use object_path::{ObjectKind, ObjectPath};
pub use range::{List, Page, Range, ScopePage};
pub use scope::Scope;
pub use work::{Work, WorkPartitions};
pub use write::{Condition, Operation};
