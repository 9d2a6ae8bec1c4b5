//! Building a commit: records, their history, one journal entry and the head, in one batch.

use alloc::{string::ToString, vec, vec::Vec};
use core::time::Duration;

use crate::{
    operation::{Context, Outcome, Problem, Reply},
    permission::Permit,
    record::{
        Author, Body, Change, Clock, EventType, Head, Idempotency, JournalEntry, Record, Sequence,
    },
    storage::{Batch, Condition, IndexKeys, Operation, Scope, Sort},
    value::{CommitId, Timestamp},
};

/// How long an idempotency key is remembered: one day.
pub const IDEMPOTENCY_RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

/// The batch that files one link in a scope of its own, if nobody was there first. Such a scope
/// holds this one record, created once, so it has neither head nor journal.
#[must_use]
pub fn link<B: Body>(context: &Context<'_>, permit: Permit, id: B::Id, body: B) -> Batch {
    let clock = Clock::default().advanced(context.surface.id);
    let record = Record::new(id, body, clock, context.env.now, permit.author());
    Batch {
        scope: permit.scope(),
        commit_id: context.env.id("link"),
        operations: vec![Operation::Put(record.encode(), Condition::Absent)],
    }
}

/// A commit under construction, in one journalled scope.
///
/// It can only be opened with a [`Permit`] for that scope and the scope's head as read, and it is
/// closed by naming what happened, so nothing is written without permission, order and journal.
#[derive(Debug)]
pub struct Commit<'a> {
    context: &'a Context<'a>,
    author: Author,
    scope: Scope,
    commit_id: CommitId,
    at: Timestamp,
    head: Option<Record<Head>>,
    operations: Vec<Operation>,
    changes: Vec<Change>,
}

impl<'a> Commit<'a> {
    /// Opens a commit in the permit's scope. `head` is the scope's head as read, `None` for a new
    /// scope.
    #[must_use]
    pub fn open(context: &'a Context<'a>, permit: Permit, head: Option<Record<Head>>) -> Self {
        let at = head
            .as_ref()
            .map_or(context.env.now, |head| context.env.now.max(head.body.at));
        Self {
            context,
            author: permit.author(),
            scope: permit.scope(),
            commit_id: context.env.id("commit"),
            at,
            head,
            operations: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// The time of the commit: now, or that of the scope's last commit if clocks went back.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Adds a record that must not exist yet.
    pub fn create<B: Body>(&mut self, id: B::Id, body: B) -> Record<B> {
        let clock = Clock::default().advanced(self.context.surface.id);
        let record = Record::new(id, body, clock, self.at, self.author);
        self.put(&record, Condition::Absent);
        record
    }

    /// Changes a record. Its superseded state goes to `HISTORY#` where the family keeps history,
    /// and a record whose key changes (a revoked grant) moves.
    pub fn update<B: Body>(&mut self, before: &Record<B>, body: B) -> Record<B> {
        self.replace(before, body, false)
    }

    /// Marks a record deleted.
    pub fn delete<B: Body>(&mut self, before: &Record<B>) -> Record<B> {
        self.replace(before, before.body.clone(), true)
    }

    fn replace<B: Body>(&mut self, before: &Record<B>, body: B, deleted: bool) -> Record<B> {
        let clock = before.clock.advanced(self.context.surface.id);
        let record = before.next(body, deleted, clock, self.at, self.author);
        if B::KEEPS_HISTORY {
            let place = before.body.history_place(&before.id);
            let key = self.scope.key(Sort::superseded(&place, before.version));
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
        let item = record.encode();
        self.changes.push(Change {
            key: item.key.sort.to_string(),
            family: B::FAMILY,
            id: record.id.to_string(),
            version: record.version,
            checksum: record.checksum,
            deleted: record.deleted,
            permission: record.body.permission_facts().unwrap_or_default(),
        });
        self.operations.push(Operation::Put(item, condition));
    }

    /// Closes the commit under what happened, together with the answer it is for.
    ///
    /// # Errors
    /// 409 when the change is too large for one commit.
    pub fn finish(self, event: EventType, reply: Reply) -> Result<Outcome, Problem> {
        let idempotency = self.context.idempotency.clone();
        let record = idempotency.map(|request| {
            let body = Idempotency {
                scope: self.scope,
                fingerprint: request.fingerprint,
                status: reply.status,
                records: reply.records.clone(),
                expires_at: self.context.env.now.after(IDEMPOTENCY_RETENTION),
            };
            let clock = Clock::default().advanced(self.context.surface.id);
            Record::new(request.id, body, clock, self.at, self.author)
        });
        let mut batch = self.seal(event);
        if let Some(record) = record {
            batch
                .operations
                .push(Operation::Put(record.encode(), Condition::Absent));
        }
        batch
            .check()
            .map_err(|error| Problem::conflict(error.to_string()))?;
        Ok(Outcome::Commit(batch, reply))
    }

    /// Closes a commit that must precede the decision proper; see [`Outcome::Prepare`].
    #[must_use]
    pub fn prepare(self, event: EventType) -> Outcome {
        Outcome::Prepare(self.seal(event))
    }

    /// Closes a commit that nobody waits for an answer to.
    #[must_use]
    pub fn seal(mut self, event: EventType) -> Batch {
        let surface = self.context.surface.id;
        let (seq, previous) = match &self.head {
            Some(head) => (head.body.seq.saturating_add(1), head.body.hash),
            None => (1, JournalEntry::GENESIS),
        };
        let entry = JournalEntry {
            scope: self.scope,
            surface,
            seq,
            previous,
            at: self.at,
            actor: self.author,
            request_id: self.context.request_id,
            commit_id: self.commit_id,
            event,
            changes: self.changes,
        };
        let head = Head {
            scope: self.scope,
            surface,
            seq,
            hash: entry.hash(),
            at: self.at,
        };
        let clock = Clock::default().advanced(surface);
        let entry = Record::new(Sequence(seq), entry, clock.clone(), self.at, self.author);
        let (head, condition) = match &self.head {
            None => (
                Record::new(self.scope, head, clock, self.at, self.author),
                Condition::Absent,
            ),
            Some(before) => {
                let clock = before.clock.advanced(surface);
                (
                    before.next(head, false, clock, self.at, self.author),
                    Condition::Matches(before.etag()),
                )
            }
        };
        self.operations
            .push(Operation::Put(head.encode(), condition));
        self.operations
            .push(Operation::Put(entry.encode(), Condition::Absent));
        Batch {
            scope: self.scope,
            commit_id: self.commit_id,
            operations: self.operations,
        }
    }
}
