//! The matrix of roles and actions: as a golden, and completely compared with the oracle.

use wm_core::{
    record::{MemberStatus, Visibility},
    value::{AccountRole, Capabilities, Capability, Principal, ProjectRole, TeamRole},
};
use wm_test_results::Recording;
use wm_tests::{
    generator::{Generated, Person, StoredProject},
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
enum RoleOrigin {
    Nothing,
    Directly(ProjectRole),
    ThroughATeam(ProjectRole),
}

fn role_origins() -> impl Iterator<Item = RoleOrigin> {
    let roles = || ProjectRole::ALL.iter().copied();
    let nothing = std::iter::once(RoleOrigin::Nothing);
    nothing
        .chain(roles().map(RoleOrigin::Directly))
        .chain(roles().map(RoleOrigin::ThroughATeam))
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

fn stored_projects(state: &mut Generated) -> Vec<StoredProject> {
    let mut projects = Vec::new();
    for visibility in [Visibility::Private, Visibility::Account] {
        for archived in [false, true] {
            projects.push(state.project(visibility, archived));
        }
    }
    let mut deleted = projects[0].clone();
    deleted.project.as_mut().unwrap().deleted = true;
    let unknown = StoredProject {
        project: None,
        ..projects[0].clone()
    };
    projects.extend([deleted, unknown]);
    projects
}

#[test]
fn case_27_role_matrix_matches_the_oracle() {
    let _recording = Recording::start();
    let mut state = Generated::empty();
    let team = state.id();
    state.teams.push(team);
    let (people, projects) = (people(&mut state), stored_projects(&mut state));
    let mut compared = 0;
    for person in &people {
        account_agrees(&state, person);
        for stored in &projects {
            for given in role_origins() {
                let (mut person, mut stored) = (person.clone(), stored.clone());
                match given {
                    RoleOrigin::Nothing => {}
                    RoleOrigin::Directly(role) => {
                        let principal = Principal::User(person.user);
                        state.give(&mut stored, principal, Some(person.stay), role);
                    }
                    RoleOrigin::ThroughATeam(role) => {
                        state.join(&mut person, team, TeamRole::Member);
                        state.give(&mut stored, Principal::Team(team), None, role);
                    }
                }
                agrees(&state, &person, &stored);
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
        let mut stored = state.project(Visibility::Private, false);
        for at in order {
            let role = [ProjectRole::Viewer, ProjectRole::Contributor, strongest][at];
            state.give(
                &mut stored,
                Principal::User(person.user),
                Some(person.stay),
                role,
            );
        }
        let access = state.access(&person, &stored);
        assert_eq!(access.reasons().count(), 3);
        assert_eq!(access.effective(), strongest.capabilities());
        agrees(&state, &person, &stored);
    }
}
