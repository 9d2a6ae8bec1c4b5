//! The outbox: journal entries become published events. An event is published only if its entry was
//! committed.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
};

use futures_util::future::join_all;
use wm_core::{
    operation::PublicationWriter,
    record::{CloudEvent, JournalEntry, Record},
    storage::{Item, Key, Work},
};

use crate::{
    Service,
    due::{Due, unfinished},
    ports::{EntropyContext, Events, PortError, PortErrorKind, Provider},
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
        let layout = self.current_layout().await?;
        for rows in unfinished(&layout, [Work::Outbox]) {
            let mut due = Due::new(rows, self.provider.now());
            while let Some(items) = due.next(self.provider.records()).await? {
                let entries: Vec<Item> = items.into_iter().filter(is_entry).collect();
                let total = entries.len();
                let published = self.try_publish(entries, &deliver).await;
                relayed.published += published.entries.len();
                relayed.failed += total - published.entries.len();
                let failed = published.failed.iter();
                self.postpone(failed, layout.work_partitions).await;
                // The next run lists what is left. A page without progress does not hide the next,
                // unless the bus does not answer at all.
                if !published.entries.is_empty() || published.is_outage {
                    relayed.more |= due.has_more() && !published.is_outage;
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
        if let Err(problem) = self.known_layout().await {
            tracing::warn!(%problem, internal = problem.internal, "left entries to be published later");
            return items.into_iter().map(|item| item.key).collect();
        }
        let mut unpublished: BTreeSet<Key> = items.iter().map(|item| item.key.clone()).collect();
        for key in self.try_publish(items, deliver).await.entries {
            unpublished.remove(&key);
        }
        unpublished
    }

    async fn try_publish<D, F>(&self, items: Vec<Item>, deliver: &D) -> Published
    where
        D: Fn(CloudEvent) -> F + Sync,
        F: Future<Output = bool> + Send,
    {
        // By key, because a stream may deliver one entry twice.
        let items: BTreeMap<Key, Item> = items
            .into_iter()
            .map(|item| (item.key.clone(), item))
            .collect();
        let mut published = Published::default();
        let mut entries: Vec<(Item, CloudEvent)> = Vec::new();
        for item in items.into_values() {
            match Record::<JournalEntry>::decode(&item) {
                Ok(record) => entries.push((item, CloudEvent::of(&record.body))),
                Err(error) => {
                    tracing::error!(%error, "cannot decode a journal entry");
                    published.failed.push(item);
                }
            }
        }
        if entries.is_empty() {
            return published;
        }
        let events: Vec<CloudEvent> = entries.iter().map(|(_, event)| event.clone()).collect();
        let results = self.provider.events().publish(&events).await;
        let is_unanswered = |result: &Result<(), PortError>| {
            let error = result.as_ref().err();
            error.is_some_and(|error| error.kind != PortErrorKind::Refused)
        };
        published.is_outage = results.iter().all(is_unanswered);
        let delivered = entries
            .into_iter()
            .zip(results)
            .map(|((item, event), result)| async {
                if let Err(error) = result {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::warn!(%error, cause, event = event.id, "could not publish an event");
                    let failed = error.kind == PortErrorKind::Refused;
                    return Err(failed.then_some(item));
                }
                if deliver(event).await {
                    Ok(item)
                } else {
                    Err(Some(item))
                }
            });
        let mut done = Vec::new();
        for result in join_all(delivered).await {
            match result {
                Ok(item) => done.push(item),
                Err(failed) => published.failed.extend(failed),
            }
        }
        published.entries = self.mark_published(&done).await;
        published
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
        self.store_rows(&batches).await
    }
}

/// The result of publishing entries. Entries that are neither published nor failed are tried again at
/// the next run: the bus was busy or did not answer, or the database did not.
#[derive(Default)]
struct Published {
    /// The entries that were published, delivered and marked.
    entries: Vec<Key>,
    /// Entries that cannot be decoded, that the bus refused, or whose delivery failed.
    failed: Vec<Item>,
    /// Whether the bus answered for no entry.
    is_outage: bool,
}

pub(crate) fn is_entry(item: &Item) -> bool {
    item.key.sort.is_journal()
}
