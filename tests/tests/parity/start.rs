//! The starting states of handwritten scripts.

use wm_tests::replay::script::{Action, Command};

#[derive(Clone, Copy)]
pub(crate) enum Start {
    Nothing,
    /// An account and a project of p0.
    Project,
    /// As above, and p1 is a member.
    Member,
    /// As above, and a team.
    Team,
    /// As above, and p1 is in the team.
    TeamMember,
    /// An account and a project, and p1 is invited.
    Invited,
    /// A member with a grant.
    Grant,
    /// A declared document without bytes.
    Declared,
    /// A document whose bytes are stored and whose upload is not completed.
    Document,
    /// A deleted document.
    Deleted,
    /// A declared output without bytes.
    Derived,
    /// An output that can be downloaded.
    Output,
}

/// An action of a person, with a key if it creates.
pub(crate) fn by(who: usize, what: Action, picks: [u32; 3]) -> Command {
    Command {
        who,
        what,
        picks,
        keyed: true,
    }
}

impl Start {
    /// The last planned upload.
    pub(crate) fn last_upload(self) -> usize {
        match self {
            Self::Derived => 1,
            _ => 0,
        }
    }

    /// The commands that lead to this state.
    pub(crate) fn commands(self) -> Vec<Command> {
        let mut commands = vec![
            by(0, Action::CreateAccount, [1, 1, 1]),
            by(0, Action::CreateProject, [1, 1, 4]),
        ];
        let (invite, accept) = (
            by(0, Action::Invite, [1, 0, 5]),
            by(1, Action::Accept, [0, 1, 1]),
        );
        let team = by(0, Action::CreateTeam, [1, 1, 1]);
        let declare = by(0, Action::Declare, [1, 5, 1]);
        let (put, complete) = (
            by(0, Action::Put, [0, 1, 1]),
            by(0, Action::Complete, [1, 1, 1]),
        );
        let derive = by(0, Action::Derive, [1, 5, 2]);
        commands.extend(match self {
            Self::Nothing => return Vec::new(),
            Self::Project => vec![],
            Self::Member => vec![invite, accept],
            Self::Team => vec![invite, accept, team],
            Self::TeamMember => vec![
                invite,
                accept,
                team,
                by(0, Action::PutTeamMember, [1, 1, 2]),
            ],
            Self::Invited => vec![invite],
            Self::Grant => vec![invite, accept, by(0, Action::CreateGrant, [1, 4, 20])],
            Self::Declared => vec![declare],
            Self::Document => vec![declare, put, complete],
            Self::Deleted => vec![declare, by(0, Action::DeleteArtifact, [1, 1, 1])],
            Self::Derived => vec![declare, put, complete, derive],
            Self::Output => vec![
                declare,
                put,
                complete,
                derive,
                by(0, Action::Put, [1, 1, 1]),
            ],
        });
        commands
    }
}
