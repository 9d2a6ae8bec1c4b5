//! Rules of grants that operations and jobs share.

use alloc::format;

use super::{Facts, Problem, authority::ProjectRecords};
use crate::{
    permission::Access,
    record::{Grant, Record},
    storage::{Key, Scope, Sort},
    value::{GrantId, ProjectId, ProjectRole},
};

/// The key of a revoked grant. Live grants have other keys, among the records that every decision
/// reads.
pub(crate) fn revoked_key(project: ProjectId, grant: GrantId) -> Key {
    Scope::Project(project).key(Sort::revoked_grant(grant))
}

/// Finds a grant by id, live or revoked.
pub(crate) fn find(
    facts: &Facts,
    records: &ProjectRecords,
    project: ProjectId,
    id: GrantId,
) -> Result<Option<Record<Grant>>, Problem> {
    match records.grants.iter().find(|grant| grant.id == id) {
        Some(live) => Ok(Some(live.clone())),
        None => Ok(facts.record(&revoked_key(project, id))?),
    }
}

/// Checks that the caller has every capability of this role, as granting, changing and revoking
/// require. An archived project does not count here, because it has a refusal of its own.
pub(crate) fn outranks(access: &Access<'_>, role: ProjectRole) -> Result<(), Problem> {
    let missing = role.capabilities().without(access.conferred());
    if missing.is_empty() {
        return Ok(());
    }
    Err(Problem::escalation(
        format!(
            "the role `{role}` confers capabilities that you do not have; ask a person who has them"
        ),
        missing.iter().collect(),
    ))
}

/// Checks the maximum number of live grants of a project.
pub(crate) fn check_limit(grants: &[Record<Grant>]) -> Result<(), Problem> {
    if grants.len() < Grant::LIVE_LIMIT {
        return Ok(());
    }
    Err(Problem::conflict(format!(
        "the project has {} grants, which is the maximum; revoke one first, since expired grants count until they are revoked",
        Grant::LIVE_LIMIT
    )))
}
