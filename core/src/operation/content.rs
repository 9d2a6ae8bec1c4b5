//! Uploads of versions and derived outputs: finding the record of an object, and completing it.
//! Operations and jobs share this module.

pub(crate) mod completion;
mod families;
mod place;
mod stored;

pub(crate) use families::current_of;
pub(crate) use place::{ArtifactPlace, FoundArtifact};
pub(crate) use stored::{AnyPlace, ContentEvents, Place, Stored};
