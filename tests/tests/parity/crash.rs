//! A process may die at any call of any operation that changes something, on every surface: whoever asks again finds what
//! one that lived would have left.

use std::{collections::BTreeSet, env};

use libtest_mimic::Trial;
use wm_core::{
    operation::{Handler, Method},
    operations,
};
use wm_tests::replay::{
    crash::{Case, Deaths, walk},
    script::{Command, What},
    target::Targets,
};

use super::{
    recorded,
    start::{Start, by},
    trial,
};

/// An operation by name, what has to be there for it, and the command.
type Walked = (&'static str, Start, Command);

/// Every operation about people and projects that is not a read.
fn people_and_projects() -> Vec<Walked> {
    let ana = |what, picks| by(0, what, picks);
    vec![
        (
            "establish_address",
            Start::Nothing,
            by(3, What::Identity, [1, 1, 1]),
        ),
        ("link_identity", Start::Nothing, ana(What::Link, [1, 1, 1])),
        (
            "create_account",
            Start::Nothing,
            ana(What::CreateAccount, [1, 1, 1]),
        ),
        (
            "update_account",
            Start::Project,
            ana(What::PatchAccount, [1, 5, 2]),
        ),
        (
            "close_account",
            Start::Project,
            ana(What::CloseAccount, [1, 1, 1]),
        ),
        (
            "update_member",
            Start::Member,
            ana(What::PatchMember, [1, 8, 2]),
        ),
        (
            "remove_member",
            Start::Member,
            ana(What::RemoveMember, [1, 1, 1]),
        ),
        (
            "create_team",
            Start::Project,
            ana(What::CreateTeam, [1, 1, 1]),
        ),
        ("update_team", Start::Team, ana(What::PatchTeam, [1, 5, 2])),
        (
            "delete_team",
            Start::TeamMember,
            ana(What::DeleteTeam, [1, 1, 1]),
        ),
        (
            "put_team_member",
            Start::Team,
            ana(What::PutTeamMember, [1, 1, 2]),
        ),
        (
            "remove_team_member",
            Start::TeamMember,
            ana(What::RemoveTeamMember, [1, 1, 1]),
        ),
        (
            "create_invitation",
            Start::Project,
            ana(What::Invite, [1, 0, 5]),
        ),
        (
            "resend_invitation",
            Start::Invited,
            ana(What::Resend, [1, 1, 1]),
        ),
        (
            "revoke_invitation",
            Start::Invited,
            ana(What::RevokeInvitation, [1, 1, 1]),
        ),
        (
            "accept_invitation",
            Start::Invited,
            by(1, What::Accept, [0, 1, 1]),
        ),
        (
            "decline_invitation",
            Start::Invited,
            by(1, What::Decline, [0, 1, 1]),
        ),
        (
            "put_notification_preferences",
            Start::Project,
            ana(What::PutPreferences, [1, 1, 2]),
        ),
        (
            "create_project",
            Start::Project,
            ana(What::CreateProject, [1, 1, 4]),
        ),
        (
            "update_project",
            Start::Project,
            ana(What::PatchProject, [1, 5, 2]),
        ),
        (
            "delete_project",
            Start::Project,
            ana(What::DeleteProject, [1, 1, 1]),
        ),
        (
            "create_grant",
            Start::Member,
            ana(What::CreateGrant, [1, 4, 20]),
        ),
        (
            "update_grant",
            Start::Grant,
            ana(What::PatchGrant, [1, 2, 2]),
        ),
        (
            "revoke_grant",
            Start::Grant,
            ana(What::RevokeGrant, [1, 1, 1]),
        ),
        (
            "preview_access",
            Start::Member,
            ana(What::Preview, [1, 4, 15]),
        ),
    ]
}

/// The same about documents.
fn documents() -> Vec<Walked> {
    let ana = |what, picks| by(0, what, picks);
    vec![
        (
            "create_artifact",
            Start::Project,
            ana(What::Declare, [1, 5, 1]),
        ),
        (
            "create_artifact",
            Start::Project,
            ana(What::Declare, [1, 7, 1]),
        ),
        (
            "update_artifact",
            Start::Declared,
            ana(What::PatchArtifact, [1, 8, 2]),
        ),
        (
            "delete_artifact",
            Start::Declared,
            ana(What::DeleteArtifact, [1, 1, 1]),
        ),
        (
            "restore_artifact",
            Start::Deleted,
            ana(What::RestoreArtifact, [1, 1, 1]),
        ),
        (
            "create_version",
            Start::Declared,
            ana(What::NewVersion, [1, 5, 1]),
        ),
        (
            "reissue_version_upload",
            Start::Declared,
            ana(What::Reissue, [1, 1, 1]),
        ),
        (
            "complete_version",
            Start::Declared,
            ana(What::Complete, [1, 1, 1]),
        ),
        (
            "download_version",
            Start::Document,
            ana(What::Download, [1, 1, 1]),
        ),
        (
            "restore_version",
            Start::Document,
            ana(What::RestoreVersion, [1, 1, 1]),
        ),
        (
            "create_derived",
            Start::Document,
            ana(What::Derive, [1, 5, 2]),
        ),
        (
            "reissue_derived_upload",
            Start::Derived,
            ana(What::ReissueDerived, [1, 1, 1]),
        ),
        (
            "complete_derived",
            Start::Derived,
            ana(What::CompleteDerived, [1, 1, 1]),
        ),
        (
            "download_derived",
            Start::Output,
            ana(What::DownloadDerived, [1, 1, 1]),
        ),
        (
            "append_metadata",
            Start::Declared,
            ana(What::AppendMetadata, [1, 1, 3]),
        ),
        (
            "append_event",
            Start::Declared,
            ana(What::AppendEvent, [1, 1, 3]),
        ),
    ]
}

pub(crate) fn trials() -> Vec<Trial> {
    let every = recorded("crash::no_operation_is_left_out", || {
        let walked = people_and_projects().into_iter().chain(documents());
        let walked: BTreeSet<&str> = walked.map(|(operation, ..)| operation).collect();
        let changing = operations::routes()
            .filter(|route| route.method != Method::Get)
            .filter(|route| matches!(route.handler, Handler::UseCase(_)))
            .map(|route| route.operation);
        assert_eq!(walked, changing.collect());
        Ok(())
    });
    vec![
        trial(
            "crash::a_process_may_die_at_any_call_over_people_and_projects",
            1,
            |targets| all(targets, people_and_projects()),
        ),
        trial(
            "crash::a_process_may_die_at_any_call_over_documents",
            1,
            |targets| all(targets, documents()),
        ),
        every,
    ]
}

/// What tells a person the state that a change is conditional on.
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
    for (seed, (operation, start, command)) in walked.into_iter().enumerate() {
        let mut before = start.commands();
        before.extend(look(command.what).map(|what| Command { what, ..command }));
        let case = Case {
            operation,
            before,
            arrives: operation
                .starts_with("complete")
                .then_some(start.last_upload()),
            command,
        };
        let walked = walk(&mut targets, &case, seed as u64, deaths).await;
        walked.map_err(|found| format!("{operation}: {found}"))?;
    }
    Ok(())
}
