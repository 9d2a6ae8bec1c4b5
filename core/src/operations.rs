//! The operations, one file each: what it takes, what it reads, what it decides, what it answers.

pub mod access;
pub mod accounts;
pub mod artifacts;
pub mod backend;
mod content;
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
pub mod system;
pub mod team_members;
pub mod teams;
pub mod versions;

use crate::api::Route;

/// Every route of the contract, group by group.
pub const GROUPS: &[&[&Route]] = &[
    backend::ROUTES,
    session::ROUTES,
    accounts::ROUTES,
    members::ROUTES,
    teams::ROUTES,
    team_members::ROUTES,
    invitations::ROUTES,
    preferences::ROUTES,
    projects::ROUTES,
    grants::ROUTES,
    access::ROUTES,
    artifacts::ROUTES,
    versions::ROUTES,
    derived::ROUTES,
    metadata::ROUTES,
    events::ROUTES,
    journal::ROUTES,
];

/// Every route of the contract.
pub fn routes() -> impl Iterator<Item = &'static Route> {
    GROUPS.iter().flat_map(|group| group.iter().copied())
}
