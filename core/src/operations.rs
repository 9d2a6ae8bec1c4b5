//! The operations. Each file holds the route, input, reads, decision, answer and tests of one
//! operation.

mod access;
pub(crate) mod accounts;
mod artifacts;
mod backend;
pub(crate) mod content;
mod derived;
mod events;
pub(crate) mod grants;
pub(crate) mod invitations;
mod journal;
pub(crate) mod members;
mod metadata;
mod preferences;
mod projects;
mod session;
pub(crate) mod team_members;
mod teams;
mod versions;

use crate::operation::Route;

/// Every route of the contract, by group.
pub const GROUPS: &[(&str, &[&Route])] = &[
    ("backend", backend::ROUTES),
    ("session", session::ROUTES),
    ("accounts", accounts::ROUTES),
    ("members", members::ROUTES),
    ("teams", teams::ROUTES),
    ("team members", team_members::ROUTES),
    ("invitations", invitations::ROUTES),
    ("preferences", preferences::ROUTES),
    ("projects", projects::ROUTES),
    ("grants", grants::ROUTES),
    ("access", access::ROUTES),
    ("artifacts", artifacts::ROUTES),
    ("versions", versions::ROUTES),
    ("derived outputs", derived::ROUTES),
    ("metadata", metadata::ROUTES),
    ("write events", events::ROUTES),
    ("journal", journal::ROUTES),
];

/// Every route of the contract.
pub fn routes() -> impl Iterator<Item = &'static Route> {
    let groups = GROUPS.iter();
    groups.flat_map(|(_, routes)| routes.iter().copied())
}
