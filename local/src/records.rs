//! The database: one SQLite file.
//!
//! One thread writes, and concurrent commits share a sync. Reads run on the calling thread with
//! their own connections and see every acknowledged commit.

mod error;
mod reader;
pub(crate) mod schema;
mod scope_locks;
mod writer;

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use wm_core::{
    operation::Batch,
    storage::{Item, Key, List, Page, Range, Scope, ScopePage},
    value::Timestamp,
};
use wm_service::ports::{CommitError, PortError, Records};

pub use error::StoreError;
use reader::Readers;
use scope_locks::ScopeLocks;
use writer::Writer;

/// The database of a node. Dropping it finishes the queued work and closes the file.
pub struct SqliteRecords {
    path: PathBuf,
    // Dropped before the writer: the connection that closes last writes the log back into the file.
    readers: Readers,
    writer: Writer,
    scope_locks: ScopeLocks,
}

impl SqliteRecords {
    /// Opens the database in this file. Creates a missing file. Only one process may open it at a
    /// time. [`crate::data_directory::DataDirectory`] ensures that for a node.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::start(path, schema::open(path)?)
    }

    /// Starts the readers and the writer with this writing connection.
    pub(crate) fn start(path: &Path, connection: Connection) -> Result<Self, StoreError> {
        Ok(Self {
            path: path.into(),
            readers: Readers::open(path)?,
            writer: Writer::start(connection, path.into())?,
            scope_locks: ScopeLocks::default(),
        })
    }

    /// Deletes items whose `expires_at` has passed, and returns their number. Until then, reads
    /// still return them, as other databases do.
    ///
    /// # Errors
    /// As for a commit.
    pub async fn collect_garbage(&self, now: Timestamp) -> Result<u64, PortError> {
        self.writer.collect_garbage(now).await
    }

    fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, PortError> {
        let read = self.readers.read(query);
        read.map_err(|error| StoreError::new(&self.path, error).into())
    }
}

impl Records for SqliteRecords {
    async fn get(&self, key: &Key) -> Result<Option<Item>, PortError> {
        self.read(|connection| reader::get(connection, key))
    }

    async fn scan(&self, range: &Range) -> Result<Page, PortError> {
        self.read(|connection| reader::scan(connection, range))
    }

    async fn list(&self, list: &List) -> Result<Page, PortError> {
        self.read(|connection| reader::list(connection, list))
    }

    async fn scopes(&self, after: Option<Scope>) -> Result<ScopePage, PortError> {
        self.read(|connection| reader::scopes(connection, after))
    }

    async fn commit(&self, batch: &Batch) -> Result<(), CommitError> {
        self.writer.commit(batch.clone()).await
    }

    async fn lock_scope(&self, scope: Scope) -> impl Send {
        self.scope_locks.take(scope).await
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use wm_core::{
        storage::{Condition, ETag, Operation, Sort},
        value::{AccountId, CommitId, Sha256, id::Id},
    };
    use wm_service::ports::PortErrorKind;

    use super::*;

    fn one(number: u32) -> Batch {
        let ulid = wm_core::value::id::ulid_at(Timestamp::default(), &[7; 32]);
        let scope = Scope::Account(AccountId::from_ulid(ulid));
        let item = Item {
            key: scope.key(Sort::from_stored(format!("{number:06}"))),
            index: Default::default(),
            etag: ETag::new(Sha256::of(b"state")),
            body: "x".repeat(5_000),
            expires_at: Some(Timestamp::default()),
        };
        let operations = vec![Operation::Put(item, Condition::Absent)];
        Batch::unchecked(scope, CommitId::from_ulid(ulid), operations)
    }

    fn failure(result: Result<(), CommitError>) -> (PortErrorKind, String) {
        let Err(CommitError::Failed(error)) = result else {
            panic!("{result:?}")
        };
        (error.kind, error.source().unwrap().to_string())
    }

    async fn count(store: &SqliteRecords) -> usize {
        let page = store.scan(&Range::all(one(0).scope(), "")).await.unwrap();
        page.items.len()
    }

    #[tokio::test]
    async fn case_66_full_database_keeps_its_data_and_recovers() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("workspace.sqlite");
        let connection = schema::open(&path).unwrap();
        connection
            .pragma_update(None, "max_page_count", 100)
            .unwrap();
        let store = SqliteRecords::start(&path, connection).unwrap();
        let mut kept = 0;
        let full = loop {
            match store.commit(&one(kept)).await {
                Ok(()) => kept += 1,
                full => break failure(full),
            }
        };
        assert_eq!(full.0, PortErrorKind::Full);
        assert!(
            full.1.contains("there is no space left for the database"),
            "{}",
            full.1
        );
        assert_eq!(count(&store).await, kept as usize);
        assert_eq!(
            store.collect_garbage(Timestamp::default()).await.unwrap(),
            u64::from(kept)
        );
        store.commit(&one(kept)).await.unwrap();
        assert_eq!(count(&store).await, 1);
    }

    #[tokio::test]
    async fn case_66_read_only_database_can_be_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("workspace.sqlite");
        let store = SqliteRecords::open(&path).unwrap();
        store.commit(&one(1)).await.unwrap();
        drop(store);
        let connection = schema::open(&path).unwrap();
        connection.pragma_update(None, "query_only", true).unwrap();
        let store = SqliteRecords::start(&path, connection).unwrap();
        let (kind, text) = failure(store.commit(&one(2)).await);
        assert_eq!(kind, PortErrorKind::Unavailable);
        assert!(text.contains("give this user write access"), "{text}");
        assert_eq!(count(&store).await, 1);
    }
}
