//! Defects of adapters, each of a kind that has occurred. A comparison of surfaces must find them.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use wm_core::{
    operation::Batch,
    storage::{Condition, ETag, Item, Operation, Page, Range, Scope},
    value::Sha256,
};
use wm_service::ports::{CommitError, Records};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Defect {
    /// Overwrites stored records whatever their state.
    LostCondition,
    /// Treats a partial failure of a batch (207 Multi-Status) as success.
    IgnoredMultiStatus,
    /// Reads the records of decisions from a stale copy, like an index.
    IndexForPermission,
    /// Treats the first page of a list as the whole list.
    DroppedPage,
    /// Returns an ETag that is not the stored one.
    WrongETag,
    /// Performs deletions with the next change of the scope.
    LateTombstone,
}

impl Defect {
    pub const ALL: [Self; 6] = [
        Self::LostCondition,
        Self::IgnoredMultiStatus,
        Self::IndexForPermission,
        Self::DroppedPage,
        Self::WrongETag,
        Self::LateTombstone,
    ];
}

/// The page size of a service whose pages are dropped.
const PAGE: usize = 1;

/// The state of a defect between calls.
#[derive(Debug, Default)]
pub(super) struct Memory {
    seen: Mutex<BTreeMap<Range, Page>>,
    late: Mutex<BTreeMap<Scope, Vec<Operation>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    /// The result of a scan: under [`Defect::IndexForPermission`], the result of the scan before.
    pub(super) fn scanned(&self, defect: Option<Defect>, range: &Range, page: Page) -> Page {
        let decides = range.prefix.starts_with('#') || range.prefix.starts_with("MEMBER#");
        match defect {
            Some(Defect::IndexForPermission) if decides => {
                let before = lock(&self.seen).insert(range.clone(), page.clone());
                before.unwrap_or(page)
            }
            _ => page,
        }
    }

    /// The delayed deletions.
    fn take_late(&self, scope: Scope) -> Vec<Operation> {
        lock(&self.late).remove(&scope).unwrap_or_default()
    }
}

/// The result of a read.
pub(super) fn got(defect: Option<Defect>, found: Option<Item>) -> Option<Item> {
    match (defect, found) {
        (Some(Defect::WrongETag), Some(item)) => Some(Item {
            etag: ETag::new(Sha256::of(item.etag.as_str().as_bytes())),
            ..item
        }),
        (_, found) => found,
    }
}

/// The result of a list.
pub(super) fn listed(defect: Option<Defect>, mut page: Page) -> Page {
    if defect == Some(Defect::DroppedPage) && page.items.len() > PAGE {
        page.items.truncate(PAGE);
        page.more = false;
    }
    page
}

/// Commits a batch with the defect.
pub(super) async fn commit(
    defect: Option<Defect>,
    records: &impl Records,
    batch: &Batch,
    memory: &Memory,
) -> Result<(), CommitError> {
    match defect {
        Some(Defect::LostCondition) => unconditionally(records, batch).await,
        Some(Defect::IgnoredMultiStatus) => match records.commit(batch).await {
            Err(CommitError::Conflict) => Ok(()),
            committed => committed,
        },
        Some(Defect::LateTombstone) => {
            let scope = batch.scope();
            let operations = batch.operations().iter().cloned();
            let (late, mut now): (Vec<_>, Vec<_>) = operations.partition(is_deletion);
            now.extend(memory.take_late(scope));
            lock(&memory.late).insert(scope, late);
            let batch = Batch::unchecked(scope, batch.commit_id(), now);
            records.commit(&batch).await
        }
        _ => records.commit(batch).await,
    }
}

/// Reads the stored ETags and uses them as conditions.
async fn unconditionally(records: &impl Records, batch: &Batch) -> Result<(), CommitError> {
    let mut operations = batch.operations().to_vec();
    for operation in &mut operations {
        let Operation::Put(Item { key, .. }, condition) = operation else {
            continue;
        };
        let stored = records.get(key).await.map_err(CommitError::Failed)?;
        *condition = stored.map_or(Condition::Absent, |item| Condition::Matches(item.etag));
    }
    let batch = Batch::unchecked(batch.scope(), batch.commit_id(), operations);
    records.commit(&batch).await
}

/// Checks whether an operation deletes a record or marks it as deleted.
fn is_deletion(operation: &Operation) -> bool {
    match operation {
        Operation::Put(item, _) => item.body.contains(r#""deleted":true"#),
        Operation::Delete(..) => true,
    }
}
