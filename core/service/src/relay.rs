//! The outbox: journal entries become published events, each if and only if it was committed.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
};

use futures_util::future::join_all;
use wm_core::{
    operation::{Batch, PublicationWriter},
    record::{CloudEvent, JournalEntry, Record, WORK_SHARDS, work_partition},
    storage::{Index, Item, Key, List},
    value::Timestamp,
};

use crate::{
    Service,
    ports::{CommitError, EntropyContext, Events, PortError, Provider, Records},
};

/// Rows of unfinished work read at a time, per shard.
const PAGE: u32 = 200;

/// What one run of the relay did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Relayed {
    /// Entries published and delivered.
    pub published: usize,
    /// Entries that stay unpublished for now.
    pub failed: usize,
    /// Whether there may be more to publish right away.
    pub more: bool,
}

impl<P: Provider> Service<P> {
    /// Publishes every entry that is due and delivers it with `deliver`, which surfaces whose bus
    /// delivers by itself leave empty. An entry counts as published once both went well; until then
    /// it is published again, under the same event id.
    ///
    /// # Errors
    /// When unfinished work cannot be listed.
    pub async fn relay<D, F>(&self, deliver: D) -> Result<Relayed, PortError>
    where
        D: Fn(CloudEvent) -> F + Sync,
        F: Future<Output = bool> + Send,
    {
        let mut relayed = Relayed::default();
        for shard in 0..WORK_SHARDS {
            let (items, more) = self.due(shard).await?;
            let entries: Vec<Item> = items.into_iter().filter(is_entry).collect();
            let total = entries.len();
            let failed = self.publish(entries, &deliver).await.len();
            relayed.published += total - failed;
            relayed.failed += failed;
            relayed.more |= more && failed < total;
        }
        Ok(relayed)
    }

    /// Publishes these journal entries, as a change stream hands them over. Answers the keys of those
    /// that stay unpublished for now.
    pub async fn publish<D, F>(&self, items: Vec<Item>, deliver: &D) -> BTreeSet<Key>
    where
        D: Fn(CloudEvent) -> F + Sync,
        F: Future<Output = bool> + Send,
    {
        // By key, because a stream may hand one entry over twice.
        let items: BTreeMap<Key, Item> = items
            .into_iter()
            .map(|item| (item.key.clone(), item))
            .collect();
        let mut left: BTreeSet<Key> = items.keys().cloned().collect();
        let entries: Vec<(Item, CloudEvent)> = items
            .into_values()
            .filter_map(|item| match Record::<JournalEntry>::decode(&item) {
                Ok(record) => Some((item, CloudEvent::of(&record.body))),
                Err(error) => {
                    tracing::error!(%error, "a journal entry cannot be published");
                    None
                }
            })
            .collect();
        if entries.is_empty() {
            return left;
        }
        let events: Vec<CloudEvent> = entries.iter().map(|(_, event)| event.clone()).collect();
        let published = self.provider.events().publish(&events).await;
        let delivered = entries
            .into_iter()
            .zip(published)
            .map(|((item, event), result)| async {
                if let Err(error) = result {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::warn!(%error, cause, event = event.id, "an event was not taken");
                    return None;
                }
                deliver(event).await.then_some(item)
            });
        let done: Vec<Item> = join_all(delivered).await.into_iter().flatten().collect();
        for key in self.mark_published(done).await {
            left.remove(&key);
        }
        left
    }

    /// Takes published entries out of the index of unfinished work, all scopes side by side, answering
    /// which are out of it.
    async fn mark_published(&self, items: Vec<Item>) -> Vec<Key> {
        let commit_id = || self.provider.env(EntropyContext::Ephemeral).id("published");
        let batches = PublicationWriter::new(items).batches(commit_id);
        let marks = batches.iter().map(|batch| self.mark(batch));
        join_all(marks).await.into_iter().flatten().collect()
    }

    async fn mark(&self, batch: &Batch) -> Vec<Key> {
        let scope = batch.scope();
        match self.provider.records().commit(batch).await {
            Ok(()) => batch.stored().map(|item| item.key.clone()).collect(),
            Err(CommitError::Conflict) => {
                tracing::warn!(%scope, "a published entry is not as it was");
                Vec::new()
            }
            Err(CommitError::Failed(error)) => {
                tracing::warn!(%scope, %error, "published entries were not marked");
                Vec::new()
            }
        }
    }

    /// Unfinished work of a shard that is due, and whether there is more of it.
    pub(crate) async fn due(&self, shard: u8) -> Result<(Vec<Item>, bool), PortError> {
        let list = List {
            index: Index::Gsi1,
            partition: work_partition(shard),
            prefix: String::new(),
            after: None,
            until: Some(due_until(self.provider.now())),
            limit: PAGE,
        };
        let page = self.provider.records().list(&list).await?;
        Ok((page.items, page.more))
    }
}

/// The greatest index sort key of work due by now: `~` sorts after the `#` behind the time.
fn due_until(now: Timestamp) -> String {
    format!("{:020}~", now.millis())
}

pub(crate) fn is_entry(item: &Item) -> bool {
    item.key.sort.is_journal()
}
