//! Due unfinished work, page by page.

use wm_core::{
    storage::{Index, IndexRows, Item, List},
    value::Timestamp,
};

use crate::ports::{PortError, Records};

/// The number of rows of one page.
const PAGE: u32 = 200;
/// The maximum number of pages that one run reads of one partition. A later run starts again with the
/// rows that are due longest.
const PAGES: usize = 25;

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
        let last = page.items.last().filter(|_| page.more);
        let after = last.and_then(|item| item.index.get(Index::Gsi1.position())?.as_ref());
        match after {
            Some(row) => {
                self.list.after = Some(row.sort.clone());
                self.left -= 1;
            }
            None => self.left = 0,
        }
        Ok(Some(page.items))
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use futures_util::FutureExt;
    use wm_core::{
        operation::Batch,
        storage::{
            Condition, ETag, IndexKeys, Key, Operation, Page, Range, Scope, Sort, Work,
            memory::Memory,
        },
        value::{Sha256, TeamId, UserId, id::Id},
    };

    use super::*;
    use crate::ports::CommitError;

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
        let [first, ..] = IndexRows::unfinished_work(Work::Teams);
        first
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
