//! A process that dies at any call of any operation that changes something, on every surface, leaves what one that
//! lived would have left.

use std::collections::BTreeSet;

use libtest_mimic::Trial;
use wm_core::{
    api::{Handler, Method},
    operations,
};
use wm_tests::replay::{
    crash::{Case, walk},
    script::{Command, What},
    side::Sides,
};

use super::trial;

/// What a case begins with.
#[derive(Clone, Copy)]
enum Ground {
    /// Nothing.
    Nothing,
    /// An account and a project of p0's.
    Project,
    /// The same, and p1 is a member.
    Member,
    /// The same, and a team.
    Team,
    /// The same, and p1 is in it.
    TeamMember,
    /// An account and a project, and p1 is invited.
    Invited,
    /// A member with a grant.
    Grant,
    /// A document that waits for its bytes.
    Declared,
    /// A document whose bytes are there and whose completion is not.
    Document,
    /// A document that was deleted.
    Deleted,
    /// An output that waits for its bytes.
    Derived,
    /// An output that can be downloaded.
    Output,
}

fn by(who: usize, what: What, picks: [u32; 3]) -> Command {
    Command {
        who,
        what,
        picks,
        keyed: true,
    }
}

impl Ground {
    /// The upload that was planned last.
    fn last_upload(self) -> usize {
        match self {
            Self::Derived => 1,
            _ => 0,
        }
    }

    fn commands(self) -> Vec<Command> {
        let mut commands = vec![
            by(0, What::CreateAccount, [1, 1, 1]),
            by(0, What::CreateProject, [1, 1, 4]),
        ];
        let (invite, accept) = (
            by(0, What::Invite, [1, 0, 5]),
            by(1, What::Accept, [0, 1, 1]),
        );
        let team = by(0, What::CreateTeam, [1, 1, 1]);
        let declare = by(0, What::Declare, [1, 5, 1]);
        let (put, complete) = (
            by(0, What::Put, [0, 1, 1]),
            by(0, What::Complete, [1, 1, 1]),
        );
        let derive = by(0, What::Derive, [1, 5, 2]);
        commands.extend(match self {
            Self::Nothing => return Vec::new(),
            Self::Project => vec![],
            Self::Member => vec![invite, accept],
            Self::Team => vec![invite, accept, team],
            Self::TeamMember => vec![invite, accept, team, by(0, What::PutTeamMember, [1, 1, 2])],
            Self::Invited => vec![invite],
            Self::Grant => vec![invite, accept, by(0, What::CreateGrant, [1, 4, 15])],
            Self::Declared => vec![declare],
            Self::Document => vec![declare, put, complete],
            Self::Deleted => vec![declare, by(0, What::DeleteArtifact, [1, 1, 1])],
            Self::Derived => vec![declare, put, complete, derive],
            Self::Output => vec![declare, put, complete, derive, by(0, What::Put, [1, 1, 1])],
        });
        commands
    }
}

/// Every operation that is not a read, by name: what has to be there, and the command.
fn cases() -> Vec<(&'static str, Ground, Command)> {
    let ana = |what, picks| by(0, what, picks);
    vec![
        (
            "establish_address",
            Ground::Nothing,
            ana(What::Identity, [1, 1, 1]),
        ),
        ("link_identity", Ground::Nothing, ana(What::Link, [1, 1, 1])),
        (
            "create_account",
            Ground::Nothing,
            ana(What::CreateAccount, [1, 1, 1]),
        ),
        (
            "update_account",
            Ground::Project,
            ana(What::PatchAccount, [1, 5, 2]),
        ),
        (
            "close_account",
            Ground::Project,
            ana(What::CloseAccount, [1, 1, 1]),
        ),
        (
            "update_member",
            Ground::Member,
            ana(What::PatchMember, [1, 8, 2]),
        ),
        (
            "remove_member",
            Ground::Member,
            ana(What::RemoveMember, [1, 1, 1]),
        ),
        (
            "create_team",
            Ground::Project,
            ana(What::CreateTeam, [1, 1, 1]),
        ),
        ("update_team", Ground::Team, ana(What::PatchTeam, [1, 5, 2])),
        (
            "delete_team",
            Ground::TeamMember,
            ana(What::DeleteTeam, [1, 1, 1]),
        ),
        (
            "put_team_member",
            Ground::Team,
            ana(What::PutTeamMember, [1, 1, 2]),
        ),
        (
            "remove_team_member",
            Ground::TeamMember,
            ana(What::RemoveTeamMember, [1, 1, 1]),
        ),
        (
            "create_invitation",
            Ground::Project,
            ana(What::Invite, [1, 0, 5]),
        ),
        (
            "resend_invitation",
            Ground::Invited,
            ana(What::Resend, [1, 1, 1]),
        ),
        (
            "revoke_invitation",
            Ground::Invited,
            ana(What::RevokeInvitation, [1, 1, 1]),
        ),
        (
            "accept_invitation",
            Ground::Invited,
            by(1, What::Accept, [0, 1, 1]),
        ),
        (
            "decline_invitation",
            Ground::Invited,
            by(1, What::Decline, [0, 1, 1]),
        ),
        (
            "put_notification_preferences",
            Ground::Project,
            ana(What::PutPreferences, [1, 1, 2]),
        ),
        (
            "create_project",
            Ground::Project,
            ana(What::CreateProject, [1, 1, 4]),
        ),
        (
            "update_project",
            Ground::Project,
            ana(What::PatchProject, [1, 5, 2]),
        ),
        (
            "delete_project",
            Ground::Project,
            ana(What::DeleteProject, [1, 1, 1]),
        ),
        (
            "create_grant",
            Ground::Member,
            ana(What::CreateGrant, [1, 4, 15]),
        ),
        (
            "update_grant",
            Ground::Grant,
            ana(What::PatchGrant, [1, 2, 2]),
        ),
        (
            "revoke_grant",
            Ground::Grant,
            ana(What::RevokeGrant, [1, 1, 1]),
        ),
        (
            "preview_access",
            Ground::Member,
            ana(What::Preview, [1, 4, 15]),
        ),
        (
            "create_artifact",
            Ground::Project,
            ana(What::Declare, [1, 5, 1]),
        ),
        (
            "update_artifact",
            Ground::Declared,
            ana(What::PatchArtifact, [1, 16, 2]),
        ),
        (
            "delete_artifact",
            Ground::Declared,
            ana(What::DeleteArtifact, [1, 1, 1]),
        ),
        (
            "restore_artifact",
            Ground::Deleted,
            ana(What::RestoreArtifact, [1, 1, 1]),
        ),
        (
            "create_version",
            Ground::Declared,
            ana(What::NewVersion, [1, 5, 1]),
        ),
        (
            "reissue_version_upload",
            Ground::Declared,
            ana(What::Reissue, [1, 1, 1]),
        ),
        (
            "complete_version",
            Ground::Declared,
            ana(What::Complete, [1, 1, 1]),
        ),
        (
            "download_version",
            Ground::Document,
            ana(What::Download, [1, 1, 1]),
        ),
        (
            "restore_version",
            Ground::Document,
            ana(What::RestoreVersion, [1, 1, 1]),
        ),
        (
            "create_derived",
            Ground::Document,
            ana(What::Derive, [1, 5, 2]),
        ),
        (
            "reissue_derived_upload",
            Ground::Derived,
            ana(What::ReissueDerived, [1, 1, 1]),
        ),
        (
            "complete_derived",
            Ground::Derived,
            ana(What::CompleteDerived, [1, 1, 1]),
        ),
        (
            "download_derived",
            Ground::Output,
            ana(What::DownloadDerived, [1, 1, 1]),
        ),
        (
            "append_metadata",
            Ground::Declared,
            ana(What::AppendMetadata, [1, 1, 3]),
        ),
        (
            "append_event",
            Ground::Declared,
            ana(What::AppendEvent, [1, 1, 3]),
        ),
    ]
}

pub(crate) fn trials() -> Vec<Trial> {
    let every = Trial::test("crash::no_operation_is_left_out", || {
        let walked: BTreeSet<&str> = cases().iter().map(|(operation, ..)| *operation).collect();
        let changing = operations::routes()
            .filter(|route| route.method != Method::Get)
            .filter(|route| matches!(route.handler, Handler::UseCase(_)))
            .map(|route| route.operation);
        assert_eq!(walked, changing.collect());
        Ok(())
    });
    let walked = trial("crash::a_process_may_die_at_any_call", 1, all);
    vec![every, walked]
}

async fn all(mut sides: Sides) -> Result<(), String> {
    for (seed, (operation, ground, command)) in cases().into_iter().enumerate() {
        let case = Case {
            before: ground.commands(),
            arrives: operation
                .starts_with("complete")
                .then_some(ground.last_upload()),
            command,
        };
        let died = walk(&mut sides, &case, seed as u64).await;
        let died = died.map_err(|found| format!("{operation}: {found}"))?;
        if died == 0 {
            return Err(format!("{operation}: nothing died"));
        }
    }
    Ok(())
}
