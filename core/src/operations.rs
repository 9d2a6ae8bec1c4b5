//! The operations, one file each: what it takes, what it reads, what it decides, what it answers.

pub mod access;
pub mod accounts;
pub mod artifacts;
pub mod backend;
pub(crate) mod content;
pub mod derived;
pub mod events;
pub mod grants;
pub mod invitations;
pub mod journal;
pub mod members;
pub mod metadata;
pub mod preferences;
pub mod projects;
pub mod session;
pub mod team_members;
pub mod teams;
pub mod versions;

use crate::operation::Route;

/// Every route of the contract, group by group, under the group's name.
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
