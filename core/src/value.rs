//! Validated values. A value that exists is valid, so no later check is needed.

use alloc::string::String;

pub mod canonical;
mod capability;
pub mod cursor;
pub mod digest;
pub mod email;
pub mod env;
pub mod file_name;
pub mod id;
pub mod media_type;
mod principal;
mod role;
pub mod size;
pub mod text;
pub mod timestamp;
mod version_id;

pub use capability::{Capabilities, Capability};
pub use cursor::Cursor;
pub use digest::Sha256;
pub use email::Email;
pub use env::Env;
pub use file_name::FileName;
pub use id::{
    AccountId, ArtifactId, CommitId, DerivedId, EventId, GrantId, InvitationId, MembershipId,
    MetadataId, ProjectId, RequestId, SurfaceId, TeamId, UserId, VersionId,
};
pub use media_type::MediaType;
pub use principal::Principal;
pub use role::{AccountRole, ProjectRole, TeamRole};
pub use size::Size;
pub use text::{Description, Kind, Label, Name, Reason, Text};
pub use timestamp::Timestamp;

/// The reason why a text is not a valid value: one line, lower case, that states what is accepted.
///
/// It never repeats the rejected text, which may be long, hostile or personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub &'static str);

/// A validation error of one field.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct FieldError {
    /// The path of the field in the body, or the name of a query parameter or header.
    pub field: String,
    /// The accepted values.
    pub message: String,
}

/// Implements serde, `Display` and a JSON schema for a newtype that parses from a string.
macro_rules! string_value {
    ($type:ident, { $($schema:tt)* }) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = alloc::string::String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> alloc::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", $($schema)* })
            }
        }
    };
}
pub(crate) use string_value;
