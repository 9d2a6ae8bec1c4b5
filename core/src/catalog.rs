//! The provider catalog: the one place in core that knows the names of cloud services.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a surface runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// One machine.
    Local,
    /// Amazon Web Services.
    Aws,
    /// Microsoft Azure.
    Azure,
}
