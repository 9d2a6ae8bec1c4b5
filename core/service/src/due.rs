//! Due unfinished work, page by page, and its postponement.

use futures_util::future::join_all;
use wm_core::{
    operation::{Batch, WorkWriter},
    record::Layout,
    storage::{IndexRows, Item, Key, List, Work, WorkPartitions},
    value::Timestamp,
};

use crate::{
    Service,
    ports::{CommitError, EntropyContext, PortError, Provider, Records},
};

/// The number of rows of one page.
const PAGE: u32 = 200;
/// The maximum number of pages that one run reads of one partition. A later run starts again with the
/// rows that are due longest.
const PAGES: usize = 25;
/// The number of commits at once that change index rows only.
const COMMITS: usize = 25;

/// The due rows of one partition. Each page begins after the last row of the page before, so rows
/// whose work fails do not hide the rows after them.
pub(crate) struct Due {
    list: List,
    /// The number of pages that may still be read.
    left: usize,
}

impl Due {
    pub(crate) fn new(rows: IndexRows, now: Timestamp) -> Self {
        Self {
            list: rows.list_until(now, PAGE),
            left: PAGES,
        }
    }

    /// Whether there may be another page.
    pub(crate) fn has_more(&self) -> bool {
        self.left > 0
    }

    /// Reads the next page. `None` after the last one.
    ///
    /// # Errors
    /// If the page cannot be read.
    pub(crate) async fn next(
        &mut self,
        records: &impl Records,
    ) -> Result<Option<Vec<Item>>, PortError> {
        if self.left == 0 {
            return Ok(None);
        }
        let page = records.list(&self.list).await?;
        match self.list.end_of(&page) {
            Some(row) => {
                self.list.after = Some(row.to_owned());
                self.left -= 1;
            }
            None => self.left = 0,
        }
        Ok(Some(page.items))
    }
}

/// The rows of these kinds of unfinished work, in every partition. Until data of format 1 is brought
/// up to date, its partitions are among them, and have rows of all kinds.
pub(crate) fn unfinished(
    layout: &Layout,
    kinds: impl IntoIterator<Item = Work>,
) -> impl Iterator<Item = IndexRows> {
    let kinds = kinds.into_iter();
    let current = kinds.flat_map(|kind| layout.work_partitions.rows(kind));
    let of_format_1 = layout
        .has_rows_of_format_1()
        .then(IndexRows::unfinished_work_of_format_1);
    current.chain(of_format_1.into_iter().flatten())
}

impl<P: Provider> Service<P> {
    /// Postpones work that failed.
    pub(crate) async fn postpone(
        &self,
        items: impl IntoIterator<Item = &Item>,
        partitions: WorkPartitions,
    ) {
        let mut writer = WorkWriter::default();
        for item in items {
            writer.postpone(item, partitions, self.provider.now());
        }
        self.write_rows(writer).await;
    }

    /// Stores moved rows. Returns the keys of their items.
    pub(crate) async fn write_rows(&self, writer: WorkWriter) -> Vec<Key> {
        let commit_id = || self.provider.env(EntropyContext::Ephemeral).id("rows");
        let batches = writer.batches(commit_id);
        self.store_rows(&batches).await
    }

    /// Commits batches that change index rows only, several in parallel. Returns the keys of the stored
    /// items. Every other row stays as it is, and is found again.
    pub(crate) async fn store_rows(&self, batches: &[Batch]) -> Vec<Key> {
        let mut stored = Vec::new();
        for batches in batches.chunks(COMMITS) {
            let commits = batches.iter().map(|batch| self.store_rows_of(batch));
            stored.extend(join_all(commits).await.into_iter().flatten());
        }
        stored
    }

    async fn store_rows_of(&self, batch: &Batch) -> Vec<Key> {
        let scope = batch.scope();
        match self.provider.records().commit(batch).await {
            Ok(()) => batch.stored().map(|item| item.key.clone()).collect(),
            Err(CommitError::Conflict) => {
                tracing::warn!(%scope, "a record changed before its index row");
                Vec::new()
            }
            Err(CommitError::Failed(error)) => {
                tracing::warn!(%scope, %error, "could not change index rows");
                Vec::new()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use futures_util::FutureExt;
    use wm_core::{
        storage::{
            Condition, ETag, IndexKeys, Operation, Page, Range, Scope, ScopePage, Sort,
            WorkPartitions, memory::Memory,
        },
        value::{Sha256, TeamId, UserId, id::Id},
    };

    use super::*;

    /// Records that only lists read.
    struct Rows(Memory);

    impl Records for Rows {
        async fn get(&self, _: &Key) -> Result<Option<Item>, PortError> {
            Ok(None)
        }

        async fn scan(&self, _: &Range) -> Result<Page, PortError> {
            Ok(Page::default())
        }

        async fn list(&self, list: &List) -> Result<Page, PortError> {
            Ok(self.0.list(list))
        }

        async fn scopes(&self, _: Option<Scope>) -> Result<ScopePage, PortError> {
            Ok(ScopePage::default())
        }

        async fn commit(&self, _: &Batch) -> Result<(), CommitError> {
            Err(CommitError::Conflict)
        }
    }

    /// Work that is due at these milliseconds, all in one partition.
    fn rows(due: impl Iterator<Item = i64>) -> Rows {
        let mut memory = Memory::default();
        let scope = Scope::User(UserId::from_ulid(0.into()));
        let puts: Vec<Operation> = due
            .map(|millis| {
                let team = TeamId::from_ulid(u128::try_from(millis).unwrap().into());
                let key = scope.key(Sort::team(team));
                let mut index = IndexKeys::default();
                partition().put_at(&mut index, Timestamp::from_millis(millis), &key);
                let item = Item {
                    key,
                    index,
                    etag: ETag::new(Sha256::of(b"")),
                    body: String::new(),
                    expires_at: None,
                };
                Operation::Put(item, Condition::Absent)
            })
            .collect();
        memory.commit(scope, &puts).unwrap();
        Rows(memory)
    }

    /// The next page, which the rows answer at once.
    fn next(due: &mut Due, records: &Rows) -> Option<Vec<Item>> {
        due.next(records).now_or_never().unwrap().unwrap()
    }

    fn partition() -> IndexRows {
        WorkPartitions::default().rows(Work::Teams).next().unwrap()
    }

    #[test]
    fn work_that_stays_does_not_hide_later_work() {
        let now = Timestamp::from_millis(1_000);
        let records = rows(0..2_000);
        let mut due = Due::new(partition(), now);
        let mut sizes = Vec::new();
        while let Some(items) = next(&mut due, &records) {
            sizes.push(items.len());
        }
        assert_eq!(sizes, [200, 200, 200, 200, 200, 1]);
        assert!(!due.has_more());
        let earlier = now.before(Duration::from_secs(2));
        let mut none = Due::new(partition(), earlier);
        assert_eq!(next(&mut none, &records), Some(Vec::new()));
        assert_eq!(next(&mut none, &records), None);
    }

    #[test]
    fn one_run_reads_a_bounded_number_of_pages() {
        let records = rows(0..6_000);
        let mut due = Due::new(partition(), Timestamp::from_millis(10_000));
        let mut pages = 0;
        while next(&mut due, &records).is_some() {
            pages += 1;
        }
        assert_eq!(pages, PAGES);
    }
}
