//! The outbox: journal entries become published events, each if and only if it was committed.

use std::{collections::BTreeMap, future::Future};

use futures_util::future::join_all;
use wm_core::{
    cloud_event::CloudEvent,
    model::{JournalEntry, Record, WORK_SHARDS, work_partition},
    storage::{Batch, Condition, Index, IndexKeys, Item, List, Operation, Scope, Sort},
    value::Timestamp,
};

use crate::{
    Service,
    ports::{CommitError, Events, PortError, Provider, Records},
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
            let entries = items.into_iter().filter(is_entry).collect();
            let outcome = self.publish(entries, &deliver).await;
            relayed.published += outcome.published;
            relayed.failed += outcome.failed;
            relayed.more |= more && outcome.published > 0;
        }
        Ok(relayed)
    }

    /// Publishes these journal entries, as a change stream hands them over.
    pub async fn publish<D, F>(&self, items: Vec<Item>, deliver: &D) -> Relayed
    where
        D: Fn(CloudEvent) -> F + Sync,
        F: Future<Output = bool> + Send,
    {
        let entries: Vec<(Item, CloudEvent)> = items
            .into_iter()
            .filter_map(|item| match Record::<JournalEntry>::decode(&item) {
                Ok(record) => Some((item, CloudEvent::of(&record.body))),
                Err(error) => {
                    tracing::error!(%error, "a journal entry cannot be published");
                    None
                }
            })
            .collect();
        let events: Vec<CloudEvent> = entries.iter().map(|(_, event)| event.clone()).collect();
        let total = events.len();
        if total == 0 {
            return Relayed::default();
        }
        let published = self.provider.events().publish(&events).await;
        let delivered = entries
            .into_iter()
            .zip(published)
            .map(|((item, event), result)| async {
                if let Err(error) = result {
                    tracing::warn!(%error, event = event.id, "an event was not taken");
                    return None;
                }
                deliver(event).await.then_some(item)
            });
        let done: Vec<Item> = join_all(delivered).await.into_iter().flatten().collect();
        let marked = self.mark_published(done).await;
        Relayed {
            published: marked,
            failed: total - marked,
            more: false,
        }
    }

    /// Takes published entries out of the index of unfinished work.
    async fn mark_published(&self, items: Vec<Item>) -> usize {
        let mut scopes: BTreeMap<Scope, Vec<Operation>> = BTreeMap::new();
        for item in items {
            let condition = Condition::Matches(item.etag.clone());
            let item = Item {
                index: IndexKeys::default(),
                ..item
            };
            scopes
                .entry(item.key.scope)
                .or_default()
                .push(Operation::Put(item, condition));
        }
        let commit_id = self.provider.env().id("published");
        let mut marked = 0;
        for (scope, operations) in scopes {
            for chunk in operations.chunks(Batch::OPERATIONS) {
                let batch = Batch {
                    scope,
                    commit_id,
                    operations: chunk.to_vec(),
                };
                match self.provider.records().commit(&batch).await {
                    Ok(()) => marked += chunk.len(),
                    Err(CommitError::Conflict) => {
                        tracing::warn!(%scope, "a published entry is not as it was");
                    }
                    Err(CommitError::Failed(error)) => {
                        tracing::warn!(%scope, %error, "published entries were not marked");
                    }
                }
            }
        }
        marked
    }

    /// Unfinished work of a shard that is due, and whether there is more of it.
    pub(crate) async fn due(&self, shard: u8) -> Result<(Vec<Item>, bool), PortError> {
        let list = List {
            index: Index::Gsi1,
            partition: work_partition(shard),
            prefix: String::new(),
            after: None,
            until: Some(due_until(self.provider.env().now)),
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
    item.key.sort.as_str().starts_with(Sort::JOURNAL)
}
