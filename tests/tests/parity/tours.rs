//! Scripts that cover every operation in order.

use wm_tests::replay::script::{Command, Script, What};

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
fn first(what: What) -> Command {
    by(0, what, [1, 0, 2])
}

fn people() -> Script {
    tour(
        Start::TeamMember,
        [
            first(What::GetAccount),
            by(0, What::PatchAccount, [1, 5, 2]),
            first(What::ListMembers),
            first(What::GetMember),
            by(0, What::PatchMember, [1, 8, 2]),
            first(What::ListTeams),
            first(What::GetTeam),
            by(0, What::PatchTeam, [1, 5, 2]),
            first(What::ListTeamMembers),
            by(0, What::GetTeamMember, [1, 1, 1]),
            by(0, What::PutPreferences, [1, 1, 2]),
            first(What::GetPreferences),
            by(0, What::Invite, [1, 1, 5]),
            first(What::ListInvitations),
            by(0, What::GetInvitation, [1, 1, 1]),
            by(0, What::Resend, [1, 1, 1]),
            by(0, What::RevokeInvitation, [1, 1, 1]),
            by(0, What::Invite, [1, 1, 5]),
            by(2, What::Decline, [1, 1, 1]),
            by(0, What::Journal, [3, 0, 1]),
            by(0, What::Verification, [3, 1, 1]),
            by(0, What::RemoveTeamMember, [1, 1, 1]),
            by(0, What::DeleteTeam, [1, 1, 1]),
            by(0, What::RemoveMember, [1, 1, 1]),
            first(What::CloseAccount),
        ],
    )
}

fn projects() -> Script {
    tour(
        Start::Grant,
        [
            first(What::ListProjects),
            first(What::GetProject),
            by(0, What::PatchProject, [1, 5, 2]),
            first(What::ListGrants),
            first(What::GetGrant),
            by(0, What::PatchGrant, [1, 2, 2]),
            by(0, What::Access, [1, 1, 1]),
            by(0, What::Preview, [1, 4, 15]),
            by(0, What::Subjects, [1, 0, 1]),
            by(0, What::Journal, [2, 0, 1]),
            by(0, What::Verification, [2, 1, 1]),
            by(0, What::RevokeGrant, [1, 1, 1]),
            first(What::Session),
            first(What::DeleteProject),
        ],
    )
}

fn documents() -> Script {
    tour(
        Start::Output,
        [
            first(What::ListArtifacts),
            first(What::GetArtifact),
            by(0, What::PatchArtifact, [1, 8, 2]),
            first(What::ListVersions),
            first(What::GetVersion),
            by(0, What::Download, [1, 1, 1]),
            by(0, What::RestoreVersion, [1, 1, 1]),
            by(0, What::NewVersion, [1, 5, 1]),
            by(0, What::Reissue, [2, 1, 1]),
            first(What::ListDerived),
            first(What::GetDerived),
            by(0, What::DownloadDerived, [1, 1, 1]),
            by(0, What::CompleteDerived, [1, 1, 1]),
            by(0, What::Derive, [1, 5, 2]),
            by(0, What::ReissueDerived, [1, 1, 1]),
            by(0, What::AppendMetadata, [1, 1, 3]),
            first(What::ListMetadata),
            by(0, What::AppendEvent, [1, 1, 3]),
            first(What::ListEvents),
            by(0, What::Declare, [1, 7, 1]),
            by(0, What::DeleteArtifact, [2, 1, 1]),
            by(0, What::RestoreArtifact, [2, 1, 1]),
        ],
    )
}

fn oneself() -> Script {
    tour(
        Start::Nothing,
        [
            by(3, What::Session, [1, 1, 1]),
            by(3, What::Identity, [1, 1, 1]),
            by(0, What::Link, [1, 1, 1]),
            by(0, What::Public, [0, 1, 1]),
            by(0, What::Public, [1, 1, 1]),
            by(0, What::Public, [2, 1, 1]),
        ],
    )
}
