//! The matrix of roles and actions: as a golden, and completely compared with the oracle.

use wm_core::{
    record::{MemberStatus, Visibility},
    value::{AccountRole, Capabilities, Capability, Principal, ProjectRole, TeamRole},
};
use wm_test_results::Recording;
use wm_tests::{
    generator::{Generated, Person, Place},
    golden,
    oracle_comparison::{account_agrees, agrees},
};

fn table<R: Copy>(roles: &[R], name: fn(R) -> &'static str, has: fn(R) -> Capabilities) -> String {
    let mut text = format!("{:<18}", "");
    for role in roles {
        text += &format!("{:<13}", name(*role));
    }
    let conferred = |capability: &Capability| roles.iter().any(|role| has(*role).has(*capability));
    for capability in Capability::ALL.iter().copied().filter(conferred) {
        text = format!("{}\n{:<18}", text.trim_end(), capability.as_str());
        for role in roles {
            text += &format!(
                "{:<13}",
                if has(*role).has(capability) {
                    "yes"
                } else {
                    "-"
                }
            );
        }
    }
    format!("{}\n", text.trim_end())
}

#[test]
fn role_matrix_matches_its_golden() {
    let project = table(
        ProjectRole::ALL,
        ProjectRole::as_str,
        ProjectRole::capabilities,
    );
    let account = table(
        AccountRole::ALL,
        AccountRole::as_str,
        AccountRole::capabilities,
    );
    let mut acts = String::new();
    for role in AccountRole::ALL {
        let on_projects = role.project_role().map_or("-", ProjectRole::as_str);
        acts += &format!("{:<18}{on_projects}\n", role.as_str());
    }
    golden::check(
        "roles.txt",
        &format!(
            "What each role on a project may do\n\n{project}\nWhat each role in an account may do\n\n{account}\n\
             What each role in an account acts as on every project\n\n{acts}"
        ),
    );
}

/// The origin of a person's role on a project.
#[derive(Debug, Clone, Copy)]
enum Given {
    Nothing,
    Directly(ProjectRole),
    ThroughATeam(ProjectRole),
}

fn ways() -> impl Iterator<Item = Given> {
    let roles = || ProjectRole::ALL.iter().copied();
    let nothing = std::iter::once(Given::Nothing);
    nothing
        .chain(roles().map(Given::Directly))
        .chain(roles().map(Given::ThroughATeam))
}

fn people(state: &mut Generated) -> Vec<Person> {
    let mut people = vec![state.member(AccountRole::Owner, MemberStatus::Active)];
    people[0].member = None;
    for role in AccountRole::ALL {
        for status in [
            MemberStatus::Active,
            MemberStatus::Suspended,
            MemberStatus::Removed,
        ] {
            people.push(state.member(*role, status));
        }
    }
    people
}

fn places(state: &mut Generated) -> Vec<Place> {
    let mut places = Vec::new();
    for visibility in [Visibility::Private, Visibility::Account] {
        for archived in [false, true] {
            places.push(state.project(visibility, archived));
        }
    }
    let mut deleted = places[0].clone();
    deleted.project.as_mut().unwrap().deleted = true;
    let unknown = Place {
        project: None,
        ..places[0].clone()
    };
    places.extend([deleted, unknown]);
    places
}

#[test]
fn case_27_role_matrix_matches_the_oracle() {
    let _recording = Recording::start();
    let mut state = Generated::empty();
    let team = state.id();
    state.teams.push(team);
    let (people, places) = (people(&mut state), places(&mut state));
    let mut compared = 0;
    for person in &people {
        account_agrees(&state, person);
        for place in &places {
            for given in ways() {
                let (mut person, mut place) = (person.clone(), place.clone());
                match given {
                    Given::Nothing => {}
                    Given::Directly(role) => {
                        let principal = Principal::User(person.user);
                        state.give(&mut place, principal, Some(person.stay), role);
                    }
                    Given::ThroughATeam(role) => {
                        state.join(&mut person, team, TeamRole::Member);
                        state.give(&mut place, Principal::Team(team), None, role);
                    }
                }
                agrees(&state, &person, &place);
                compared += Capability::ALL.len();
            }
        }
    }
    assert_eq!(compared, 13 * 6 * 11 * Capability::ALL.len());
}

#[test]
fn case_39_duplicate_grants_add_up_in_every_order() {
    let strongest = ProjectRole::Manager;
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    for order in orders {
        let mut state = Generated::empty();
        let person = state.member(AccountRole::Guest, MemberStatus::Active);
        let mut place = state.project(Visibility::Private, false);
        for at in order {
            let role = [ProjectRole::Viewer, ProjectRole::Contributor, strongest][at];
            state.give(
                &mut place,
                Principal::User(person.user),
                Some(person.stay),
                role,
            );
        }
        let access = state.access(&person, &place);
        assert_eq!(access.reasons().count(), 3);
        assert_eq!(access.effective(), strongest.capabilities());
        agrees(&state, &person, &place);
    }
}
