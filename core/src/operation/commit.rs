//! Building a commit: records, their history, one journal entry and the head in one batch.

mod batch;
mod count;
mod delivery;
mod layout;
mod link;
mod publication;
mod work;

use alloc::{format, string::ToString, vec::Vec};
use core::time::Duration;

use batch::overwrite;
pub use batch::{Batch, TooLarge};
pub use count::{Count, CountWriter};
pub use delivery::DeliveryWriter;
pub use layout::LayoutWriter;
pub use link::LinkWriter;
pub use publication::PublicationWriter;
pub use work::WorkWriter;

use crate::{
    operation::{Context, Outcome, Problem, Reply},
    permission::Permit,
    record::{
        Author, Body, Change, Clock, Counters, EventType, Head, Idempotency, JournalEntry, Record,
    },
    storage::{Condition, IndexKeys, Key, Operation, Scope, Sort},
    value::{CommitId, Timestamp},
};

/// The lifetime of an idempotency key: one day.
pub const IDEMPOTENCY_RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

/// A commit under construction, in one journalled scope.
///
/// Opening a commit takes a [`Permit`] that allows writing in the scope, and the scope's head as
/// read. Closing it takes an event type that the permit covers. So every write is permitted,
/// ordered and journalled.
#[derive(Debug)]
pub struct Commit<'a> {
    context: &'a Context<'a>,
    permit: Permit,
    commit_id: CommitId,
    at: Timestamp,
    head: Option<Record<Head>>,
    operations: Vec<Operation>,
    changes: Vec<Change>,
    /// The counters after the changes so far.
    counters: Counters,
    /// Whether a record of another scope was added.
    has_foreign_record: bool,
}

impl<'a> Commit<'a> {
    /// Opens a commit in the permit's scope. `head` is the scope's head as read; `None` for a new
    /// scope.
    ///
    /// # Errors
    /// 500 for a permit that does not allow writing, for the head of another scope, and for a head
    /// in a scope that the permit only allows to create. All are faults of this program.
    pub fn open(
        context: &'a Context<'a>,
        permit: Permit,
        head: Option<Record<Head>>,
    ) -> Result<Self, Problem> {
        if !permit.allows_writing() {
            let right = permit.right();
            return Err(Problem::internal(format!("`{right}` opens no commit")));
        }
        let mut at = context.env.now;
        if let Some(head) = &head {
            if head.body.scope != permit.scope() {
                return Err(Problem::internal("the head is that of another scope"));
            }
            if permit.is_for_a_new_scope() {
                return Err(Problem::internal("the scope of a new account exists"));
            }
            at = at.max(head.body.at);
        }
        let counters = match &head {
            Some(head) => head.body.counters(),
            None => Counters::of_a_new_scope(),
        };
        Ok(Self {
            context,
            permit,
            commit_id: context.env.id("commit"),
            at,
            head,
            operations: Vec::new(),
            changes: Vec::new(),
            counters,
            has_foreign_record: false,
        })
    }

    fn scope(&self) -> Scope {
        self.permit.scope()
    }

    fn author(&self) -> Author {
        self.permit.author()
    }

    /// The number of the commit in the journal of the scope, from 1.
    fn sequence(&self) -> u64 {
        let last = self.head.as_ref().map_or(0, |head| head.body.seq);
        last.saturating_add(1)
    }

    /// The time of the commit: now, or the time of the scope's last commit if the clock went back.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Adds a new record. The commit fails if a record with this key exists.
    pub fn create<B: Body>(&mut self, id: B::Id, body: B) -> Record<B> {
        let clock = Clock::default().advanced(self.context.surface.id);
        let record = Record::new(id, body, clock, self.at, self.author());
        let record = record.applied(self.context.env.now);
        self.put(&record, Condition::Absent);
        record
    }

    /// Changes a record. If the family keeps history, the superseded state moves to `HISTORY#`. If
    /// the key changes, as for a revoked grant, the record moves to the new key.
    pub fn update<B: Body>(&mut self, before: &Record<B>, body: B) -> Record<B> {
        self.replace(before, body, false)
    }

    /// Marks a record deleted.
    pub fn delete<B: Body>(&mut self, before: &Record<B>) -> Record<B> {
        self.delete_as(before, before.body.clone())
    }

    /// Marks a record deleted, with this body.
    pub fn delete_as<B: Body>(&mut self, before: &Record<B>, body: B) -> Record<B> {
        self.replace(before, body, true)
    }

    fn replace<B: Body>(&mut self, before: &Record<B>, body: B, deleted: bool) -> Record<B> {
        let clock = before.clock.advanced(self.context.surface.id);
        let record = before.next(body, deleted, clock, self.at, self.author());
        let record = record.applied(self.context.env.now);
        self.counters.remove(&before.key().sort, before.usage());
        if B::KEEPS_HISTORY {
            let history_key = before.body.history_key(&before.id);
            let key = self
                .scope()
                .key(Sort::superseded(&history_key, self.sequence()));
            let copy = before.encode_at(key, IndexKeys::default());
            self.operations
                .push(Operation::Put(copy, Condition::Absent));
        }
        let matches = Condition::Matches(before.etag());
        if before.key() == record.key() {
            self.put(&record, matches);
        } else {
            self.operations
                .push(Operation::Delete(before.key().sort, matches));
            self.put(&record, Condition::Absent);
        }
        record
    }

    fn put<B: Body>(&mut self, record: &Record<B>, condition: Condition) {
        let item = record.encode_with(self.context.work_partitions);
        self.counters.add(&item.key.sort, record.usage());
        self.has_foreign_record |= item.key.scope != self.scope();
        self.changes.push(Change {
            key: item.key.sort.to_string(),
            family: B::FAMILY,
            id: record.id.to_string(),
            version: record.version(),
            checksum: record.checksum,
            deleted: record.deleted,
            permission: record.body.permission_facts().unwrap_or_default(),
        });
        self.operations.push(Operation::Put(item, condition));
    }

    /// Closes the commit with this event type and the reply to send after it.
    ///
    /// # Errors
    /// 409 if the change is too large for one commit. Other errors as for [`Commit::into_batch`].
    pub fn finish(self, event: EventType, reply: Reply) -> Result<Outcome, Problem> {
        let batch = self.answered(event, reply.status, &reply.records)?;
        Ok(Outcome::Commit(batch, reply))
    }

    /// Closes the commit with this event type and refuses the request that led to it. A repetition
    /// under the same idempotency key is answered from `records`.
    ///
    /// # Errors
    /// As [`Commit::finish`].
    pub fn reject(
        self,
        event: EventType,
        problem: Problem,
        records: &[Key],
    ) -> Result<Outcome, Problem> {
        let batch = self.answered(event, problem.kind.status(), records)?;
        Ok(Outcome::Reject(batch, problem))
    }

    /// Closes the commit of a job.
    ///
    /// # Errors
    /// As [`Commit::finish`].
    pub fn conclude<T>(self, event: EventType, result: T) -> Result<Outcome<T>, Problem> {
        let batch = self.into_batch(event)?;
        batch.check().map_err(too_large)?;
        Ok(Outcome::Commit(batch, result))
    }

    /// Closes the commit. Adds the idempotency record if the caller sent a key.
    fn answered(self, event: EventType, status: u16, records: &[Key]) -> Result<Batch, Problem> {
        let idempotency = self.context.idempotency.clone();
        let record = idempotency.map(|request| {
            let body = Idempotency {
                scope: self.scope(),
                fingerprint: request.fingerprint,
                status,
                records: records.to_vec(),
                expires_at: self.context.env.now.after(IDEMPOTENCY_RETENTION),
            };
            let clock = Clock::default().advanced(self.context.surface.id);
            Record::new(request.id, body, clock, self.at, self.author())
        });
        let mut batch = self.into_batch(event)?;
        if let Some(record) = record {
            batch.push(Operation::Put(record.encode(), Condition::Absent));
        }
        batch.check().map_err(too_large)?;
        Ok(batch)
    }

    /// Closes a commit that must precede the main decision. See [`Outcome::Prepare`].
    ///
    /// # Errors
    /// As [`Commit::into_batch`].
    pub fn prepare<T>(self, event: EventType) -> Result<Outcome<T>, Problem> {
        Ok(Outcome::Prepare(self.into_batch(event)?))
    }

    /// Closes a commit that has no reply.
    ///
    /// # Errors
    /// 500 for an event that the permit does not cover, and for a record of another scope. Both are
    /// faults of this program.
    pub fn into_batch(mut self, event: EventType) -> Result<Batch, Problem> {
        self.check(event)?;
        let (scope, author, at) = (self.scope(), self.author(), self.at);
        let surface = self.context.surface.id;
        let (seq, now) = (self.sequence(), self.context.env.now);
        let previous = match &self.head {
            Some(head) => head.body.hash,
            None => JournalEntry::GENESIS,
        };
        let entry = JournalEntry {
            scope,
            surface,
            seq,
            previous,
            at,
            applied_at: (now != at).then_some(now),
            origin: None,
            actor: author,
            request_id: self.context.request_id,
            commit_id: self.commit_id,
            event,
            changes: self.changes,
        };
        let head = Head::after(&entry, self.counters);
        // Of several commits on the same state of the head, only one can replace it.
        let head = overwrite(self.head.as_ref(), scope, head, surface, at, author);
        self.operations.push(head);
        let entry = entry.into_record();
        let entry = entry.encode_with(self.context.work_partitions);
        self.operations
            .push(Operation::Put(entry, Condition::Absent));
        Ok(Batch::new(scope, self.commit_id, self.operations))
    }

    fn check(&self, event: EventType) -> Result<(), Problem> {
        let (event_type, right) = (event.as_str(), self.permit.right());
        if !self.permit.covers(event) {
            let text = format!("a permit for `{right}` does not cover `{event_type}`");
            return Err(Problem::internal(text));
        }
        if self.has_foreign_record {
            let text = format!("`{event_type}` reaches beyond the scope of its permit");
            return Err(Problem::internal(text));
        }
        Ok(())
    }
}

fn too_large(error: TooLarge) -> Problem {
    Problem::conflict(error.to_string())
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String};

    use super::*;
    use crate::{
        operation::authority::ProjectRecords,
        record::{Project, User},
        testing::{Fixture, Person},
        value::{Capability, ProjectId, Sha256, UserId, id::Id},
    };

    /// Ana owns a project.
    struct ProjectFixture {
        base: Fixture,
        ana: Person,
        project: ProjectId,
    }

    impl ProjectFixture {
        fn new() -> Self {
            let mut fixture = Fixture::new();
            let ana = fixture.person("ana");
            let account = fixture.account(&ana);
            let project = fixture.project(&ana, &account).parse().unwrap();
            Self {
                base: fixture,
                ana,
                project,
            }
        }

        fn records(&self, project: ProjectId) -> ProjectRecords {
            self.base.project_records(project, self.ana.actor.user)
        }

        fn head(&self, scope: Scope) -> Record<Head> {
            let key = scope.key(Sort::head());
            let items = self.base.dump();
            let head = items.iter().find(|item| item.key == key).unwrap();
            Record::decode(head).unwrap()
        }

        fn permit(&self, capability: Capability) -> Permit {
            let records = self.records(self.project);
            let access = records.access(self.base.now);
            access.permit(self.project, capability).unwrap()
        }

        /// Renames a project with this permit and event type.
        fn rename(
            &mut self,
            project: ProjectId,
            permit: Permit,
            event: EventType,
        ) -> Result<Batch, Problem> {
            let records = self.records(project);
            let surface = self.base.surface.clone();
            let context = self.base.context(&surface, &self.ana, None);
            let mut commit = Commit::open(&context, permit, records.head)?;
            let before = records.project.unwrap();
            let body = Project {
                name: "Renamed".parse().unwrap(),
                ..before.body.clone()
            };
            commit.update(&before, body);
            commit.into_batch(event)
        }
    }

    fn refusal(result: Result<Batch, Problem>) -> String {
        result.unwrap_err().internal.unwrap()
    }

    #[test]
    fn commit_refuses_a_permit_for_viewing() {
        let mut fixture = ProjectFixture::new();
        let views = [
            Capability::ProjectView,
            Capability::ArtifactDownload,
            Capability::AuditView,
        ];
        for capability in views {
            let permit = fixture.permit(capability);
            let refused = fixture.rename(fixture.project, permit, EventType::ProjectUpdated);
            let expected = format!("`{capability}` opens no commit");
            assert_eq!(refusal(refused), expected);
        }
    }

    #[test]
    fn commit_refuses_an_event_its_permit_does_not_cover() {
        let mut fixture = ProjectFixture::new();
        let (project, event) = (fixture.project, EventType::ProjectUpdated);
        let edit = fixture.permit(Capability::ProjectEdit);
        assert!(fixture.rename(project, edit, event).is_ok());
        let grant = fixture.permit(Capability::GrantManage);
        assert_eq!(
            refusal(fixture.rename(project, grant, event)),
            "a permit for `grant.manage` does not cover `project.updated`"
        );
    }

    #[test]
    fn commit_refuses_the_head_of_another_scope() {
        let mut fixture = ProjectFixture::new();
        let account = format!("{}", fixture.project.account());
        let other = fixture.base.project(&fixture.ana, &account);
        let edit = fixture.permit(Capability::ProjectEdit);
        let refused = fixture.rename(other.parse().unwrap(), edit, EventType::ProjectUpdated);
        assert_eq!(refusal(refused), "the head is that of another scope");
    }

    /// Without a head, the commit fails if the account exists: see [`Commit::into_batch`].
    #[test]
    fn permit_for_a_new_account_changes_no_existing_account() {
        let fixture = ProjectFixture::new();
        let (base, account) = (&fixture.base, fixture.project.account());
        let context = base.context(&base.surface, &fixture.ana, None);
        let permit = Permit::new_account(&fixture.ana.actor, account);
        let head = fixture.head(Scope::Account(account));
        let refused = Commit::open(&context, permit.clone(), Some(head)).unwrap_err();
        let expected = "the scope of a new account exists";
        assert_eq!(refused.internal.as_deref(), Some(expected));
        let commit = Commit::open(&context, permit, None).unwrap();
        let batch = commit.into_batch(EventType::AccountCreated).unwrap();
        let head = batch.operations().iter().find(|operation| {
            matches!(operation, Operation::Put(item, _) if item.key.sort == Sort::head())
        });
        let Some(Operation::Put(_, condition)) = head else {
            panic!("{batch:?}");
        };
        assert_eq!(*condition, Condition::Absent);
    }

    #[test]
    fn commit_refuses_a_record_of_another_scope() {
        let fixture = ProjectFixture::new();
        let context = fixture
            .base
            .context(&fixture.base.surface, &fixture.ana, None);
        let permit = Permit::own_profile(&fixture.ana.actor);
        let mut commit = Commit::open(&context, permit, None).unwrap();
        let profile = User::new(&fixture.ana.actor.claims, context.env.now, Sha256::of(b""));
        commit.create(UserId::from_ulid(ulid::Ulid::nil()), profile);
        assert_eq!(
            refusal(commit.into_batch(EventType::UserUpdated)),
            "`user.updated` reaches beyond the scope of its permit"
        );
    }

    #[test]
    fn job_commit_beyond_the_limit_is_refused() {
        let fixture = ProjectFixture::new();
        let context = fixture
            .base
            .context(&fixture.base.surface, &fixture.ana, None);
        let conclude = |count: u128| {
            let user = fixture.ana.actor.user;
            let permit = Permit::fixture(Scope::User(user));
            let mut commit = Commit::open(&context, permit, None).unwrap();
            for _ in 0..count {
                let claims = &fixture.ana.actor.claims;
                let profile = User::new(claims, context.env.now, Sha256::of(b""));
                commit.create(user, profile);
            }
            commit.conclude(EventType::UserUpdated, ())
        };
        // The head and the journal entry are two more.
        assert!(conclude(88).is_ok());
        assert_eq!(
            conclude(89).unwrap_err().kind,
            crate::operation::ProblemKind::Conflict
        );
    }
}
