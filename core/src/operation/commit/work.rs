//! The writer that moves rows of unfinished work.

use alloc::{collections::BTreeMap, vec::Vec};

use super::Batch;
use crate::{
    storage::{Condition, IndexKey, Item, Operation, Scope, Work, WorkPartitions},
    value::{CommitId, Timestamp},
};

/// Moves rows of unfinished work to a later time, or to the partitions of the current layout.
///
/// It needs no permit, because it changes nothing but the row: it stores the item as read, on the
/// condition of its ETag. The ETag does not cover the row, so a row that was removed meanwhile can
/// return, and its work is then tried once more. An item without such a row stays as it is.
#[derive(Debug, Default)]
pub struct WorkWriter {
    items: BTreeMap<Scope, Vec<Operation>>,
}

impl WorkWriter {
    /// Postpones work that failed now. See [`IndexKey::postponed`].
    pub fn postpone(&mut self, item: &Item, partitions: WorkPartitions, now: Timestamp) {
        if let Some(row) = current_row(item, partitions) {
            self.put(item, row.postponed(now));
        }
    }

    /// Moves a row of format 1 to one of these partitions. Its due time stays. Returns whether the
    /// record is of a kind that can be unfinished.
    pub fn update(&mut self, item: &Item, partitions: WorkPartitions) -> bool {
        let row = current_row(item, partitions);
        row.map(|row| self.put(item, row)).is_some()
    }

    fn put(&mut self, item: &Item, row: IndexKey) {
        let condition = Condition::Matches(item.etag.clone());
        let operations = self.items.entry(item.key.scope).or_default();
        operations.push(Operation::Put(item.with_work(row), condition));
    }

    /// The batches to commit, each as large as a commit may be. Each gets a new id.
    pub fn batches(self, commit_id: impl FnMut() -> CommitId) -> Vec<Batch> {
        Batch::split(self.items, commit_id)
    }
}

/// The row of unfinished work of an item, in one of these partitions. A row that was listed before it
/// was moved does not go back.
fn current_row(item: &Item, partitions: WorkPartitions) -> Option<IndexKey> {
    let (row, kind) = (item.work()?, Work::of(&item.key)?);
    let rows = partitions.row(kind, &item.key);
    Some(rows.at(row.sort.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        storage::{IndexRows, Sort},
        testing::Fixture,
        value::id::Id,
    };

    /// Everything that one person stored who has an account with a project.
    fn items() -> Vec<Item> {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let account = fixture.account(&ana);
        fixture.project(&ana, &account);
        fixture.dump()
    }

    fn written(writer: WorkWriter) -> Vec<Operation> {
        let batches = writer.batches(|| CommitId::from_ulid(ulid::Ulid::nil()));
        let operations = batches.iter().flat_map(Batch::operations);
        operations.cloned().collect()
    }

    #[test]
    fn writer_changes_rows_of_unfinished_work_only() {
        let (now, mut moved) = (Timestamp::from_millis(1_000), 0);
        for item in items() {
            let mut writer = WorkWriter::default();
            writer.postpone(&item, WorkPartitions::default(), now);
            let expected = item.work().map(|row| {
                let postponed = item.with_work(row.postponed(now));
                Operation::Put(postponed, Condition::Matches(item.etag.clone()))
            });
            moved += usize::from(expected.is_some());
            assert_eq!(written(writer), Vec::from_iter(expected));
        }
        assert!(moved > 2);
    }

    #[test]
    fn row_of_format_1_moves_to_the_partition_of_its_kind() {
        let [first, ..] = IndexRows::unfinished_work_of_format_1();
        let mut items = items();
        items.retain(|item| item.work().is_some());
        for mut item in items {
            let current = item.clone();
            let sort = item.work().unwrap().sort.clone();
            first.clone().put_sorted(&mut item.index, sort);
            let mut writer = WorkWriter::default();
            assert!(writer.update(&item, WorkPartitions::default()));
            let condition = Condition::Matches(item.etag.clone());
            let moved = Operation::Put(current.clone(), condition);
            assert_eq!(written(writer), [moved]);
            // An item that was listed before its row was moved.
            let postponed = |item: &Item| {
                let mut writer = WorkWriter::default();
                writer.postpone(item, WorkPartitions::default(), Timestamp::from_millis(1));
                written(writer)
            };
            assert_eq!(postponed(&item), postponed(&current));
            let mut unknown = item;
            unknown.key.sort = Sort::from_stored("LATER#".into());
            assert!(!WorkWriter::default().update(&unknown, WorkPartitions::default()));
        }
    }
}
