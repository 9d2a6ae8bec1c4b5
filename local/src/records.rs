//! The database: one SQLite file.
//!
//! One thread writes, and commits that arrive together share a sync; reads run where they are asked,
//! on connections of their own, and see every acknowledged commit.

mod bounds;
mod error;
mod reader;
pub(crate) mod schema;
mod turns;
mod writer;

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use wm_core::{
    storage::{Batch, Item, Key, List, Page, Range, Scope},
    value::Timestamp,
};
use wm_service::ports::{CommitError, PortError, Records};

pub use error::StoreError;
use reader::Readers;
use turns::Turns;
use writer::Writer;

/// The database of a node. Dropping it carries out what was asked for and closes the file.
pub struct SqliteRecords {
    path: PathBuf,
    // Dropped before the writer, whose connection, closing last, folds the log into the file.
    readers: Readers,
    writer: Writer,
    turns: Turns,
}

impl SqliteRecords {
    /// Opens the database in this file, creating it where there is none. One process at a time: a
    /// node opens it through its [`crate::data_directory::DataDirectory`], which sees to that.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::start(path, schema::open(path)?)
    }

    /// Serves from a connection that may write.
    pub(crate) fn start(path: &Path, connection: Connection) -> Result<Self, StoreError> {
        Ok(Self {
            path: path.into(),
            readers: Readers::open(path)?,
            writer: Writer::start(connection, path.into())?,
            turns: Turns::default(),
        })
    }

    /// Forgets items whose `expires_at` has come, and tells how many. Until then reads still return
    /// them, as other databases do too.
    ///
    /// # Errors
    /// As a commit.
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

    async fn commit(&self, batch: &Batch) -> Result<(), CommitError> {
        self.writer.commit(batch.clone()).await
    }

    async fn turn(&self, scope: Scope) -> impl Send {
        self.turns.take(scope).await
    }
}
