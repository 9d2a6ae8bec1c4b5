//! Object sizes.

use serde::{Deserialize, Serialize};

use super::Invalid;

/// The size of an object in bytes: 0 to 5 GiB, the largest single object that every surface
/// supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Size(u64);

impl Size {
    /// The maximum: 5 GiB.
    pub const LIMIT: u64 = 5 * 1024 * 1024 * 1024;

    /// The number of bytes.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for Size {
    type Error = Invalid;

    fn try_from(bytes: u64) -> Result<Self, Invalid> {
        if bytes <= Self::LIMIT {
            Ok(Self(bytes))
        } else {
            Err(Invalid("must be at most 5368709120 bytes (5 GiB)"))
        }
    }
}

impl From<Size> for u64 {
    fn from(size: Size) -> u64 {
        size.0
    }
}

impl schemars::JsonSchema for Size {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": 0, "maximum": Self::LIMIT })
    }
}
