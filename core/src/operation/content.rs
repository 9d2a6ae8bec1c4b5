//! Uploads of versions and derived outputs: finding the record of an object, and completing it.
//! Operations and jobs share this module.

mod artifact_ref;
pub(crate) mod completion;
mod families;
mod stored;

pub(crate) use artifact_ref::{ArtifactRef, FoundArtifact};
pub(crate) use families::current_of;
pub(crate) use stored::{AnyContentRef, ContentEvents, ContentRef, Stored};
