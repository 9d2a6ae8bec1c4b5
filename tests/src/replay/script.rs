//! Random scripts of requests. Every command has a meaning in any state.

use std::fmt;

use crate::random_source::RandomSource;

/// The number of people in a script.
pub const PEOPLE: usize = 4;

/// One action of a person. Its objects and its values follow from the picks and from the state.
/// Removing a command changes the meaning of later ones, but they always keep one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Command {
    pub who: usize,
    pub what: Action,
    /// Random numbers that select among the existing objects.
    pub picks: [u32; 3],
    /// Whether a creation has an idempotency key.
    pub keyed: bool,
}

impl fmt::Debug for Command {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            who,
            what,
            picks,
            keyed,
        } = self;
        let key = if *keyed { ", keyed" } else { "" };
        write!(formatter, "p{who}: {what:?} {picks:?}{key}")
    }
}

/// Sequential commands, followed by two concurrent ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The sequential commands.
    pub commands: Vec<Command>,
    /// The concurrent commands.
    pub pair: Option<[Command; 2]>,
}

macro_rules! whats {
    ($($what:ident $weight:literal)*) => {
        /// The kind of an action.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Action { $($what),* }

        /// All kinds with their weights.
        const ACTIONS: &[(Action, u32)] = &[$((Action::$what, $weight)),*];
    };
}

whats! {
    Session 2 Identity 1 Link 1 Public 1
    CreateAccount 4 GetAccount 2 PatchAccount 3 CloseAccount 1
    ListMembers 2 GetMember 1 PatchMember 3 RemoveMember 2
    CreateTeam 3 ListTeams 1 GetTeam 1 PatchTeam 2 DeleteTeam 1
    PutTeamMember 3 GetTeamMember 1 RemoveTeamMember 1 ListTeamMembers 1
    Invite 6 ListInvitations 1 GetInvitation 1 Resend 1 RevokeInvitation 1 Accept 8 Decline 1
    CreateProject 5 ListProjects 2 GetProject 2 PatchProject 3 DeleteProject 1
    CreateGrant 5 ListGrants 2 GetGrant 1 PatchGrant 2 RevokeGrant 3
    Access 3 Preview 1 Subjects 1
    Declare 6 ListArtifacts 2 GetArtifact 2 PatchArtifact 2 DeleteArtifact 1 RestoreArtifact 1
    NewVersion 2 ListVersions 1 GetVersion 1 Reissue 1 Put 6 Complete 4 Download 3 RestoreVersion 1
    Derive 2 ListDerived 1 GetDerived 1 ReissueDerived 1 CompleteDerived 2 DownloadDerived 1
    AppendMetadata 2 ListMetadata 1 AppendEvent 2 ListEvents 1
    GetPreferences 1 PutPreferences 2
    Journal 2 Verification 2
    Replay 4 BadInput 5
}

/// The kinds that are useful in a concurrent pair.
const WRITES: &[Action] = &[
    Action::Accept,
    Action::CloseAccount,
    Action::DeleteProject,
    Action::Derive,
    Action::PatchAccount,
    Action::PatchMember,
    Action::RemoveMember,
    Action::RemoveTeamMember,
    Action::RestoreArtifact,
    Action::RestoreVersion,
    Action::CreateTeam,
    Action::PatchTeam,
    Action::DeleteTeam,
    Action::PutTeamMember,
    Action::Invite,
    Action::CreateProject,
    Action::PatchProject,
    Action::CreateGrant,
    Action::PatchGrant,
    Action::RevokeGrant,
    Action::Declare,
    Action::PatchArtifact,
    Action::DeleteArtifact,
    Action::Complete,
    Action::AppendEvent,
    Action::PutPreferences,
];

impl Script {
    /// A script with this number of commands after its setup.
    pub fn generate(random: &mut impl RandomSource, length: usize) -> Self {
        let mut commands = Command::setup(random);
        commands.extend((0..length).map(|_| {
            let what = any(random);
            Command::of(what, random)
        }));
        let pair = random.happens(1, 2).then(|| Command::pair(random));
        Self { commands, pair }
    }

    /// The number of commands.
    #[must_use]
    pub fn len(&self) -> usize {
        self.commands.len() + 2 * usize::from(self.pair.is_some())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The script without a range of commands.
    #[must_use]
    pub fn without(&self, from: usize, count: usize) -> Self {
        let mut commands = self.commands.clone();
        commands.drain(from..from + count);
        Self {
            commands,
            pair: self.pair,
        }
    }

    /// The script without its pair, with one of the two, or with both in sequence.
    #[must_use]
    pub fn without_pair(&self) -> [Self; 4] {
        let alone = Self {
            pair: None,
            ..self.clone()
        };
        let and = |number: &[usize]| {
            let mut script = alone.clone();
            let pair = number.iter().filter_map(|number| Some(self.pair?[*number]));
            script.commands.extend(pair);
            script
        };
        [and(&[]), and(&[0]), and(&[1]), and(&[0, 1])]
    }
}

impl Command {
    /// A command whose picks are all zero.
    #[must_use]
    pub fn plain(who: usize, what: Action) -> Self {
        Self {
            who,
            what,
            picks: [0; 3],
            keyed: false,
        }
    }

    /// An account and a project, and some further objects: a member, a team with that member, a
    /// grant, an uploaded document.
    fn setup(random: &mut impl RandomSource) -> Vec<Self> {
        let owner = |what, picks| Self {
            picks,
            ..Self::plain(0, what)
        };
        let member = Self {
            picks: [0, 1, 1],
            ..Self::plain(1, Action::Accept)
        };
        let mut commands = vec![
            owner(Action::CreateAccount, [1, 1, 1]),
            owner(Action::CreateProject, [1, 1, 4]),
        ];
        let more: [&[Self]; 4] = [
            &[owner(Action::Invite, [1, 0, 5]), member],
            &[
                owner(Action::CreateTeam, [1, 1, 1]),
                owner(Action::PutTeamMember, [1, 1, 2]),
            ],
            &[owner(Action::CreateGrant, [1, 4, 20])],
            &[
                owner(Action::Declare, [1, 5, 1]),
                owner(Action::Put, [0, 1, 1]),
            ],
        ];
        for some in more {
            if random.happens(1, 2) {
                commands.extend(some);
            }
        }
        commands
    }

    fn of(what: Action, random: &mut impl RandomSource) -> Self {
        // Usually a person with the required rights acts.
        let who = match random.below(10) {
            0..6 => 0,
            6..8 => 1,
            8 => 2,
            _ => 3,
        };
        Self {
            who,
            what,
            picks: [0; 3].map(|_| random.below(1 << 16)),
            keyed: random.happens(1, 2),
        }
    }

    /// Two writes: the same kind with other values, the same command twice, or two different kinds.
    fn pair(random: &mut impl RandomSource) -> [Self; 2] {
        let first = *random.pick(WRITES);
        let first = Self {
            who: 0,
            ..Self::of(first, random)
        };
        let second = match random.below(4) {
            0 => first,
            1 | 2 => {
                let [about, _, _] = first.picks;
                let other = Self::of(first.what, random);
                let [_, second, third] = other.picks;
                Self {
                    who: 0,
                    picks: [about, second, third],
                    ..other
                }
            }
            _ => {
                let what = *random.pick(WRITES);
                Self::of(what, random)
            }
        };
        [first, second]
    }
}

fn any(random: &mut impl RandomSource) -> Action {
    let total = ACTIONS.iter().map(|(_, weight)| weight).sum();
    let mut left = random.below(total);
    for (what, weight) in ACTIONS {
        match left.checked_sub(*weight) {
            Some(rest) => left = rest,
            None => return *what,
        }
    }
    Action::Session
}
