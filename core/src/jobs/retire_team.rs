//! Marking the member rows and grants of a deleted team.

use alloc::{boxed::Box, collections::BTreeSet, vec, vec::Vec};

use crate::{
    jobs::Finished,
    operation::{
        Commit, Context, FactError, Facts, Outcome, Problem, ReadRequest, UseCase,
        authority::head_key,
    },
    permission::Permit,
    record::{Body, EventType, Grant, Record, Revocation, Team, TeamMember},
    storage::{IndexRows, Key, List, Scope, Sort},
    value::{AccountId, Principal, TeamId},
};

/// Finishes the deletion of a team: marks its member rows as deleted and its grants as revoked, in
/// several commits, and finally the team itself.
///
/// Access ended with the deletion, so this job is not urgent. It can be interrupted and started
/// again at any point. The team stays in the index of unfinished work until it has no rows and
/// grants and [`Team::INDEX_DELAY`] has passed, so that rows which appear late in an index are not
/// missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct RetireTeam {
    pub account: AccountId,
    pub team: TeamId,
}

/// The job that finishes the deletion of the team under this key. `None` for keys of other records.
#[must_use]
pub fn retire_team(key: &Key) -> Option<Box<dyn UseCase<Finished>>> {
    let Scope::Account(account) = key.scope else {
        return None;
    };
    let team = key.sort.as_str().strip_prefix(Sort::TEAMS)?.parse().ok()?;
    Some(Box::new(RetireTeam { account, team }))
}

/// Rows marked in one commit. With its history, each takes two of the 90 operations of a batch.
const ROWS: u32 = 40;
/// Grants revoked in one commit. Each takes three operations, because its key changes too.
const GRANTS: u32 = 25;

impl RetireTeam {
    fn scope(&self) -> Scope {
        Scope::Account(self.account)
    }

    fn team_key(&self) -> Key {
        self.scope().key(Sort::team(self.team))
    }

    fn rows(&self) -> List {
        IndexRows::members_of_team(self.team).list(ROWS)
    }

    fn grants(&self) -> List {
        IndexRows::grants_to(Principal::Team(self.team)).list(GRANTS)
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

    /// Revokes the grants in one project. Grants in other projects follow in later commits.
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

    /// Marks the team as deleted, unless an index may still show more rows.
    fn finish(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        team: &Record<Team>,
    ) -> Result<Outcome<Finished>, Problem> {
        let empty = facts.list(&self.rows())?.items.is_empty()
            && facts.list(&self.grants())?.items.is_empty();
        let indexes_are_current = context.env.now >= team.applied_at().after(Team::INDEX_DELAY);
        if !(empty && indexes_are_current) {
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

/// The listed records that exist according to strong reads.
fn existing<B: Body>(facts: &Facts, list: &List) -> Result<Vec<Record<B>>, Problem> {
    let mut records = Vec::new();
    for listed in &facts.list(list)?.items {
        let record: Option<Record<B>> = facts.record(&listed.key)?;
        records.extend(record.filter(|record| !record.deleted));
    }
    Ok(records)
}

impl UseCase<Finished> for RetireTeam {
    /// Heads first: those of the account and of the projects with grants. Then the records.
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
    use alloc::{format, string::String, string::ToString};

    use serde_json::json;
    use ulid::Ulid;

    use super::*;
    use crate::{
        jobs,
        record::Author,
        storage::{Work, WorkPartitions},
        testing::{Fixture, Person},
        value::{AccountRole, GrantId, ProjectId, ProjectRole, id::Id},
    };

    struct Case {
        fixture: Fixture,
        ana: Person,
        members: Vec<Person>,
        retire: RetireTeam,
        grants: u128,
    }

    impl Case {
        /// A team with this many members and, in each of these projects, this many grants.
        fn new(members: usize, grants: &[usize]) -> Self {
            let mut fixture = Fixture::new();
            let ana = fixture.person("ana");
            let account = fixture.account(&ana);
            let team = fixture.team(&ana, &account);
            let names = (0..members).map(|number| format!("person{number}"));
            let members: Vec<Person> = names.map(|name| fixture.person(&name)).collect();
            for person in &members {
                fixture.join(&account, person, AccountRole::Guest);
                let row = format!(
                    "/v1/accounts/{account}/teams/{team}/members/{}",
                    person.id()
                );
                fixture
                    .put(&ana, &row, json!({ "role": "member" }))
                    .expect(201);
            }
            let retire = RetireTeam {
                account: account.parse().unwrap(),
                team: team.parse().unwrap(),
            };
            let mut case = Self {
                fixture,
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
            let surface = self.fixture.surface.clone();
            let context = self.fixture.context(&surface, &self.ana, None);
            let head = self.fixture.record(&head_key(scope));
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
            let batch = commit.into_batch(EventType::GrantCreated).unwrap();
            self.fixture.commit(&batch);
        }

        fn team_path(&self) -> String {
            let RetireTeam { account, team } = self.retire;
            format!("/v1/accounts/{account}/teams/{team}")
        }

        fn delete_team(&mut self) {
            let path = self.team_path();
            self.fixture.delete(&self.ana, &path).expect(204);
        }

        /// Runs one commit. Returns whether it was the last.
        fn step(&mut self) -> bool {
            let outcome = self.fixture.decide(&self.ana, &self.retire, None).unwrap();
            match outcome {
                Outcome::Prepare(batch) => {
                    self.fixture.commit(&batch);
                    false
                }
                Outcome::Commit(batch, _) => {
                    self.fixture.commit(&batch);
                    true
                }
                Outcome::Reply(_) => true,
                Outcome::Reject(_, problem) => panic!("{problem}"),
            }
        }

        /// The number of member rows and grants of the team that an index still shows.
        fn existing(&self) -> (usize, usize) {
            let count = |list: List| {
                let list = List {
                    limit: 1000,
                    ..list
                };
                self.fixture.store.list(&list).items.len()
            };
            (count(self.retire.rows()), count(self.retire.grants()))
        }

        fn team(&self) -> Record<Team> {
            self.fixture.record(&self.retire.team_key()).unwrap()
        }

        fn is_unfinished(&self) -> bool {
            let key = self.retire.team_key();
            let rows = WorkPartitions::default().row(Work::Teams, &key);
            let list = rows.list(1000);
            let page = self.fixture.store.list(&list);
            page.items.iter().any(|item| item.key == key)
        }
    }

    #[test]
    fn team_deletion_marks_rows_and_grants_before_it_answers() {
        let mut case = Case::new(45, &[2, 30]);
        assert_eq!(case.existing(), (45, 32));
        case.delete_team();
        assert_eq!(case.existing(), (0, 0));
        let revoked = case.fixture.dump().into_iter().filter(|item| {
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
    fn team_is_marked_deleted_after_the_index_delay() {
        let mut case = Case::new(1, &[1]);
        case.delete_team();
        assert!(case.is_unfinished() && !case.team().deleted);
        case.grant(7);
        case.fixture.pass(Team::INDEX_DELAY);
        assert!(!case.step(), "a late row is revoked first");
        assert_eq!(case.existing(), (0, 0));
        assert!(case.step());
        assert!(case.team().deleted && !case.is_unfinished());
        let finished = case.fixture.dump();
        assert!(case.step());
        assert_eq!(case.fixture.dump(), finished);
    }

    #[test]
    fn interrupted_team_deletion_ends_access_and_can_resume() {
        let mut case = Case::new(41, &[1, 1]);
        case.fixture.finishes = false;
        let guest = case.members[0].clone();
        let path = case.team_path();
        case.fixture.get(&guest, &path).expect(200);
        case.delete_team();
        assert_eq!(case.existing(), (41, 2));
        case.fixture.get(&guest, &path).expect(403);
        case.fixture.pass(Team::INDEX_DELAY);
        let expected = [(1, 2), (0, 2), (0, 1), (0, 0)];
        for remaining in expected {
            assert!(!case.step());
            assert_eq!(case.existing(), remaining);
            assert!(case.is_unfinished());
        }
        assert!(case.step());
        assert!(case.team().deleted);
    }

    #[test]
    fn case_54_concurrent_finishers_mark_everything_once() {
        let mut case = Case::new(2, &[]);
        case.fixture.finishes = false;
        case.delete_team();
        let decided = [(); 2].map(|()| case.fixture.decide(&case.ana, &case.retire, None).unwrap());
        let [Outcome::Prepare(first), Outcome::Prepare(second)] = decided else {
            panic!("both must have rows to mark")
        };
        case.fixture.commit(&first);
        let once = case.fixture.dump();
        assert!(case.fixture.try_commit(&second).is_err());
        assert_eq!(case.fixture.dump(), once);
    }

    #[test]
    fn team_that_was_not_deleted_stays_unchanged() {
        let mut case = Case::new(1, &[1]);
        let before = case.fixture.dump();
        assert!(case.step());
        assert_eq!(case.fixture.dump(), before);
    }

    #[test]
    fn retire_team_refuses_keys_of_other_records() {
        let case = Case::new(0, &[]);
        assert!(jobs::unfinished(&case.retire.team_key()).is_some());
        let account = case.retire.scope().key(Sort::account());
        assert!(jobs::unfinished(&account).is_none());
    }
}
