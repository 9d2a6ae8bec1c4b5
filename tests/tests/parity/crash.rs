//! A process may die during any operation that changes something, on every surface. After a retry,
//! the client finds the state that a process that did not die would have left.

use std::{collections::BTreeSet, env};

use libtest_mimic::Trial;
use wm_core::{
    operation::{Handler, Method},
    operations,
};
use wm_tests::replay::{
    crash::{Case, Deaths, walk},
    model::Model,
    script::{Command, What},
    target::Targets,
};

use super::{
    recorded,
    start::{Start, by},
    trial,
};

/// The starting state of a command, and the command.
type Walked = (Start, Command);

/// Every operation about people and projects except reads.
fn people_and_projects() -> Vec<Walked> {
    let ana = |what, picks| by(0, what, picks);
    vec![
        (Start::Nothing, by(3, What::Identity, [1, 1, 1])),
        (Start::Nothing, ana(What::Link, [1, 1, 1])),
        (Start::Nothing, ana(What::CreateAccount, [1, 1, 1])),
        (Start::Project, ana(What::PatchAccount, [1, 5, 2])),
        (Start::Project, ana(What::CloseAccount, [1, 1, 1])),
        (Start::Member, ana(What::PatchMember, [1, 8, 2])),
        (Start::Member, ana(What::RemoveMember, [1, 1, 1])),
        (Start::Project, ana(What::CreateTeam, [1, 1, 1])),
        (Start::Team, ana(What::PatchTeam, [1, 5, 2])),
        (Start::TeamMember, ana(What::DeleteTeam, [1, 1, 1])),
        (Start::Team, ana(What::PutTeamMember, [1, 1, 2])),
        (Start::TeamMember, ana(What::RemoveTeamMember, [1, 1, 1])),
        (Start::Project, ana(What::Invite, [1, 0, 5])),
        (Start::Invited, ana(What::Resend, [1, 1, 1])),
        (Start::Invited, ana(What::RevokeInvitation, [1, 1, 1])),
        (Start::Invited, by(1, What::Accept, [0, 1, 1])),
        (Start::Invited, by(1, What::Decline, [0, 1, 1])),
        (Start::Project, ana(What::PutPreferences, [1, 1, 2])),
        (Start::Project, ana(What::CreateProject, [1, 1, 4])),
        (Start::Project, ana(What::PatchProject, [1, 5, 2])),
        (Start::Project, ana(What::DeleteProject, [1, 1, 1])),
        (Start::Member, ana(What::CreateGrant, [1, 4, 20])),
        (Start::Grant, ana(What::PatchGrant, [1, 2, 2])),
        (Start::Grant, ana(What::RevokeGrant, [1, 1, 1])),
        (Start::Member, ana(What::Preview, [1, 4, 15])),
    ]
}

/// Every operation about documents except reads.
fn documents() -> Vec<Walked> {
    let ana = |what, picks| by(0, what, picks);
    vec![
        (Start::Project, ana(What::Declare, [1, 5, 1])),
        (Start::Project, ana(What::Declare, [1, 7, 1])),
        (Start::Declared, ana(What::PatchArtifact, [1, 8, 2])),
        (Start::Declared, ana(What::DeleteArtifact, [1, 1, 1])),
        (Start::Deleted, ana(What::RestoreArtifact, [1, 1, 1])),
        (Start::Declared, ana(What::NewVersion, [1, 5, 1])),
        (Start::Declared, ana(What::Reissue, [1, 1, 1])),
        (Start::Declared, ana(What::Complete, [1, 1, 1])),
        (Start::Document, ana(What::Download, [1, 1, 1])),
        (Start::Document, ana(What::RestoreVersion, [1, 1, 1])),
        (Start::Document, ana(What::Derive, [1, 5, 2])),
        (Start::Derived, ana(What::ReissueDerived, [1, 1, 1])),
        (Start::Derived, ana(What::CompleteDerived, [1, 1, 1])),
        (Start::Output, ana(What::DownloadDerived, [1, 1, 1])),
        (Start::Declared, ana(What::AppendMetadata, [1, 1, 3])),
        (Start::Declared, ana(What::AppendEvent, [1, 1, 3])),
    ]
}

pub(crate) fn trials() -> Vec<Trial> {
    let every = recorded("crash::no_operation_is_left_out", || {
        let walked = people_and_projects().into_iter().chain(documents());
        let walked: BTreeSet<&str> = walked
            .map(|(_, command)| Model::route(&command).operation)
            .collect();
        let changing = operations::routes()
            .filter(|route| route.method != Method::Get)
            .filter(|route| matches!(route.handler, Handler::UseCase(_)))
            .map(|route| route.operation);
        assert_eq!(walked, changing.collect());
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
fn look(what: What) -> Option<What> {
    Some(match what {
        What::PatchAccount => What::GetAccount,
        What::PatchMember => What::GetMember,
        What::PatchTeam => What::GetTeam,
        What::PatchProject => What::GetProject,
        What::PatchGrant => What::GetGrant,
        What::PatchArtifact => What::GetArtifact,
        _ => return None,
    })
}

/// The environment variable with which processes die at every call: `cargo xtask long crash`.
const EVERY_CALL: &str = "WM_EVERY_CALL";

async fn all(mut targets: Targets, walked: Vec<Walked>) -> Result<(), String> {
    let deaths = match env::var_os(EVERY_CALL) {
        Some(_) => Deaths::EveryCall,
        None => Deaths::EveryState,
    };
    for (seed, (start, command)) in walked.into_iter().enumerate() {
        let mut before = start.commands();
        before.extend(look(command.what).map(|what| Command { what, ..command }));
        let completes = matches!(command.what, What::Complete | What::CompleteDerived);
        let case = Case {
            before,
            arrives: completes.then_some(start.last_upload()),
            command,
        };
        let walked = walk(&mut targets, &case, seed as u64, deaths).await;
        walked.map_err(|found| format!("{}: {found}", Model::route(&command).operation))?;
    }
    Ok(())
}
