//! The permission rules again, written from the design and not from the engine: naive and slow.
//!
//! Roles and capabilities are texts here, so that an error in the engine's table cannot repeat
//! itself.

use std::collections::BTreeSet;

use wm_core::{
    record::{AccountStatus, MemberStatus, Visibility},
    value::{AccountRole, Principal, TeamId},
};

use crate::generator::{Generated, Person, StoredProject};

/// Project roles, weakest first, and the capabilities that each adds.
pub const PROJECT_ROLES: [(&str, &str); 5] = [
    (
        "viewer",
        "project.view artifact.view artifact.download metadata.view event.view",
    ),
    ("commenter", "event.append"),
    (
        "contributor",
        "artifact.create artifact.edit version.create derived.create metadata.append",
    ),
    (
        "manager",
        "project.edit grant.view grant.manage artifact.delete audit.view",
    ),
    ("owner", "project.archive project.delete"),
];

/// Account roles, weakest first, and the capabilities that each adds.
pub const ACCOUNT_ROLES: [(&str, &str); 4] = [
    ("guest", "account.view"),
    ("member", "member.view team.view project.create"),
    (
        "admin",
        "account.edit member.manage team.manage invite.manage audit.view",
    ),
    ("owner", "account.delete"),
];

/// The capabilities that change an archived project.
pub const CHANGING: &str = "event.append artifact.create artifact.edit version.create derived.create metadata.append \
    project.edit grant.manage artifact.delete";

/// One record that confers a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Why {
    /// `account_role`, `visibility`, `user_grant` or `team_grant`.
    pub source: &'static str,
    pub record: String,
    pub role: String,
}

/// The answer to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    Allowed,
    /// The caller could, but the project is archived.
    Archived,
    /// The caller sees the object and lacks the capability.
    Missing,
    /// The caller does not see the object.
    Hidden,
}

/// Checks whether a role has a capability, from a table of additions.
#[must_use]
pub fn role_has(table: &[(&str, &str)], role: &str, capability: &str) -> bool {
    for (name, adds) in table {
        if adds.split(' ').any(|word| word == capability) {
            return true;
        }
        if *name == role {
            return false;
        }
    }
    false
}

/// The person's account role, if rule 1 allows one.
fn membership(state: &Generated, person: &Person) -> Option<AccountRole> {
    let account = state.account.as_ref()?;
    let member = person.member.as_ref()?;
    if account.deleted || account.body.status == AccountStatus::Closed {
        return None;
    }
    if member.deleted || member.body.status != MemberStatus::Active {
        return None;
    }
    Some(member.body.role)
}

/// Checks whether the person is in the team: a live row of this stay, of a team that is not
/// retired.
#[must_use]
pub fn in_team(state: &Generated, person: &Person, team: TeamId) -> bool {
    let (Some(account), Some(member)) = (&state.account, &person.member) else {
        return false;
    };
    for retired in &account.body.retired_teams {
        if retired.0 == team {
            return false;
        }
    }
    for row in &person.rows {
        let this_stay = row.body.membership_id == member.body.membership_id;
        if row.body.team_id == team && this_stay && !row.deleted {
            return true;
        }
    }
    false
}

/// Every record that gives the person a role on the project.
#[must_use]
pub fn reasons(state: &Generated, person: &Person, stored: &StoredProject) -> BTreeSet<Why> {
    let mut found = BTreeSet::new();
    let Some(role) = membership(state, person) else {
        return found;
    };
    let Some(project) = stored.project.as_ref().filter(|project| !project.deleted) else {
        return found;
    };
    let mut add = |source, record: String, role: &str| {
        let role = role.to_owned();
        found.insert(Why {
            source,
            record,
            role,
        });
    };
    match role {
        AccountRole::Owner => add("account_role", person.user.to_string(), "owner"),
        AccountRole::Admin => add("account_role", person.user.to_string(), "manager"),
        AccountRole::Member | AccountRole::Guest => {}
    }
    if project.body.visibility == Visibility::Account && role != AccountRole::Guest {
        add("visibility", stored.id.to_string(), "viewer");
    }
    let stay = person
        .member
        .as_ref()
        .map(|member| member.body.membership_id);
    for grant in &stored.grants {
        let expired = match grant.body.expires_at {
            Some(end) => state.now >= end,
            None => false,
        };
        if grant.deleted || grant.body.revoked.is_some() || expired {
            continue;
        }
        let (id, role) = (grant.id.to_string(), grant.body.role.as_str());
        match grant.body.principal {
            Principal::User(user) => {
                if user == person.user && grant.body.membership_id == stay {
                    add("user_grant", id, role);
                }
            }
            Principal::Team(team) => {
                if in_team(state, person, team) {
                    add("team_grant", id, role);
                }
            }
        }
    }
    found
}

/// The answer to the person's request of a capability on the project.
#[must_use]
pub fn answer(
    state: &Generated,
    person: &Person,
    stored: &StoredProject,
    capability: &str,
) -> Answer {
    let reasons = reasons(state, person, stored);
    if reasons.is_empty() {
        return Answer::Hidden;
    }
    if !reasons
        .iter()
        .any(|why| role_has(&PROJECT_ROLES, &why.role, capability))
    {
        return Answer::Missing;
    }
    let archived = stored
        .project
        .as_ref()
        .is_some_and(|project| project.body.archived);
    if archived && CHANGING.split_whitespace().any(|word| word == capability) {
        return Answer::Archived;
    }
    Answer::Allowed
}

/// The answer to the person's request of a capability in the account.
#[must_use]
pub fn account_answer(state: &Generated, person: &Person, capability: &str) -> Answer {
    match membership(state, person) {
        None => Answer::Hidden,
        Some(role) if role_has(&ACCOUNT_ROLES, role.as_str(), capability) => Answer::Allowed,
        Some(_) => Answer::Missing,
    }
}
