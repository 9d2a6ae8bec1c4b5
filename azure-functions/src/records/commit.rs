//! Commits: a single write for one operation, a transactional batch for several.

use azure_core::http::Etag;
use azure_data_cosmos::{
    CosmosError, TransactionalBatch,
    models::TransactionalBatchResponse,
    options::{
        BatchDeleteOptions, BatchOptions, BatchReplaceOptions, ItemWriteOptions, Precondition,
    },
};
use futures_util::future::try_join_all;
use wm_core::{
    operation::Batch,
    storage::{Condition, Item, Key, Operation},
    value::Timestamp,
};
use wm_service::{
    clock,
    ports::{CommitError, PortError, PortErrorKind},
};

use super::{
    CosmosRecords, connect,
    failure::{is_item_absent, kind, port_error, status},
    item::{Document, id, to_document},
    within,
};
use crate::metrics;

/// The reason why the service changed nothing.
#[derive(Debug)]
enum Refusal {
    /// An item exists that must not exist.
    Exists,
    /// An item has another state than the ETag names.
    Changed,
    /// Any other error.
    Failed(PortError),
}

impl From<PortError> for Refusal {
    fn from(error: PortError) -> Self {
        Self::Failed(error)
    }
}

impl From<Refusal> for CommitError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Exists | Refusal::Changed => Self::Conflict,
            Refusal::Failed(error) => Self::Failed(error),
        }
    }
}

/// Commits a batch, all or nothing.
pub(super) async fn commit(records: &CosmosRecords, batch: &Batch) -> Result<(), CommitError> {
    if batch.operations().is_empty() {
        return Ok(());
    }
    let known: Vec<Option<Etag>> = batch
        .operations()
        .iter()
        .map(|operation| {
            let (key, condition) = target(batch, operation);
            match condition {
                Condition::Absent => None,
                Condition::Matches(etag) => records.etags.of(&key, etag),
            }
        })
        .collect();
    let relied = known.iter().any(Option::is_some);
    match attempt(records, batch, known).await {
        // Another process may have written the same state again with another ETag of the service.
        // The stored item decides.
        Err(Refusal::Changed) if relied => {
            let unknown = vec![None; batch.operations().len()];
            Ok(attempt(records, batch, unknown).await?)
        }
        other => Ok(other?),
    }
}

/// One attempt: reads the unknown ETags of the service and writes on the condition of all of them.
async fn attempt(
    records: &CosmosRecords,
    batch: &Batch,
    known: Vec<Option<Etag>>,
) -> Result<(), Refusal> {
    let pairs = batch.operations().iter().zip(known);
    let etags = pairs.map(|(operation, known)| look_up(records, batch, operation, known));
    let etags = try_join_all(etags).await?;
    let written = match (batch.operations(), etags.as_slice()) {
        ([Operation::Put(item, _)], [service_etag]) => {
            put(records, item, service_etag.clone()).await
        }
        _ => transact(records, batch, etags).await,
    };
    if written.is_err() {
        for operation in batch.operations() {
            records.etags.forget(&target(batch, operation).0);
        }
    }
    written
}

fn target<'a>(batch: &Batch, operation: &'a Operation) -> (Key, &'a Condition) {
    match operation {
        Operation::Put(item, condition) => (item.key.clone(), condition),
        Operation::Delete(sort, condition) => (batch.scope().key(sort.clone()), condition),
    }
}

/// The service's ETag of the state that a condition names. It is read if it is not cached.
async fn look_up(
    records: &CosmosRecords,
    batch: &Batch,
    operation: &Operation,
    known: Option<Etag>,
) -> Result<Option<Etag>, Refusal> {
    let (key, condition) = target(batch, operation);
    let Condition::Matches(etag) = condition else {
        return Ok(None);
    };
    if known.is_some() {
        return Ok(known);
    }
    match records.read(&key).await? {
        Some((item, service_etag)) if item.etag == *etag => Ok(Some(service_etag)),
        _ => Err(Refusal::Changed),
    }
}

async fn put(
    records: &CosmosRecords,
    item: &Item,
    service_etag: Option<Etag>,
) -> Result<(), Refusal> {
    let container = records.container().await?;
    let (partition, name) = (item.key.scope.to_string(), id(&item.key.sort));
    let document = to_document(item, clock::now());
    let options = ItemWriteOptions::default().with_operation_options(connect::for_writes());
    let answer = match service_etag {
        None => within(container.create_item(partition, &name, document, Some(options))).await,
        Some(service_etag) => {
            let options = options.with_precondition(Precondition::IfMatch(service_etag));
            within(container.replace_item(partition, &name, document, Some(options))).await
        }
    };
    let answer = answer?.map_err(refusal)?;
    let headers = answer.headers();
    metrics::write(headers.request_charge().map(|charge| charge.value()));
    match headers.etag() {
        Some(service_etag) => records.etags.remember(item, service_etag.clone()),
        None => records.etags.forget(&item.key),
    }
    Ok(())
}

fn refusal(error: CosmosError) -> Refusal {
    match status(&error) {
        (409, _) => Refusal::Exists,
        (412, _) => Refusal::Changed,
        absent if is_item_absent(absent) => Refusal::Changed,
        _ => Refusal::Failed(port_error(error)),
    }
}

async fn transact(
    records: &CosmosRecords,
    batch: &Batch,
    etags: Vec<Option<Etag>>,
) -> Result<(), Refusal> {
    let container = records.container().await?;
    let mut transaction = TransactionalBatch::new(batch.scope().to_string());
    // The item that each step writes. `None` for steps that write no item.
    let mut written: Vec<Option<&Item>> = Vec::new();
    let now = clock::now();
    for (operation, service_etag) in batch.operations().iter().zip(etags) {
        let before = written.len();
        transaction = step(transaction, batch, operation, service_etag, now).map_err(port_error)?;
        written.push(match operation {
            Operation::Put(item, _) => Some(item),
            Operation::Delete(..) => None,
        });
        if matches!(operation, Operation::Delete(_, Condition::Absent)) {
            written.insert(before, None);
        }
    }
    let options = BatchOptions::default().with_operation_options(connect::for_writes());
    let answer = within(container.execute_transactional_batch(transaction, Some(options))).await?;
    let answer = answer.map_err(refusal)?;
    metrics::write(
        answer
            .headers()
            .request_charge()
            .map(|charge| charge.value()),
    );
    // The service answered, so an unreadable answer does not mean that it changed nothing.
    let results = answer
        .into_model()
        .map_err(|error| PortError::new(PortErrorKind::Unavailable, error))?;
    let outcomes: Vec<(u16, Option<u32>)> = results
        .results()
        .iter()
        .map(|result| (result.status_code(), result.substatus_code()))
        .collect();
    classify(&outcomes, written.len())?;
    remember(records, batch, &written, &results);
    Ok(())
}

/// Adds an operation. Asserting that an item is absent takes two steps: creating it, which fails if
/// it exists, and deleting it.
fn step(
    transaction: TransactionalBatch,
    batch: &Batch,
    operation: &Operation,
    service_etag: Option<Etag>,
    now: Timestamp,
) -> Result<TransactionalBatch, CosmosError> {
    let condition = service_etag.map(Precondition::IfMatch);
    match (operation, condition) {
        (Operation::Put(item, _), None) => transaction.create_item(to_document(item, now)),
        (Operation::Put(item, _), Some(condition)) => {
            let options = BatchReplaceOptions::default().with_precondition(condition);
            transaction.replace_item(id(&item.key.sort), to_document(item, now), Some(options))
        }
        (Operation::Delete(sort, _), None) => {
            let mut nothing = Document::new();
            nothing.insert("id".into(), id(sort).into());
            nothing.insert("pk".into(), batch.scope().to_string().into());
            Ok(transaction
                .create_item(nothing)?
                .delete_item(id(sort), None))
        }
        (Operation::Delete(sort, _), Some(condition)) => {
            let options = BatchDeleteOptions::default().with_precondition(condition);
            Ok(transaction.delete_item(id(sort), Some(options)))
        }
    }
}

/// The outcome of a batch from the statuses of its operations. A failed batch has status 207: one
/// operation has the cause, and the others have 424, failed dependency
/// (<https://learn.microsoft.com/azure/cosmos-db/transactional-batch>). A failed condition takes
/// precedence over other errors: a retry would fail on it again.
fn classify(outcomes: &[(u16, Option<u32>)], steps: usize) -> Result<(), Refusal> {
    let culprits = || {
        outcomes
            .iter()
            .map(|(status, substatus)| {
                (*status, substatus.and_then(|code| u16::try_from(code).ok()))
            })
            .filter(|(status, _)| !(200..300).contains(status) && *status != 424)
    };
    if culprits().any(|(status, _)| status == 409) {
        return Err(Refusal::Exists);
    }
    if culprits().any(|culprit| culprit.0 == 412 || is_item_absent(culprit)) {
        return Err(Refusal::Changed);
    }
    let failed = |kind| {
        let text = format!("the operations of the batch were answered with {outcomes:?}");
        Err(Refusal::Failed(PortError::new(kind, text)))
    };
    let kinds = || culprits().map(|(status, substatus)| kind(status, substatus));
    for worst in [
        PortErrorKind::Full,
        PortErrorKind::Refused,
        PortErrorKind::Unavailable,
    ] {
        if kinds().any(|kind| kind == worst) {
            return failed(worst);
        }
    }
    if kinds().next().is_some() {
        return failed(PortErrorKind::Throttled);
    }
    let done = outcomes
        .iter()
        .filter(|(status, _)| (200..300).contains(status));
    if outcomes.len() == steps && done.count() == steps {
        Ok(())
    } else {
        // No operation failed, but not all are done, so the outcome is unknown.
        failed(PortErrorKind::Unavailable)
    }
}

fn remember(
    records: &CosmosRecords,
    batch: &Batch,
    written: &[Option<&Item>],
    results: &TransactionalBatchResponse,
) {
    for operation in batch.operations() {
        records.etags.forget(&target(batch, operation).0);
    }
    for (item, result) in written.iter().zip(results.results()) {
        if let (Some(item), Some(service_etag)) = (item, result.etag()) {
            records.etags.remember(item, service_etag.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classified(outcomes: &[u16]) -> &'static str {
        let outcomes: Vec<_> = outcomes.iter().map(|status| (*status, None)).collect();
        match classify(&outcomes, 2) {
            Ok(()) => "done",
            Err(Refusal::Exists) => "exists",
            Err(Refusal::Changed) => "changed",
            Err(Refusal::Failed(error)) => match error.kind {
                PortErrorKind::Throttled => "throttled",
                PortErrorKind::Unavailable => "unavailable",
                PortErrorKind::Refused => "refused",
                PortErrorKind::Full => "full",
            },
        }
    }

    #[test]
    fn case_57_and_58_each_batch_answer_has_one_kind() {
        for (outcomes, expected) in [
            (&[201_u16, 200] as &[u16], "done"),
            (&[201, 204], "done"),
            (&[424, 409], "exists"),
            (&[409, 424], "exists"),
            (&[424, 412], "changed"),
            (&[404, 424], "changed"),
            (&[429, 412], "changed"),
            (&[424, 429], "throttled"),
            (&[449, 424], "throttled"),
            (&[424, 413], "refused"),
            (&[400, 424], "refused"),
            (&[400, 429], "refused"),
            (&[424, 408], "unavailable"),
            (&[500, 424], "unavailable"),
            (&[503, 429], "unavailable"),
            // Forms that the service does not document.
            (&[424, 424], "unavailable"),
            (&[201], "unavailable"),
            (&[], "unavailable"),
            (&[200, 302], "refused"),
        ] {
            assert_eq!(classified(outcomes), expected, "{outcomes:?}");
        }
    }

    #[test]
    fn full_partition_is_recognised() {
        let outcomes = [(424, None), (403, Some(1014))];
        let Err(Refusal::Failed(error)) = classify(&outcomes, 2) else {
            panic!("the full partition accepted the batch");
        };
        assert_eq!(error.kind, PortErrorKind::Full);
    }
}
