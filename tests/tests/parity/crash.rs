//! A process may die during any operation that changes something, on every surface. After a retry,
//! the client finds the state that a process that did not die would have left.

use std::{collections::BTreeSet, env};

use libtest_mimic::Trial;
use wm_core::{
    operation::{Handler, Method},
    operations,
};
use wm_tests::replay::{
    crash::{Case, Deaths, check_crashes},
    model::Model,
    script::{Action, Command},
    target::Targets,
};

use super::{
    recorded,
    start::{Start, by},
    trial,
};

/// The starting state of a command, and the command.
type CrashCase = (Start, Command);

/// Every operation about people and projects except reads.
fn people_and_projects() -> Vec<CrashCase> {
    let ana = |what, picks| by(0, what, picks);
    vec![
        (Start::Nothing, by(3, Action::Identity, [1, 1, 1])),
        (Start::Nothing, ana(Action::Link, [1, 1, 1])),
        (Start::Nothing, ana(Action::CreateAccount, [1, 1, 1])),
        (Start::Project, ana(Action::PatchAccount, [1, 5, 2])),
        (Start::Project, ana(Action::CloseAccount, [1, 1, 1])),
        (Start::Member, ana(Action::PatchMember, [1, 8, 2])),
        (Start::Member, ana(Action::RemoveMember, [1, 1, 1])),
        (Start::Project, ana(Action::CreateTeam, [1, 1, 1])),
        (Start::Team, ana(Action::PatchTeam, [1, 5, 2])),
        (Start::TeamMember, ana(Action::DeleteTeam, [1, 1, 1])),
        (Start::Team, ana(Action::PutTeamMember, [1, 1, 2])),
        (Start::TeamMember, ana(Action::RemoveTeamMember, [1, 1, 1])),
        (Start::Project, ana(Action::Invite, [1, 0, 5])),
        (Start::Invited, ana(Action::Resend, [1, 1, 1])),
        (Start::Invited, ana(Action::RevokeInvitation, [1, 1, 1])),
        (Start::Invited, by(1, Action::Accept, [0, 1, 1])),
        (Start::Invited, by(1, Action::Decline, [0, 1, 1])),
        (Start::Project, ana(Action::PutPreferences, [1, 1, 2])),
        (Start::Project, ana(Action::CreateProject, [1, 1, 4])),
        (Start::Project, ana(Action::PatchProject, [1, 5, 2])),
        (Start::Project, ana(Action::DeleteProject, [1, 1, 1])),
        (Start::Member, ana(Action::CreateGrant, [1, 4, 20])),
        (Start::Grant, ana(Action::PatchGrant, [1, 2, 2])),
        (Start::Grant, ana(Action::RevokeGrant, [1, 1, 1])),
        (Start::Member, ana(Action::Preview, [1, 4, 15])),
    ]
}

/// Every operation about documents except reads.
fn documents() -> Vec<CrashCase> {
    let ana = |what, picks| by(0, what, picks);
    vec![
        (Start::Project, ana(Action::Declare, [1, 5, 1])),
        (Start::Project, ana(Action::Declare, [1, 7, 1])),
        (Start::Declared, ana(Action::PatchArtifact, [1, 8, 2])),
        (Start::Declared, ana(Action::DeleteArtifact, [1, 1, 1])),
        (Start::Deleted, ana(Action::RestoreArtifact, [1, 1, 1])),
        (Start::Declared, ana(Action::NewVersion, [1, 5, 1])),
        (Start::Declared, ana(Action::Reissue, [1, 1, 1])),
        (Start::Declared, ana(Action::Complete, [1, 1, 1])),
        (Start::Document, ana(Action::Download, [1, 1, 1])),
        (Start::Document, ana(Action::RestoreVersion, [1, 1, 1])),
        (Start::Document, ana(Action::Derive, [1, 5, 2])),
        (Start::Derived, ana(Action::ReissueDerived, [1, 1, 1])),
        (Start::Derived, ana(Action::CompleteDerived, [1, 1, 1])),
        (Start::Output, ana(Action::DownloadDerived, [1, 1, 1])),
        (Start::Declared, ana(Action::AppendMetadata, [1, 1, 3])),
        (Start::Declared, ana(Action::AppendEvent, [1, 1, 3])),
    ]
}

pub(crate) fn trials() -> Vec<Trial> {
    let every = recorded("crash::no_operation_is_left_out", || {
        let covered = people_and_projects().into_iter().chain(documents());
        let covered: BTreeSet<&str> = covered
            .map(|(_, command)| Model::route(&command).operation)
            .collect();
        let changing = operations::routes()
            .filter(|route| route.method != Method::Get)
            .filter(|route| matches!(route.handler, Handler::UseCase(_)))
            .map(|route| route.operation);
        assert_eq!(covered, changing.collect());
        Ok(())
    });
    vec![
        trial("crash::people_and_projects_survive_deaths", 1, |targets| {
            all(targets, people_and_projects())
        }),
        trial("crash::documents_survive_deaths", 1, |targets| {
            all(targets, documents())
        }),
        every,
    ]
}

/// The read that gives a person the ETag for a conditional change.
fn look(what: Action) -> Option<Action> {
    Some(match what {
        Action::PatchAccount => Action::GetAccount,
        Action::PatchMember => Action::GetMember,
        Action::PatchTeam => Action::GetTeam,
        Action::PatchProject => Action::GetProject,
        Action::PatchGrant => Action::GetGrant,
        Action::PatchArtifact => Action::GetArtifact,
        _ => return None,
    })
}

/// The environment variable with which processes die at every call: `cargo xtask long crash`.
const EVERY_CALL: &str = "WM_EVERY_CALL";

async fn all(mut targets: Targets, cases: Vec<CrashCase>) -> Result<(), String> {
    let deaths = match env::var_os(EVERY_CALL) {
        Some(_) => Deaths::EveryCall,
        None => Deaths::EveryState,
    };
    for (seed, (start, command)) in cases.into_iter().enumerate() {
        let mut before = start.commands();
        before.extend(look(command.what).map(|what| Command { what, ..command }));
        let completes = matches!(command.what, Action::Complete | Action::CompleteDerived);
        let case = Case {
            before,
            arrives: completes.then_some(start.last_upload()),
            command,
        };
        let checked = check_crashes(&mut targets, &case, seed as u64, deaths).await;
        checked.map_err(|found| format!("{}: {found}", Model::route(&command).operation))?;
    }
    Ok(())
}
