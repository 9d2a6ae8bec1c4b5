//! The outbox: journal entries become published events. An event is published only if its entry was
//! committed.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
};

use futures_util::future::join_all;
use wm_core::{
    operation::{Batch, PublicationWriter},
    record::{CloudEvent, JournalEntry, Record},
    storage::{IndexRows, Item, Key, Work},
};

use crate::{
    Service,
    due::Due,
    ports::{CommitError, EntropyContext, Events, PortError, Provider, Records},
};

/// The result of one run of the relay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Relayed {
    /// Entries published and delivered.
    pub published: usize,
    /// Entries that are not published yet.
    pub failed: usize,
    /// Whether more entries may be ready now.
    pub more: bool,
}

impl<P: Provider> Service<P> {
    /// Publishes every due entry and passes it to `deliver`. Surfaces whose bus delivers events
    /// give an empty function. An entry counts as published after both succeed. Until then it is
    /// published again with the same event id.
    ///
    /// # Errors
    /// If unfinished work cannot be listed.
    pub async fn relay<D, F>(&self, deliver: D) -> Result<Relayed, PortError>
    where
        D: Fn(CloudEvent) -> F + Sync,
        F: Future<Output = bool> + Send,
    {
        let mut relayed = Relayed::default();
        let outbox = IndexRows::unfinished_work(Work::Outbox).into_iter();
        for rows in outbox.chain(IndexRows::unfinished_work_of_format_1()) {
            let mut due = Due::new(rows, self.provider.now());
            while let Some(items) = due.next(self.provider.records()).await? {
                let entries: Vec<Item> = items.into_iter().filter(is_entry).collect();
                let total = entries.len();
                let failed = self.publish(entries, &deliver).await.len();
                relayed.published += total - failed;
                relayed.failed += failed;
                // The next run lists what is left. A page without progress does not hide the next.
                if failed < total {
                    relayed.more |= due.has_more();
                    break;
                }
            }
        }
        Ok(relayed)
    }

    /// Publishes these journal entries of a change stream. Returns the keys of entries that are not
    /// published yet.
    pub async fn publish<D, F>(&self, items: Vec<Item>, deliver: &D) -> BTreeSet<Key>
    where
        D: Fn(CloudEvent) -> F + Sync,
        F: Future<Output = bool> + Send,
    {
        // By key, because a stream may deliver one entry twice.
        let items: BTreeMap<Key, Item> = items
            .into_iter()
            .map(|item| (item.key.clone(), item))
            .collect();
        let mut unpublished: BTreeSet<Key> = items.keys().cloned().collect();
        let entries: Vec<(Item, CloudEvent)> = items
            .into_values()
            .filter_map(|item| match Record::<JournalEntry>::decode(&item) {
                Ok(record) => Some((item, CloudEvent::of(&record.body))),
                Err(error) => {
                    tracing::error!(%error, "cannot decode a journal entry");
                    None
                }
            })
            .collect();
        if entries.is_empty() {
            return unpublished;
        }
        let events: Vec<CloudEvent> = entries.iter().map(|(_, event)| event.clone()).collect();
        let published = self.provider.events().publish(&events).await;
        let delivered = entries
            .into_iter()
            .zip(published)
            .map(|((item, event), result)| async {
                if let Err(error) = result {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::warn!(%error, cause, event = event.id, "could not publish an event");
                    return None;
                }
                deliver(event).await.then_some(item)
            });
        let done: Vec<Item> = join_all(delivered).await.into_iter().flatten().collect();
        for key in self.mark_published(&done).await {
            unpublished.remove(&key);
        }
        unpublished
    }

    /// Removes published entries from the index of unfinished work, all scopes in parallel. Returns
    /// the keys of the removed entries.
    async fn mark_published(&self, items: &[Item]) -> Vec<Key> {
        let commit_id = || self.provider.env(EntropyContext::Ephemeral).id("published");
        let mut writer = PublicationWriter::default();
        for item in items {
            if let Err(error) = writer.add(item) {
                tracing::error!(%error, "cannot mark an entry as published");
            }
        }
        let batches = writer.batches(commit_id);
        let marks = batches.iter().map(|batch| self.mark(batch));
        join_all(marks).await.into_iter().flatten().collect()
    }

    async fn mark(&self, batch: &Batch) -> Vec<Key> {
        let scope = batch.scope();
        match self.provider.records().commit(batch).await {
            Ok(()) => batch.stored().map(|item| item.key.clone()).collect(),
            Err(CommitError::Conflict) => {
                tracing::warn!(%scope, "a published entry changed meanwhile");
                Vec::new()
            }
            Err(CommitError::Failed(error)) => {
                tracing::warn!(%scope, %error, "could not mark entries as published");
                Vec::new()
            }
        }
    }
}

pub(crate) fn is_entry(item: &Item) -> bool {
    item.key.sort.is_journal()
}
