//! Random permission states: every situation of a decision, in the records that it reads.

use std::time::Duration;

use ulid::Ulid;
use wm_core::{
    permission::{Access, AccountAccess},
    record::{
        Account, AccountKind, AccountStatus, Author, Clock, Grant, Member, MemberStatus, Project,
        Record, RetiredTeam, Revocation, TeamMember, Visibility,
    },
    value::{
        AccountId, AccountRole, GrantId, MembershipId, Principal, ProjectId, ProjectRole, TeamId,
        TeamRole, Timestamp, UserId, id::Id,
    },
};

use crate::random_source::RandomSource;

/// One account with its people, teams and projects at one time.
#[derive(Debug, Clone)]
pub struct Generated {
    pub now: Timestamp,
    pub account_id: AccountId,
    /// The record of the account, if it exists.
    pub account: Option<Record<Account>>,
    pub people: Vec<Person>,
    /// The account's teams, and one team that belongs to no account.
    pub teams: Vec<TeamId>,
    pub projects: Vec<StoredProject>,
    made: u128,
}

/// A person as one account stores them.
#[derive(Debug, Clone)]
pub struct Person {
    pub user: UserId,
    /// The present stay, or the last one.
    pub stay: MembershipId,
    /// The membership, if one ever existed.
    pub member: Option<Record<Member>>,
    /// The team rows, sorted by team.
    pub rows: Vec<Record<TeamMember>>,
}

/// A project as the database stores it.
#[derive(Debug, Clone)]
pub struct StoredProject {
    pub id: ProjectId,
    /// The record of the project, if it exists.
    pub project: Option<Record<Project>>,
    /// The grants, sorted by principal.
    pub grants: Vec<Record<Grant>>,
}

/// The time of every generated state.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000)
}

/// Expiries of grants: none, long past, just before and after now, and exactly now.
#[must_use]
pub fn expiries() -> [Option<Timestamp>; 6] {
    let (instant, day) = (Duration::from_millis(1), Duration::from_secs(86_400));
    let now = now();
    [
        None,
        Some(now.after(day)),
        Some(now.after(instant)),
        Some(now),
        Some(now.before(instant)),
        Some(now.before(day)),
    ]
}

/// A record of version 1, live or deleted.
#[must_use]
pub fn record<B: wm_core::record::Body>(id: B::Id, body: B, deleted: bool) -> Record<B> {
    let mut record = Record::new(id, body, Clock::default(), now(), Author::System);
    record.deleted = deleted;
    record
}

impl Generated {
    /// An active account without people and projects.
    #[must_use]
    pub fn empty() -> Self {
        let account_id = AccountId::from_ulid(Ulid::from_parts(1, 1));
        let (name, kind) = ("Account".parse().unwrap(), AccountKind::Organisation);
        let account = Account::new(name, kind, UserId::from_ulid(Ulid::nil()));
        Self {
            now: now(),
            account_id,
            account: Some(record(account_id, account, false)),
            people: Vec::new(),
            teams: Vec::new(),
            projects: Vec::new(),
            made: 1,
        }
    }

    /// Generates a state from a random source.
    pub fn generate(random: &mut impl RandomSource) -> Self {
        let mut state = Self::empty();
        state.teams = (0..4).map(|_| state.id()).collect();
        state.retire_and_close(random);
        for _ in 0..4 {
            let person = state.person(random);
            state.people.push(person);
        }
        for _ in 0..3 {
            let stored = state.stored_project(random);
            state.projects.push(stored);
        }
        state
    }

    /// A new id of this state.
    pub fn id<T: Id>(&mut self) -> T {
        self.made += 1;
        T::from_ulid(Ulid::from_parts(1, self.made))
    }

    fn retire_and_close(&mut self, random: &mut impl RandomSource) {
        let account = self.account.as_mut().unwrap();
        account.deleted = random.happens(1, 24);
        if random.happens(1, 12) {
            account.body.status = AccountStatus::Closed;
        }
        for team in &self.teams {
            if random.happens(1, 5) {
                account.body.retired_teams.insert(RetiredTeam(*team));
            }
        }
        if random.happens(1, 24) {
            self.account = None;
        }
    }

    fn person(&mut self, random: &mut impl RandomSource) -> Person {
        const STATUSES: [MemberStatus; 6] = [
            MemberStatus::Active,
            MemberStatus::Active,
            MemberStatus::Active,
            MemberStatus::Active,
            MemberStatus::Suspended,
            MemberStatus::Removed,
        ];
        let (role, status) = (*random.pick(AccountRole::ALL), *random.pick(&STATUSES));
        let mut person = self.member(role, status);
        if let Some(member) = &mut person.member {
            member.deleted = random.happens(1, 24);
        }
        if random.happens(1, 8) {
            person.member = None;
        }
        let earlier = self.id();
        for team in self.teams.clone() {
            if random.happens(1, 2) {
                let stay = if random.happens(1, 5) {
                    earlier
                } else {
                    person.stay
                };
                let row = self.row(team, stay, *random.pick(TeamRole::ALL));
                person
                    .rows
                    .push(record(person.user, row, random.happens(1, 6)));
            }
        }
        person
    }

    /// A member with a status, in no team.
    pub fn member(&mut self, role: AccountRole, status: MemberStatus) -> Person {
        let (user, stay) = (self.id(), self.id());
        let body = Member {
            account_id: self.account_id,
            membership_id: stay,
            role,
            status,
            invitation_id: None,
        };
        let member = Some(record(user, body, false));
        Person {
            user,
            stay,
            member,
            rows: Vec::new(),
        }
    }

    /// A project without grants.
    pub fn project(&mut self, visibility: Visibility, archived: bool) -> StoredProject {
        let own: GrantId = self.id();
        let id = ProjectId::new(self.account_id, own.ulid());
        let body = Project {
            archived,
            ..Project::new("Project".parse().unwrap(), None, visibility)
        };
        StoredProject {
            id,
            project: Some(record(id, body, false)),
            grants: Vec::new(),
        }
    }

    /// Grants a role without expiry.
    pub fn give(
        &mut self,
        stored: &mut StoredProject,
        principal: Principal,
        stay: Option<MembershipId>,
        role: ProjectRole,
    ) {
        let body = Grant {
            project_id: stored.id,
            principal,
            membership_id: stay,
            role,
            expires_at: None,
            revoked: None,
        };
        stored.add(record(self.id(), body, false));
    }

    /// Adds a person's present stay to a team.
    pub fn join(&self, person: &mut Person, team: TeamId, role: TeamRole) {
        let row = self.row(team, person.stay, role);
        person.rows.push(record(person.user, row, false));
    }

    #[must_use]
    pub fn row(&self, team_id: TeamId, membership_id: MembershipId, role: TeamRole) -> TeamMember {
        TeamMember {
            account_id: self.account_id,
            team_id,
            membership_id,
            role,
        }
    }

    fn stored_project(&mut self, random: &mut impl RandomSource) -> StoredProject {
        let visibility = *random.pick(&[Visibility::Private, Visibility::Account]);
        let mut stored = self.project(visibility, random.happens(1, 4));
        if let Some(project) = &mut stored.project {
            project.deleted = random.happens(1, 10);
        }
        if random.happens(1, 12) {
            stored.project = None;
        }
        for _ in 0..random.below(9) {
            let grant = self.grant(random, &stored);
            stored.add(grant);
        }
        stored
    }

    /// A grant on a project, for a new principal or for one that already has a grant.
    pub fn grant(
        &mut self,
        random: &mut impl RandomSource,
        stored: &StoredProject,
    ) -> Record<Grant> {
        if !stored.grants.is_empty() && random.happens(1, 4) {
            let twin = random.pick(&stored.grants).body.clone();
            return record(self.id(), twin, false);
        }
        let (principal, stay) = self.principal(random);
        let membership_id = match random.below(8) {
            5 => Some(random.pick(&self.people).stay),
            6 => None,
            7 => Some(self.id()),
            _ => stay,
        };
        let body = Grant {
            project_id: stored.id,
            principal,
            membership_id,
            role: *random.pick(ProjectRole::ALL),
            expires_at: *random.pick(&expiries()),
            revoked: random.happens(1, 8).then(revocation),
        };
        let deleted = random.happens(1, 16);
        record(self.id(), body, deleted)
    }

    fn principal(&mut self, random: &mut impl RandomSource) -> (Principal, Option<MembershipId>) {
        if random.happens(1, 2) {
            (Principal::Team(*random.pick(&self.teams)), None)
        } else {
            let person = random.pick(&self.people);
            (Principal::User(person.user), Some(person.stay))
        }
    }

    /// The engine's input about a person and the account.
    #[must_use]
    pub fn account_access<'a>(&'a self, person: &'a Person) -> AccountAccess<'a> {
        AccountAccess {
            user: person.user,
            account: self.account.as_ref(),
            member: person.member.as_ref(),
            teams: &person.rows,
        }
    }

    /// The engine's input about a person and a project.
    #[must_use]
    pub fn access<'a>(&'a self, person: &'a Person, stored: &'a StoredProject) -> Access<'a> {
        Access {
            account: self.account_access(person),
            project: stored.project.as_ref(),
            grants: &stored.grants,
            now: self.now,
        }
    }

    /// Every pair of a person and a project.
    pub fn pairs(&self) -> impl Iterator<Item = (&Person, &StoredProject)> {
        self.people
            .iter()
            .flat_map(|person| self.projects.iter().map(move |stored| (person, stored)))
    }
}

impl StoredProject {
    /// Inserts a grant in the order of the database.
    pub fn add(&mut self, grant: Record<Grant>) {
        let at = self.grants.partition_point(|other| {
            (other.body.principal, other.id) < (grant.body.principal, grant.id)
        });
        self.grants.insert(at, grant);
    }
}

/// The data of a revoked grant.
#[must_use]
pub fn revocation() -> Revocation {
    Revocation {
        at: now(),
        by: None,
        reason: None,
    }
}
