//! The local surface, with all ports.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::sync::Notify;
use wm_core::{
    operation::Batch,
    storage::{Item, Key, List, Page, Range, Scope},
    value::{Env, Timestamp},
};
use wm_service::{
    EnvSource,
    clock::now,
    ports::{CommitError, EntropyContext, PortError, Provider, Records},
};

use crate::{
    artifacts::LocalArtifacts, data_directory::DataDirectory, events::EventLog, identity::Issuer,
    mail::Maildir,
};

/// All ports over one data directory.
pub struct Local {
    pub(super) records: NotifyingRecords,
    pub(super) artifacts: LocalArtifacts,
    pub(super) issuer: Arc<Issuer>,
    pub(super) events: EventLog,
    pub(super) mail: Maildir,
    pub(super) env: Arc<EnvSource>,
}

impl Provider for Local {
    type Records = NotifyingRecords;
    type Artifacts = LocalArtifacts;
    type Keys = Issuer;
    type Events = EventLog;
    type Mail = Maildir;

    fn records(&self) -> &NotifyingRecords {
        &self.records
    }

    fn artifacts(&self) -> &LocalArtifacts {
        &self.artifacts
    }

    fn keys(&self) -> &Issuer {
        &self.issuer
    }

    fn events(&self) -> &EventLog {
        &self.events
    }

    fn mail(&self) -> &Maildir {
        &self.mail
    }

    fn env(&self, context: EntropyContext<'_>) -> Env {
        self.env.env(context)
    }

    fn now(&self) -> Timestamp {
        now()
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(duration)
    }
}

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

    async fn commit(&self, batch: &Batch) -> Result<(), CommitError> {
        let committed = self.directory.records.commit(batch).await;
        self.committed.notify_one();
        committed
    }

    async fn turn(&self, scope: Scope) -> impl Send {
        self.directory.records.turn(scope).await
    }
}
