//! The commands, one file each.

mod deploy;
mod deploy_site;
mod redrive;
mod setup;

pub use deploy::Deploy;
pub use deploy_site::DeploySite;
pub use redrive::Redrive;
pub use setup::Setup;

use crate::{
    cloud::Cloud,
    tags::{ChosenTags, WrongTags},
};

/// Parses tags from a flag or an environment variable.
fn tags<C: Cloud>(text: &str) -> Result<ChosenTags, WrongTags> {
    ChosenTags::parse(text, C::RESERVED_TAGS)
}
