//! Code shared by the operations of versions and derived outputs: declaring, planning, completing
//! and downloading bytes, and listing records of a document.

pub(crate) mod append;
pub(crate) mod complete;
pub(crate) mod declaration;
pub(crate) mod download;
pub(crate) mod get;
pub(crate) mod listing;
pub(crate) mod reissue;
pub(crate) mod shown;
