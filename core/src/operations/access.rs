//! Who may do what on a project, and why.

pub mod effective;
pub mod preview;
pub mod subjects;

use alloc::{string::String, vec::Vec};

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    api::Route,
    permission::{Access, Capabilities, ProjectRole, Reason, access::SourceKind},
};

/// The routes.
pub const ROUTES: &[&Route] = &[&effective::ROUTE, &preview::ROUTE, &subjects::ROUTE];

/// A record that confers something, as answered.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Reason")]
struct ReasonView {
    source: SourceKind,
    /// The member's user id, the project's id or the grant's id.
    record_id: String,
    /// The role on the project that it amounts to.
    role: ProjectRole,
    /// What it gives, as far as the project's state allows.
    capabilities: Capabilities,
}

impl ReasonView {
    fn all(access: &Access<'_>, reasons: impl IntoIterator<Item = Reason>) -> Vec<Self> {
        let view = |reason: Reason| Self {
            source: reason.source.kind(),
            record_id: reason.source.record_id(),
            role: reason.role,
            capabilities: reason.role.capabilities().intersection(access.possible()),
        };
        reasons.into_iter().map(view).collect()
    }
}
