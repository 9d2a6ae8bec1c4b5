//! What raw versions and derived outputs share: declaring bytes, planning their upload, completing
//! it, downloading; and how records below an artifact are found and listed.

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
