//! Scripts that cover every operation in order.

use wm_tests::replay::script::{Action, Command, Script};

use super::start::{Start, by};

/// All tours, by topic.
pub(crate) fn tours() -> [Script; 4] {
    [people(), projects(), documents(), oneself()]
}

fn tour(start: Start, commands: impl IntoIterator<Item = Command>) -> Script {
    let mut all = start.commands();
    all.extend(commands);
    Script {
        commands: all,
        pair: None,
    }
}

/// The owner's action on the first object of its kind.
fn first(what: Action) -> Command {
    by(0, what, [1, 0, 2])
}

fn people() -> Script {
    tour(
        Start::TeamMember,
        [
            first(Action::GetAccount),
            by(0, Action::PatchAccount, [1, 5, 2]),
            first(Action::ListMembers),
            first(Action::GetMember),
            by(0, Action::PatchMember, [1, 8, 2]),
            first(Action::ListTeams),
            first(Action::GetTeam),
            by(0, Action::PatchTeam, [1, 5, 2]),
            first(Action::ListTeamMembers),
            by(0, Action::GetTeamMember, [1, 1, 1]),
            by(0, Action::PutPreferences, [1, 1, 2]),
            first(Action::GetPreferences),
            by(0, Action::Invite, [1, 1, 5]),
            first(Action::ListInvitations),
            by(0, Action::GetInvitation, [1, 1, 1]),
            by(0, Action::Resend, [1, 1, 1]),
            by(0, Action::RevokeInvitation, [1, 1, 1]),
            by(0, Action::Invite, [1, 1, 5]),
            by(2, Action::Decline, [1, 1, 1]),
            by(0, Action::Journal, [3, 0, 1]),
            by(0, Action::Verification, [3, 1, 1]),
            by(0, Action::RemoveTeamMember, [1, 1, 1]),
            by(0, Action::DeleteTeam, [1, 1, 1]),
            by(0, Action::RemoveMember, [1, 1, 1]),
            first(Action::CloseAccount),
        ],
    )
}

fn projects() -> Script {
    tour(
        Start::Grant,
        [
            first(Action::ListProjects),
            first(Action::GetProject),
            by(0, Action::PatchProject, [1, 5, 2]),
            first(Action::ListGrants),
            first(Action::GetGrant),
            by(0, Action::PatchGrant, [1, 2, 2]),
            by(0, Action::Access, [1, 1, 1]),
            by(0, Action::Preview, [1, 4, 15]),
            by(0, Action::Subjects, [1, 0, 1]),
            by(0, Action::Journal, [2, 0, 1]),
            by(0, Action::Verification, [2, 1, 1]),
            by(0, Action::RevokeGrant, [1, 1, 1]),
            first(Action::Session),
            first(Action::DeleteProject),
        ],
    )
}

fn documents() -> Script {
    tour(
        Start::Output,
        [
            first(Action::ListArtifacts),
            first(Action::GetArtifact),
            by(0, Action::PatchArtifact, [1, 8, 2]),
            first(Action::ListVersions),
            first(Action::GetVersion),
            by(0, Action::Download, [1, 1, 1]),
            by(0, Action::RestoreVersion, [1, 1, 1]),
            by(0, Action::NewVersion, [1, 5, 1]),
            by(0, Action::Reissue, [2, 1, 1]),
            first(Action::ListDerived),
            first(Action::GetDerived),
            by(0, Action::DownloadDerived, [1, 1, 1]),
            by(0, Action::CompleteDerived, [1, 1, 1]),
            by(0, Action::Derive, [1, 5, 2]),
            by(0, Action::ReissueDerived, [1, 1, 1]),
            by(0, Action::AppendMetadata, [1, 1, 3]),
            first(Action::ListMetadata),
            by(0, Action::AppendEvent, [1, 1, 3]),
            first(Action::ListEvents),
            by(0, Action::Declare, [1, 7, 1]),
            by(0, Action::DeleteArtifact, [2, 1, 1]),
            by(0, Action::RestoreArtifact, [2, 1, 1]),
        ],
    )
}

fn oneself() -> Script {
    tour(
        Start::Nothing,
        [
            by(3, Action::Session, [1, 1, 1]),
            by(3, Action::Identity, [1, 1, 1]),
            by(0, Action::Link, [1, 1, 1]),
            by(0, Action::Public, [0, 1, 1]),
            by(0, Action::Public, [1, 1, 1]),
            by(0, Action::Public, [2, 1, 1]),
        ],
    )
}
