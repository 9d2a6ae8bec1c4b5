//! Comparison of the engine's answers with the oracle's, and with each other.

use std::collections::BTreeSet;

use wm_core::{
    permission::{Reason, Refusal, Right},
    storage::Scope,
    value::{Capabilities, Capability, TeamRole},
};

use crate::{
    generator::{Generated, Person, StoredProject},
    oracle::{self, Answer, Why},
};

/// Converts a reason to the format of the oracle.
#[must_use]
pub fn why(reason: Reason) -> Why {
    let source = serde_json::to_value(reason.source.kind()).unwrap();
    let known = ["account_role", "visibility", "user_grant", "team_grant"];
    Why {
        source: known.into_iter().find(|kind| source == *kind).unwrap(),
        record: reason.source.record_id(),
        role: reason.role.as_str().into(),
    }
}

fn answer_of<T>(capability: Capability, result: &Result<T, Refusal>) -> Answer {
    match result {
        Ok(_) => Answer::Allowed,
        Err(Refusal::Archived) => Answer::Archived,
        Err(Refusal::Hidden) => Answer::Hidden,
        Err(Refusal::Missing(missing)) => {
            assert_eq!(*missing, capability, "the refusal names another capability");
            Answer::Missing
        }
    }
}

/// Compares every answer about a person and a project with the oracle, and with each other.
pub fn agrees(state: &Generated, person: &Person, stored: &StoredProject) {
    let access = state.access(person, stored);
    let reasons: Vec<Reason> = access.reasons().collect();
    let whys: BTreeSet<Why> = reasons.iter().copied().map(why).collect();
    assert_eq!(whys, oracle::reasons(state, person, stored));
    assert_eq!(whys.len(), reasons.len(), "a record is named twice");
    for capability in Capability::ALL.iter().copied() {
        let expected = oracle::answer(state, person, stored, capability.as_str());
        let check = access.check(capability);
        assert_eq!(answer_of(capability, &check), expected, "{capability}");
        if let Ok(reason) = check {
            assert_eq!(access.explain(capability).first(), Some(&reason));
        }
        let allowed = expected == Answer::Allowed;
        assert_eq!(access.effective().has(capability), allowed);
        let explained: BTreeSet<Why> = access.explain(capability).into_iter().map(why).collect();
        let mut sufficient = whys.clone();
        sufficient.retain(|why| {
            allowed && oracle::role_has(&oracle::PROJECT_ROLES, &why.role, capability.as_str())
        });
        assert_eq!(explained, sufficient);
        let permit = access.permit(stored.id, capability);
        assert_eq!(answer_of(capability, &permit), expected);
        if let Ok(permit) = permit {
            assert_eq!(permit.scope(), Scope::Project(stored.id));
            assert_eq!(permit.right(), Right::Capability(capability));
        }
    }
    let united = reasons.iter().fold(Capabilities::NONE, |sum, reason| {
        sum.union(reason.role.capabilities())
    });
    assert_eq!(access.conferred(), united);
    assert_eq!(access.effective(), united.intersection(access.possible()));
    assert_eq!(
        access.role(),
        reasons.iter().map(|reason| reason.role).max()
    );
}

/// Compares every answer about a person and the account with the oracle, and with each other.
pub fn account_agrees(state: &Generated, person: &Person) {
    let access = state.account_access(person);
    for capability in Capability::ALL.iter().copied() {
        let expected = oracle::account_answer(state, person, capability.as_str());
        let permit = access.permit(state.account_id, capability);
        assert_eq!(answer_of(capability, &permit), expected, "{capability}");
        assert_eq!(
            access.effective().has(capability),
            expected == Answer::Allowed
        );
    }
    let active = oracle::account_answer(state, person, "account.view") == Answer::Allowed;
    assert_eq!(access.permit_leaving(state.account_id).is_ok(), active);
    for team in &state.teams {
        let member = active && oracle::in_team(state, person, *team);
        assert_eq!(access.team_role(*team).is_some(), member);
        let leads = member
            && person
                .rows
                .iter()
                .any(|row| row.body.team_id == *team && row.body.role == TeamRole::Lead);
        let manages = oracle::account_answer(state, person, "team.manage") == Answer::Allowed;
        let permit = access.permit_team(state.account_id, *team);
        assert_eq!(permit.is_ok(), leads || manages);
    }
}
