//! The local surface, with all ports.

use std::sync::Arc;

use tokio::{sync::Notify, time::Sleep};
use wm_core::{
    operation::Batch,
    storage::{Item, Key, List, Page, Range, Scope, ScopePage},
};
use wm_service::ports::{CommitError, PortError, Ports, Records};

use crate::{
    artifacts::LocalArtifacts, data_directory::DataDirectory, events::EventLog, identity::Issuer,
    mail::Maildir,
};

/// All ports over one data directory.
pub type Local = Ports<NotifyingRecords, LocalArtifacts, Issuer, EventLog, Maildir, Sleep>;

/// The database. It notifies the relay of every commit, like the change stream of a cloud.
pub struct NotifyingRecords {
    /// Owns the lock on the directory. The sweep shares it to collect garbage.
    pub(super) directory: Arc<DataDirectory>,
    pub(super) committed: Arc<Notify>,
}

impl Records for NotifyingRecords {
    async fn get(&self, key: &Key) -> Result<Option<Item>, PortError> {
        self.directory.records.get(key).await
    }

    async fn scan(&self, range: &Range) -> Result<Page, PortError> {
        self.directory.records.scan(range).await
    }

    async fn list(&self, list: &List) -> Result<Page, PortError> {
        self.directory.records.list(list).await
    }

    async fn scopes(&self, after: Option<Scope>) -> Result<ScopePage, PortError> {
        self.directory.records.scopes(after).await
    }

    async fn commit(&self, batch: &Batch) -> Result<(), CommitError> {
        let committed = self.directory.records.commit(batch).await;
        self.committed.notify_one();
        committed
    }

    async fn lock_scope(&self, scope: Scope) -> impl Send {
        self.directory.records.lock_scope(scope).await
    }
}
