//! The writer that marks journal entries as published.

use alloc::{collections::BTreeMap, vec::Vec};

use super::Batch;
use crate::{
    storage::{Condition, IndexKeys, Item, Operation, Scope},
    value::CommitId,
};

/// Removes published journal entries from the index of unfinished work. The content of the entries
/// does not change.
#[derive(Debug, Default)]
pub struct PublicationWriter {
    entries: BTreeMap<Scope, Vec<Operation>>,
}

impl PublicationWriter {
    /// Creates the writer for these items as read. It ignores items that are not journal entries.
    #[must_use]
    pub fn new(items: Vec<Item>) -> Self {
        let mut entries: BTreeMap<Scope, Vec<Operation>> = BTreeMap::new();
        for item in items {
            if item.key.sort.is_journal() {
                let condition = Condition::Matches(item.etag.clone());
                let scope = item.key.scope;
                let item = Item {
                    index: IndexKeys::default(),
                    ..item
                };
                let operations = entries.entry(scope).or_default();
                operations.push(Operation::Put(item, condition));
            }
        }
        Self { entries }
    }

    /// The batches to commit, each as large as a commit may be. Each gets a new id.
    pub fn batches(self, mut commit_id: impl FnMut() -> CommitId) -> Vec<Batch> {
        let mut batches = Vec::new();
        for (scope, operations) in self.entries {
            for chunk in operations.chunks(Batch::OPERATIONS) {
                batches.push(Batch::new(scope, commit_id(), chunk.to_vec()));
            }
        }
        batches
    }
}
