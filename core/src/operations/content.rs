//! Code shared by versions and derived outputs: declaring, planning, completing and downloading
//! bytes, and finding and listing records of a document.

pub(crate) mod append;
pub(crate) mod complete;
pub(crate) mod completion;
pub(crate) mod declaration;
pub(crate) mod download;
pub(crate) mod get;
pub(crate) mod listing;
pub(crate) mod place;
pub(crate) mod reissue;
pub(crate) mod stored;

pub(crate) use place::{ArtifactPlace, FoundArtifact};
pub(crate) use stored::{AnyPlace, ContentEvents, Place, Stored};
