//! Writes: one thread owns the writing connection, and concurrent commits share a sync.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread::{self, JoinHandle},
};

use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use tokio::sync::{mpsc, oneshot};
use wm_core::{
    operation::Batch,
    storage::{Condition, Item, Operation, Scope},
    value::Timestamp,
};
use wm_service::ports::{CommitError, PortError};

use super::StoreError;

/// The maximum number of commits that share one sync.
const GROUP: usize = 64;

/// The maximum number of waiting commits. Further writers wait until the queue has room.
const QUEUE: usize = 256;

/// The maximum number of expired items deleted in one transaction.
const GARBAGE: u32 = 500;

/// A request to the writer.
enum Work {
    Commit(Batch),
    /// Deletes some items that have expired by this time.
    Collect(Timestamp),
}

/// The number of changed rows. `None` if a condition did not hold.
type Changed = Option<usize>;

struct Job {
    work: Work,
    answer: oneshot::Sender<Result<Changed, PortError>>,
}

/// The channel to the writer thread. Dropping it waits until all queued work is done.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Connection, path: PathBuf) -> Result<Self, StoreError> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let thread = thread::Builder::new().name("records-writer".into());
        let thread = thread
            .spawn({
                let path = path.clone();
                move || run(connection, queue, &path)
            })
            .map_err(|source| StoreError::File { path, source })?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    pub(super) async fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        let changed = self.submit(Work::Commit(batch)).await;
        match changed.map_err(CommitError::Failed)? {
            Some(_) => Ok(()),
            None => Err(CommitError::Conflict),
        }
    }

    /// Deletes all expired items in small transactions, so that commits can run between them.
    pub(super) async fn collect_garbage(&self, now: Timestamp) -> Result<u64, PortError> {
        let mut forgotten = 0;
        loop {
            let some = self.submit(Work::Collect(now)).await?.unwrap_or_default();
            forgotten += some as u64;
            if some < GARBAGE as usize {
                return Ok(forgotten);
            }
        }
    }

    async fn submit(&self, work: Work) -> Result<Changed, PortError> {
        let (answer, answered) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or(StoreError::Closing)?;
        let sent = jobs.send(Job { work, answer }).await;
        sent.map_err(|_| StoreError::Closing)?;
        answered.await.map_err(|_| StoreError::Closing)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // The thread ends after the channel is closed, and closes the file.
            let _ = thread.join();
        }
    }
}

fn run(mut connection: Connection, mut queue: mpsc::Receiver<Job>, path: &Path) {
    while let Some(first) = queue.blocking_recv() {
        let waiting = std::iter::from_fn(|| queue.try_recv().ok()).take(GROUP - 1);
        let group: Vec<Job> = std::iter::once(first).chain(waiting).collect();
        carry_out(&mut connection, group, path);
    }
}

/// Runs a group and answers each request. Requests without a waiting caller are skipped.
fn carry_out(connection: &mut Connection, group: Vec<Job>, path: &Path) {
    match transact(connection, &group) {
        Ok(results) => {
            for (job, changed) in group.into_iter().zip(results) {
                let _ = job.answer.send(Ok(changed));
            }
        }
        Err(error) => {
            let error = Arc::new(StoreError::new(path, error));
            for job in group {
                let failure = PortError::new(error.kind(), error.clone());
                let _ = job.answer.send(Err(failure));
            }
        }
    }
}

/// Runs one transaction with one sync for the whole group. A batch whose conditions do not hold is
/// rolled back alone. After an error, no commit of the group is acknowledged.
fn transact(connection: &mut Connection, group: &[Job]) -> rusqlite::Result<Vec<Changed>> {
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut results = Vec::with_capacity(group.len());
    for job in group {
        results.push(match &job.work {
            Work::Commit(batch) => apply(&mut transaction, batch)?,
            Work::Collect(now) => Some(collect(&transaction, *now)?),
        });
    }
    if results.iter().all(Option::is_none) {
        // Without the rollback, pages that were changed and changed back would be written.
        transaction.rollback()?;
    } else {
        transaction.commit()?;
    }
    Ok(results)
}

fn apply(transaction: &mut Transaction<'_>, batch: &Batch) -> rusqlite::Result<Changed> {
    let savepoint = transaction.savepoint()?;
    let scope = batch.scope().to_string();
    for operation in batch.operations() {
        if !carry_out_one(&savepoint, batch.scope(), &scope, operation)? {
            // Dropping the savepoint rolls back to it.
            return Ok(None);
        }
    }
    savepoint.commit()?;
    Ok(Some(batch.operations().len()))
}

/// Runs an operation if its condition holds. Returns whether it held.
fn carry_out_one(
    connection: &Connection,
    scope: Scope,
    partition: &str,
    operation: &Operation,
) -> rusqlite::Result<bool> {
    let run = |sql: &str, params: &[&dyn rusqlite::ToSql]| {
        connection.prepare_cached(sql)?.execute(params)
    };
    match operation {
        Operation::Put(item, _) if item.key.scope != scope => Ok(false),
        Operation::Put(item, condition) => Ok(put(connection, partition, item, condition)? == 1),
        Operation::Delete(sort, Condition::Matches(etag)) => {
            let sql = "DELETE FROM items WHERE pk = ?1 AND sk = ?2 AND etag = ?3";
            Ok(run(sql, params![partition, sort.as_str(), etag.as_str()])? == 1)
        }
        Operation::Delete(sort, Condition::Absent) => {
            let sql = "DELETE FROM items WHERE pk = ?1 AND sk = ?2";
            Ok(run(sql, params![partition, sort.as_str()])? == 0)
        }
    }
}

const INSERT: &str = "INSERT INTO items VALUES \
    (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) ON CONFLICT DO NOTHING";

const UPDATE: &str = "UPDATE items SET etag = ?3, body = ?4, expires_at = ?5, \
    gsi1pk = ?6, gsi1sk = ?7, gsi2pk = ?8, gsi2sk = ?9, gsi3pk = ?10, gsi3sk = ?11, \
    gsi4pk = ?12, gsi4sk = ?13 WHERE pk = ?1 AND sk = ?2 AND etag = ?14";

fn put(
    connection: &Connection,
    partition: &str,
    item: &Item,
    condition: &Condition,
) -> rusqlite::Result<usize> {
    let (sql, etag) = match condition {
        Condition::Absent => (INSERT, None),
        Condition::Matches(etag) => (UPDATE, Some(etag.as_str())),
    };
    let mut statement = connection.prepare_cached(sql)?;
    // Parameters 6 to 13 are the keys of the four indexes. Parameter 14 is the expected ETag.
    let index = item.index.iter().flat_map(|key| {
        let key = key.as_ref();
        [key.map(|key| &key.partition), key.map(|key| &key.sort)]
    });
    statement.raw_bind_parameter(1, partition)?;
    statement.raw_bind_parameter(2, item.key.sort.as_str())?;
    statement.raw_bind_parameter(3, item.etag.as_str())?;
    statement.raw_bind_parameter(4, &item.body)?;
    statement.raw_bind_parameter(5, item.expires_at.map(Timestamp::millis))?;
    for (number, text) in (6..).zip(index) {
        statement.raw_bind_parameter(number, text)?;
    }
    if etag.is_some() {
        statement.raw_bind_parameter(14, etag)?;
    }
    statement.raw_execute()
}

fn collect(connection: &Connection, now: Timestamp) -> rusqlite::Result<usize> {
    let sql = "DELETE FROM items WHERE rowid IN \
        (SELECT rowid FROM items WHERE expires_at <= ?1 LIMIT ?2)";
    connection
        .prepare_cached(sql)?
        .execute((now.millis(), GARBAGE))
}
