//! Writing: one operation by itself, several as a transactional batch.

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

/// Why the service carried nothing out.
#[derive(Debug)]
enum Refusal {
    /// Something is there that should not be.
    Exists,
    /// An item is not in the state that the service's mark stands for.
    Changed,
    /// Anything else.
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

/// Carries a batch out, all or nothing.
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
                Condition::Matches(etag) => records.marks.of(&key, etag),
            }
        })
        .collect();
    let relied = known.iter().any(Option::is_some);
    match attempt(records, batch, known).await {
        // Another process may have written the same state of ours anew: what is stored decides.
        Err(Refusal::Changed) if relied => {
            let unknown = vec![None; batch.operations().len()];
            Ok(attempt(records, batch, unknown).await?)
        }
        other => Ok(other?),
    }
}

/// One attempt: looks up the marks that are not known, and writes on the condition of all of them.
async fn attempt(
    records: &CosmosRecords,
    batch: &Batch,
    known: Vec<Option<Etag>>,
) -> Result<(), Refusal> {
    let pairs = batch.operations().iter().zip(known);
    let marks = pairs.map(|(operation, known)| look_up(records, batch, operation, known));
    let marks = try_join_all(marks).await?;
    let written = match (batch.operations(), marks.as_slice()) {
        ([Operation::Put(item, _)], [mark]) => put(records, item, mark.clone()).await,
        _ => transact(records, batch, marks).await,
    };
    if written.is_err() {
        for operation in batch.operations() {
            records.marks.forget(&target(batch, operation).0);
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

/// The service's mark of the state that a condition names, read where it is not known.
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
        Some((item, mark)) if item.etag == *etag => Ok(Some(mark)),
        _ => Err(Refusal::Changed),
    }
}

async fn put(records: &CosmosRecords, item: &Item, mark: Option<Etag>) -> Result<(), Refusal> {
    let container = records.container().await?;
    let (partition, name) = (item.key.scope.to_string(), id(&item.key.sort));
    let document = to_document(item, clock::now());
    let options = ItemWriteOptions::default().with_operation_options(connect::for_writes());
    let answer = match mark {
        None => within(container.create_item(partition, &name, document, Some(options))).await,
        Some(mark) => {
            let options = options.with_precondition(Precondition::IfMatch(mark));
            within(container.replace_item(partition, &name, document, Some(options))).await
        }
    };
    let answer = answer?.map_err(refusal)?;
    let headers = answer.headers();
    records
        .meter
        .write(headers.request_charge().map(|charge| charge.value()));
    match headers.etag() {
        Some(mark) => records.marks.remember(item, mark.clone()),
        None => records.marks.forget(&item.key),
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
    marks: Vec<Option<Etag>>,
) -> Result<(), Refusal> {
    let container = records.container().await?;
    let mut transaction = TransactionalBatch::new(batch.scope().to_string());
    // What each step writes; a step that writes nothing to be read later has nothing.
    let mut written: Vec<Option<&Item>> = Vec::new();
    let now = clock::now();
    for (operation, mark) in batch.operations().iter().zip(marks) {
        let before = written.len();
        transaction = step(transaction, batch, operation, mark, now).map_err(port_error)?;
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
    records.meter.write(
        answer
            .headers()
            .request_charge()
            .map(|charge| charge.value()),
    );
    // It has answered, so that what it says cannot be read is no reason to believe it did nothing.
    let results = answer
        .into_model()
        .map_err(|error| PortError::new(PortErrorKind::Unavailable, error))?;
    let outcomes: Vec<(u16, Option<u32>)> = results
        .results()
        .iter()
        .map(|result| (result.status_code(), result.substatus_code()))
        .collect();
    judge(&outcomes, written.len())?;
    remember(records, batch, &written, &results);
    Ok(())
}

/// Adds an operation. Asserting that something is absent and leaving it so takes two: it is made, which
/// fails where it is there already, and removed.
fn step(
    transaction: TransactionalBatch,
    batch: &Batch,
    operation: &Operation,
    mark: Option<Etag>,
    now: Timestamp,
) -> Result<TransactionalBatch, CosmosError> {
    let condition = mark.map(Precondition::IfMatch);
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

/// What the statuses of a batch's operations come to. A failed batch is answered with 207: one operation
/// says why, and the others 424, that they depend on it
/// (<https://learn.microsoft.com/azure/cosmos-db/transactional-batch>). A condition that did not hold
/// outweighs whatever else went wrong: a retry would meet it again.
fn judge(outcomes: &[(u16, Option<u32>)], steps: usize) -> Result<(), Refusal> {
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
        // Nobody failed, and yet not everything is done: nothing to rely on.
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
        records.marks.forget(&target(batch, operation).0);
    }
    for (item, result) in written.iter().zip(results.results()) {
        if let (Some(item), Some(mark)) = (item, result.etag()) {
            records.marks.remember(item, mark.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(outcomes: &[u16]) -> &'static str {
        let outcomes: Vec<_> = outcomes.iter().map(|status| (*status, None)).collect();
        match judge(&outcomes, 2) {
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
    fn case_57_and_58_each_answer_to_a_batch_has_one_meaning() {
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
            // Shapes that are nothing the service documents.
            (&[424, 424], "unavailable"),
            (&[201], "unavailable"),
            (&[], "unavailable"),
            (&[200, 302], "refused"),
        ] {
            assert_eq!(judged(outcomes), expected, "{outcomes:?}");
        }
    }

    #[test]
    fn a_full_partition_is_told_apart() {
        let outcomes = [(424, None), (403, Some(1014))];
        let Err(Refusal::Failed(error)) = judge(&outcomes, 2) else {
            panic!("a full partition took the batch");
        };
        assert_eq!(error.kind, PortErrorKind::Full);
    }
}
