//! Marking what a deleted team leaves behind: its member rows and its grants.

use alloc::{boxed::Box, collections::BTreeSet, format, vec, vec::Vec};

use crate::{
    jobs::Finished,
    operation::{
        Commit, Context, FactError, Facts, Outcome, Problem, ReadRequest, UseCase,
        authority::head_key,
    },
    permission::Permit,
    record::{Body, EventType, Grant, Record, Revocation, Team, TeamMember},
    storage::{Index, Key, List, Scope, Sort},
    value::{AccountId, TeamId},
};

/// Finishes the deletion of a team: marks its member rows deleted and its grants revoked, one commit
/// after another, and at last the team itself.
///
/// Access ended with the deletion, so nothing here is urgent. It can be interrupted anywhere and
/// begun again. The team stands in the index of unfinished work until nothing is left of it and
/// [`Team::SETTLING`] has passed, so that what the indexes show late is not missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetireTeam {
    /// The account.
    pub account: AccountId,
    /// The team.
    pub team: TeamId,
}

/// Retires the team under this key, for whoever finishes its deletion. `None` when the key is not a
/// team's.
#[must_use]
pub fn retire_team(key: &Key) -> Option<Box<dyn UseCase<Finished>>> {
    let Scope::Account(account) = key.scope else {
        return None;
    };
    let team = key.sort.as_str().strip_prefix(Sort::TEAMS)?.parse().ok()?;
    Some(Box::new(RetireTeam { account, team }))
}

/// How many rows one commit marks: each takes two of a batch's 90 operations, for its history.
const ROWS: usize = 40;
/// How many grants one commit revokes: each takes three operations, for it moves too.
const GRANTS: usize = 25;

impl RetireTeam {
    fn scope(&self) -> Scope {
        Scope::Account(self.account)
    }

    fn team_key(&self) -> Key {
        self.scope().key(Sort::team(self.team))
    }

    fn list(&self, prefix: &str, limit: usize) -> List {
        List {
            index: Index::Gsi2,
            partition: format!("TEAM#{}", self.team),
            prefix: prefix.into(),
            after: None,
            until: None,
            limit: u32::try_from(limit).unwrap_or(u32::MAX),
        }
    }

    fn rows(&self) -> List {
        self.list(Sort::MEMBERS, ROWS)
    }

    fn grants(&self) -> List {
        self.list("GRANT#", GRANTS)
    }

    /// The team, while it is being retired.
    fn retiring(&self, facts: &Facts) -> Result<Option<Record<Team>>, FactError> {
        let team: Option<Record<Team>> = facts.record(&self.team_key())?;
        Ok(team.filter(|team| team.body.retiring && !team.deleted))
    }

    fn mark_rows(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        team: &Team,
    ) -> Result<Option<Outcome<Finished>>, Problem> {
        let rows: Vec<Record<TeamMember>> = existing(facts, &self.rows())?;
        if rows.is_empty() {
            return Ok(None);
        }
        let permit = Permit::retire_team(self.account, team)?;
        let mut commit = open(context, facts, permit)?;
        for row in &rows {
            commit.delete(row);
        }
        commit.prepare(EventType::TeamRetired).map(Some)
    }

    /// Revokes the grants in one project; those in others are for another round.
    fn revoke_grants(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        team: &Team,
    ) -> Result<Option<Outcome<Finished>>, Problem> {
        let grants: Vec<Record<Grant>> = existing(facts, &self.grants())?;
        let Some(project) = grants.first().map(|grant| grant.body.project_id) else {
            return Ok(None);
        };
        let permit = Permit::revoke_grants_of_team(project, team)?;
        let mut commit = open(context, facts, permit)?;
        let revocation = Revocation {
            at: commit.at(),
            by: None,
            reason: "the team was deleted".parse().ok(),
        };
        for grant in grants
            .iter()
            .filter(|grant| grant.body.project_id == project)
        {
            let revoked = Grant {
                revoked: Some(revocation.clone()),
                ..grant.body.clone()
            };
            commit.update(grant, revoked);
        }
        commit.prepare(EventType::GrantRevoked).map(Some)
    }

    /// Marks the team deleted, unless an index may still hold something back.
    fn finish(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        team: &Record<Team>,
    ) -> Result<Outcome<Finished>, Problem> {
        let empty = facts.list(&self.rows())?.items.is_empty()
            && facts.list(&self.grants())?.items.is_empty();
        let settled = context.env.now >= team.updated_at.after(Team::SETTLING);
        if !(empty && settled) {
            return Ok(Outcome::Reply(Finished::default()));
        }
        let permit = Permit::retire_team(self.account, &team.body)?;
        let mut commit = open(context, facts, permit)?;
        commit.delete(team);
        commit.conclude(EventType::TeamRetired, Finished::default())
    }
}

fn open<'a>(
    context: &'a Context<'a>,
    facts: &Facts,
    permit: Permit,
) -> Result<Commit<'a>, Problem> {
    let head = facts.record(&head_key(permit.scope()))?;
    Commit::open(context, permit, head)
}

/// The listed records that are there, by strong reads.
fn existing<B: Body>(facts: &Facts, list: &List) -> Result<Vec<Record<B>>, Problem> {
    let mut records = Vec::new();
    for listed in &facts.list(list)?.items {
        let record: Option<Record<B>> = facts.record(&listed.key)?;
        records.extend(record.filter(|record| !record.deleted));
    }
    Ok(records)
}

impl UseCase<Finished> for RetireTeam {
    /// Heads first: the account's, then those of the projects with grants, then the records.
    fn reads(&self, _: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let head = ReadRequest::Get(head_key(self.scope()));
        if !facts.has(&head) {
            return Ok(vec![head]);
        }
        let team = ReadRequest::Get(self.team_key());
        let lists = [
            ReadRequest::List(self.rows()),
            ReadRequest::List(self.grants()),
        ];
        if !facts.has(&team) {
            return Ok([team].into_iter().chain(lists).collect());
        }
        let (rows, grants) = (facts.list(&self.rows())?, facts.list(&self.grants())?);
        let projects: BTreeSet<Scope> = grants.items.iter().map(|item| item.key.scope).collect();
        let heads: Vec<ReadRequest> = projects
            .into_iter()
            .map(|scope| ReadRequest::Get(head_key(scope)))
            .collect();
        if !facts.has_all(&heads) {
            return Ok(heads);
        }
        let records = rows.items.iter().chain(&grants.items);
        Ok(records
            .map(|item| ReadRequest::Get(item.key.clone()))
            .collect())
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome<Finished>, Problem> {
        let Some(team) = self.retiring(facts)? else {
            return Ok(Outcome::Reply(Finished::default()));
        };
        if let Some(outcome) = self.mark_rows(context, facts, &team.body)? {
            return Ok(outcome);
        }
        if let Some(outcome) = self.revoke_grants(context, facts, &team.body)? {
            return Ok(outcome);
        }
        self.finish(context, facts, &team)
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.scope())
    }
}

#[cfg(test)]
mod tests {
    use alloc::{string::String, string::ToString};

    use serde_json::json;
    use ulid::Ulid;

    use super::*;
    use crate::{
        jobs,
        record::Author,
        testing::{Fixture, Person},
        value::{AccountRole, GrantId, Principal, ProjectId, ProjectRole, id::Id},
    };

    struct Case {
        world: Fixture,
        ana: Person,
        members: Vec<Person>,
        retire: RetireTeam,
        grants: u128,
    }

    impl Case {
        /// A team with so many members and, in each of these projects, so many grants.
        fn new(members: usize, grants: &[usize]) -> Self {
            let mut world = Fixture::new();
            let ana = world.person("ana");
            let account = world.account(&ana);
            let team = world.team(&ana, &account);
            let names = (0..members).map(|number| format!("person{number}"));
            let members: Vec<Person> = names.map(|name| world.person(&name)).collect();
            for person in &members {
                world.join(&account, person, AccountRole::Guest);
                let row = format!(
                    "/v1/accounts/{account}/teams/{team}/members/{}",
                    person.id()
                );
                world
                    .put(&ana, &row, json!({ "role": "member" }))
                    .expect(201);
            }
            let retire = RetireTeam {
                account: account.parse().unwrap(),
                team: team.parse().unwrap(),
            };
            let mut case = Self {
                world,
                ana,
                members,
                retire,
                grants: 0,
            };
            for (project, count) in grants.iter().enumerate() {
                (0..*count).for_each(|_| case.grant(project as u128));
            }
            case
        }

        fn grant(&mut self, project: u128) {
            let project = ProjectId::new(self.retire.account, Ulid::from_parts(3, project));
            self.grants += 1;
            let scope = Scope::Project(project);
            let surface = self.world.surface.clone();
            let context = self.world.context(&surface, &self.ana, None);
            let head = self.world.record(&head_key(scope));
            let mut commit = Commit::open(&context, Permit::fixture(scope), head).unwrap();
            let grant = Grant {
                project_id: project,
                principal: Principal::Team(self.retire.team),
                membership_id: None,
                role: ProjectRole::Viewer,
                expires_at: None,
                revoked: None,
            };
            commit.create(GrantId::from_ulid(Ulid::from_parts(4, self.grants)), grant);
            let batch = commit.seal(EventType::GrantCreated).unwrap();
            self.world.commit(&batch);
        }

        fn team_path(&self) -> String {
            let RetireTeam { account, team } = self.retire;
            format!("/v1/accounts/{account}/teams/{team}")
        }

        fn delete_team(&mut self) {
            let path = self.team_path();
            self.world.delete(&self.ana, &path).expect(204);
        }

        /// One round; whether it was the last.
        fn step(&mut self) -> bool {
            let outcome = self.world.decide(&self.ana, &self.retire, None).unwrap();
            match outcome {
                Outcome::Prepare(batch) => {
                    self.world.commit(&batch);
                    false
                }
                Outcome::Commit(batch, _) => {
                    self.world.commit(&batch);
                    true
                }
                Outcome::Reply(_) => true,
                Outcome::Reject(_, problem) => panic!("{problem}"),
            }
        }

        /// How many member rows and grants of the team still stand in an index.
        fn existing(&self) -> (usize, usize) {
            let count = |prefix: &str| {
                let list = self.retire.list(prefix, 1000);
                self.world.store.list(&list).items.len()
            };
            (count(Sort::MEMBERS), count("GRANT#"))
        }

        fn team(&self) -> Record<Team> {
            self.world.record(&self.retire.team_key()).unwrap()
        }

        fn is_unfinished(&self) -> bool {
            let item = self.world.store.get(&self.retire.team_key()).unwrap();
            let row = item.index[Index::Gsi1.position()].as_ref();
            row.is_some_and(|row| row.partition.starts_with("WORK#"))
        }
    }

    #[test]
    fn deleting_a_team_marks_its_rows_and_grants_before_it_answers() {
        let mut case = Case::new(45, &[2, 30]);
        assert_eq!(case.existing(), (45, 32));
        case.delete_team();
        assert_eq!(case.existing(), (0, 0));
        let revoked = case.world.dump().into_iter().filter(|item| {
            let sort = item.key.sort.as_str();
            sort.starts_with("HISTORY#REVOKED#")
        });
        let revoked: Vec<Record<Grant>> =
            revoked.map(|item| Record::decode(&item).unwrap()).collect();
        assert_eq!(revoked.len(), 32);
        for grant in revoked {
            assert_eq!(grant.updated_by, Author::System);
            let revocation = grant.body.revoked.unwrap();
            assert_eq!(revocation.by, None);
            assert_eq!(
                revocation.reason.unwrap().to_string(),
                "the team was deleted"
            );
        }
    }

    #[test]
    fn a_team_is_marked_deleted_once_the_indexes_have_settled() {
        let mut case = Case::new(1, &[1]);
        case.delete_team();
        assert!(case.is_unfinished() && !case.team().deleted);
        case.grant(7);
        case.world.pass(Team::SETTLING);
        assert!(!case.step(), "a straggler is revoked first");
        assert_eq!(case.existing(), (0, 0));
        assert!(case.step());
        assert!(case.team().deleted && !case.is_unfinished());
        let finished = case.world.dump();
        assert!(case.step());
        assert_eq!(case.world.dump(), finished);
    }

    #[test]
    fn an_interrupted_deletion_cuts_off_at_once_and_goes_on_anywhere() {
        let mut case = Case::new(41, &[1, 1]);
        case.world.finishes = false;
        let guest = case.members[0].clone();
        let path = case.team_path();
        case.world.get(&guest, &path).expect(200);
        case.delete_team();
        assert_eq!(case.existing(), (41, 2));
        case.world.get(&guest, &path).expect(403);
        case.world.pass(Team::SETTLING);
        let expected = [(1, 2), (0, 2), (0, 1), (0, 0)];
        for standing in expected {
            assert!(!case.step());
            assert_eq!(case.existing(), standing);
            assert!(case.is_unfinished());
        }
        assert!(case.step());
        assert!(case.team().deleted);
    }

    #[test]
    fn case_54_two_that_finish_at_once_mark_everything_once() {
        let mut case = Case::new(2, &[]);
        case.world.finishes = false;
        case.delete_team();
        let decided = [(); 2].map(|()| case.world.decide(&case.ana, &case.retire, None).unwrap());
        let [Outcome::Prepare(first), Outcome::Prepare(second)] = decided else {
            panic!("both have rows to mark")
        };
        case.world.commit(&first);
        let once = case.world.dump();
        assert!(case.world.try_commit(&second).is_err());
        assert_eq!(case.world.dump(), once);
    }

    #[test]
    fn a_team_that_was_not_deleted_is_left_alone() {
        let mut case = Case::new(1, &[1]);
        let before = case.world.dump();
        assert!(case.step());
        assert_eq!(case.world.dump(), before);
    }

    #[test]
    fn only_a_team_is_finished_as_one() {
        let case = Case::new(0, &[]);
        assert!(jobs::unfinished(&case.retire.team_key()).is_some());
        let account = case.retire.scope().key(Sort::account());
        assert!(jobs::unfinished(&account).is_none());
    }
}
