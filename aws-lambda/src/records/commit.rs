//! Commits: a single write for one operation, a transaction for several.

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{
        AttributeValue, CancellationReason, Delete, Put, ReturnConsumedCapacity, TransactWriteItem,
        error::TransactionCanceledException,
    },
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::{display::DisplayErrorContext, metadata::ProvideErrorMetadata};
use wm_core::{
    operation::Batch,
    storage::{Condition, Item, Operation, Scope, Sort},
    value::digest::Hasher,
};
use wm_service::ports::{CommitError, PortError, PortErrorKind};

use super::{
    DynamoRecords,
    item::{LAYOUT, key, to_attributes},
    units,
};
use crate::error::port_error;

/// The placeholder of the ETag in conditions.
const ETAG_VALUE: &str = ":etag";

/// Commits a batch, all or nothing.
pub(super) async fn commit(records: &DynamoRecords, batch: &Batch) -> Result<(), CommitError> {
    match batch.operations() {
        [] => Ok(()),
        // A single write costs half of a transaction. Batches of link records have one write only.
        [Operation::Put(item, condition)] => put(records, item, condition).await,
        [Operation::Delete(sort, condition)] => {
            delete(records, batch.scope(), sort, condition).await
        }
        _ => transact(records, batch).await,
    }
}

fn expression(condition: &Condition) -> String {
    match condition {
        Condition::Absent => format!("attribute_not_exists({})", LAYOUT.partition),
        Condition::Matches(_) => format!("{} = {ETAG_VALUE}", LAYOUT.etag),
    }
}

fn etag_value(condition: &Condition) -> Option<AttributeValue> {
    match condition {
        Condition::Absent => None,
        Condition::Matches(etag) => Some(AttributeValue::S(etag.as_str().to_owned())),
    }
}

fn values(condition: &Condition) -> Option<super::Attributes> {
    etag_value(condition).map(|value| [(ETAG_VALUE.to_owned(), value)].into())
}

async fn put(
    records: &DynamoRecords,
    item: &Item,
    condition: &Condition,
) -> Result<(), CommitError> {
    let answer = records
        .client
        .put_item()
        .table_name(&records.table)
        .set_item(Some(to_attributes(item)))
        .condition_expression(expression(condition))
        .set_expression_attribute_values(values(condition))
        .return_consumed_capacity(ReturnConsumedCapacity::Total)
        .send()
        .await
        .map_err(one_failed)?;
    records
        .meter
        .write(units(answer.consumed_capacity.as_slice()));
    Ok(())
}

async fn delete(
    records: &DynamoRecords,
    scope: Scope,
    sort: &Sort,
    condition: &Condition,
) -> Result<(), CommitError> {
    let answer = records
        .client
        .delete_item()
        .table_name(&records.table)
        .set_key(Some(key(scope, sort)))
        .condition_expression(expression(condition))
        .set_expression_attribute_values(values(condition))
        .return_consumed_capacity(ReturnConsumedCapacity::Total)
        .send()
        .await
        .map_err(one_failed)?;
    records
        .meter
        .write(units(answer.consumed_capacity.as_slice()));
    Ok(())
}

fn one_failed<E>(error: SdkError<E, HttpResponse>) -> CommitError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let code = error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code);
    if code == Some("ConditionalCheckFailedException") {
        CommitError::Conflict
    } else {
        CommitError::Failed(port_error(error))
    }
}

async fn transact(records: &DynamoRecords, batch: &Batch) -> Result<(), CommitError> {
    let operations = batch
        .operations()
        .iter()
        .map(|operation| step(records, batch.scope(), operation))
        .collect::<Result<_, _>>()
        .map_err(|error| CommitError::Failed(PortError::new(PortErrorKind::Refused, error)))?;
    let answer = records
        .client
        .transact_write_items()
        .set_transact_items(Some(operations))
        .client_request_token(request_token(batch))
        .return_consumed_capacity(ReturnConsumedCapacity::Total)
        .send()
        .await
        .map_err(transaction_failed)?;
    records.meter.write(units(answer.consumed_capacity()));
    Ok(())
}

fn step(
    records: &DynamoRecords,
    scope: Scope,
    operation: &Operation,
) -> Result<TransactWriteItem, aws_sdk_dynamodb::error::BuildError> {
    let step = TransactWriteItem::builder();
    Ok(match operation {
        Operation::Put(item, condition) => {
            let put = Put::builder()
                .table_name(&records.table)
                .set_item(Some(to_attributes(item)))
                .condition_expression(expression(condition))
                .set_expression_attribute_values(values(condition));
            step.put(put.build()?)
        }
        Operation::Delete(sort, condition) => {
            let delete = Delete::builder()
                .table_name(&records.table)
                .set_key(Some(key(scope, sort)))
                .condition_expression(expression(condition))
                .set_expression_attribute_values(values(condition));
            step.delete(delete.build()?)
        }
    }
    .build())
}

/// The idempotency token of a batch: sending the batch again within ten minutes has no further
/// effect. It covers the whole content, because a token with another content is an error.
fn request_token(batch: &Batch) -> String {
    let mut hasher = Hasher::default();
    let mut part = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_be_bytes());
        hasher.update(bytes);
    };
    part(batch.commit_id().to_string().as_bytes());
    part(batch.scope().to_string().as_bytes());
    for operation in batch.operations() {
        let (sort, condition) = match operation {
            Operation::Put(item, condition) => {
                part(item.body.as_bytes());
                part(item.etag.as_str().as_bytes());
                (&item.key.sort, condition)
            }
            Operation::Delete(sort, condition) => (sort, condition),
        };
        part(sort.as_str().as_bytes());
        part(match condition {
            Condition::Absent => b"",
            Condition::Matches(etag) => etag.as_str().as_bytes(),
        });
    }
    // The service allows at most 36 characters.
    let mut token = hasher.finish().to_string();
    token.truncate(32);
    token
}

fn transaction_failed(error: SdkError<TransactWriteItemsError, HttpResponse>) -> CommitError {
    if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    {
        return match classify(cancelled) {
            None => CommitError::Conflict,
            Some(kind) => CommitError::Failed(PortError::new(
                kind,
                DisplayErrorContext(&error).to_string(),
            )),
        };
    }
    if let Some(TransactWriteItemsError::TransactionInProgressException(_)) =
        error.as_service_error()
    {
        // The same batch is still in progress. Its outcome is unknown.
        return CommitError::Failed(PortError::new(
            PortErrorKind::Unavailable,
            "the same transaction is still in progress",
        ));
    }
    CommitError::Failed(port_error(error))
}

/// The cause of a cancelled transaction. `None` for a failed condition, which takes precedence over
/// other errors: a retry would fail on it again.
fn classify(cancelled: &TransactionCanceledException) -> Option<PortErrorKind> {
    let codes = || {
        cancelled
            .cancellation_reasons()
            .iter()
            .filter_map(CancellationReason::code)
    };
    if codes().any(|code| code == "ConditionalCheckFailed") {
        return None;
    }
    let passing = [
        "ProvisionedThroughputExceeded",
        "ThrottlingError",
        "TransactionConflict",
    ];
    if codes().any(|code| passing.contains(&code)) {
        Some(PortErrorKind::Throttled)
    } else {
        Some(PortErrorKind::Refused)
    }
}

#[cfg(test)]
mod tests {
    use wm_core::{
        storage::ETag,
        value::{CommitId, Sha256, id::Id},
    };

    use super::*;

    fn cancelled(codes: &[&str]) -> TransactionCanceledException {
        let reason = |code: &&str| CancellationReason::builder().code(*code).build();
        TransactionCanceledException::builder()
            .set_cancellation_reasons(Some(codes.iter().map(reason).collect()))
            .build()
    }

    #[test]
    fn case_58_each_cancellation_reason_has_one_kind() {
        use PortErrorKind::{Refused, Throttled};
        for (codes, expected) in [
            (&["None", "ConditionalCheckFailed"] as &[_], None),
            (&["TransactionConflict", "ConditionalCheckFailed"], None),
            (&["TransactionConflict", "None"], Some(Throttled)),
            (&["ThrottlingError"], Some(Throttled)),
            (&["ProvisionedThroughputExceeded"], Some(Throttled)),
            (&["ValidationError", "None"], Some(Refused)),
            (&["ItemCollectionSizeLimitExceeded"], Some(Refused)),
            (&[], Some(Refused)),
        ] {
            assert_eq!(classify(&cancelled(codes)), expected, "{codes:?}");
        }
    }

    #[test]
    fn request_token_depends_on_the_batch() {
        let batch = |commit: u128, condition| {
            let commit_id = CommitId::from_ulid(commit.into());
            let operations = vec![Operation::Delete(Sort::link(), condition)];
            Batch::unchecked(Scope::Email(Sha256::of(b"")), commit_id, operations)
        };
        let token = |commit, condition| request_token(&batch(commit, condition));
        let other = Condition::Matches(ETag::new(Sha256::of(b"")));
        assert_eq!(token(1, Condition::Absent), token(1, Condition::Absent));
        assert_ne!(token(1, Condition::Absent), token(2, Condition::Absent));
        assert_ne!(token(1, Condition::Absent), token(1, other));
        assert!(token(1, Condition::Absent).len() <= 36);
    }
}
