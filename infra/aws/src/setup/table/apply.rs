//! Running the steps for the table.

use aws_sdk_dynamodb::{
    error::BuildError,
    operation::update_table::builders::UpdateTableFluentBuilder,
    types::{
        AttributeDefinition, CreateGlobalSecondaryIndexAction, GlobalSecondaryIndex,
        GlobalSecondaryIndexUpdate, IndexStatus, KeySchemaElement, KeyType,
        PointInTimeRecoverySpecification, Projection, SseSpecification, SseStatus,
        StreamSpecification, TableDescription, TableStatus, Tag, TimeToLiveSpecification,
    },
};
use wm_deploy::{tags::Tags, wait::Pauses};

use super::{Table, TableStep, describe};
use crate::setup::{
    baseline::{BASELINE, IndexBaseline, KEY_TYPE, Keys, TableBaseline},
    error::SetupError,
    wait::retry_while_busy,
};

const TABLE: &TableBaseline = &BASELINE.table;

pub(super) async fn apply(
    table: &Table,
    step: &TableStep,
    progress: impl Fn(&str),
) -> Result<(), SetupError> {
    // Also before the step, because an earlier run or another program may have started a change.
    poll_until_done(table, &progress).await?;
    let update = table.client.update_table().table_name(&table.name);
    match step {
        TableStep::Create => create(table).await?,
        TableStep::Billing => run(update.billing_mode(TABLE.billing.clone())).await?,
        TableStep::StreamOff => run(update.stream_specification(stream(false)?)).await?,
        TableStep::StreamOn => run(update.stream_specification(stream(true)?)).await?,
        TableStep::Encryption => run(update.sse_specification(encryption())).await?,
        TableStep::DeletionProtection => {
            run(update.deletion_protection_enabled(TABLE.deletion_protection)).await?;
        }
        TableStep::Index(index) => run(add(update, *index)?).await?,
        TableStep::PointInTimeRecovery => point_in_time_recovery(table).await?,
        TableStep::TimeToLive => time_to_live(table).await?,
        TableStep::Tags(tags) => tag(table, tags).await?,
    }
    poll_until_done(table, &progress).await
}

async fn run(update: UpdateTableFluentBuilder) -> Result<(), SetupError> {
    retry_while_busy("dynamodb:UpdateTable", || update.clone().send()).await?;
    Ok(())
}

async fn create(table: &Table) -> Result<(), SetupError> {
    let mut request = table
        .client
        .create_table()
        .table_name(&table.name)
        .set_key_schema(Some(schema(TABLE.keys)?))
        .set_tags(Some(sdk_tags(&table.tags)?))
        .billing_mode(TABLE.billing.clone())
        .stream_specification(stream(true)?)
        .sse_specification(encryption())
        .deletion_protection_enabled(TABLE.deletion_protection);
    let mut attributes = attributes(TABLE.keys)?;
    for index in TABLE.indexes {
        attributes.extend(self::attributes(index.keys)?);
        let index = GlobalSecondaryIndex::builder()
            .index_name(index.name)
            .set_key_schema(Some(schema(index.keys)?))
            .projection(projection());
        request = request.global_secondary_indexes(index.build()?);
    }
    request = request.set_attribute_definitions(Some(attributes));
    retry_while_busy("dynamodb:CreateTable", || request.clone().send()).await?;
    Ok(())
}

fn add(
    update: UpdateTableFluentBuilder,
    index: IndexBaseline,
) -> Result<UpdateTableFluentBuilder, BuildError> {
    let action = CreateGlobalSecondaryIndexAction::builder()
        .index_name(index.name)
        .set_key_schema(Some(schema(index.keys)?))
        .projection(projection())
        .build()?;
    let change = GlobalSecondaryIndexUpdate::builder().create(action).build();
    Ok(update
        .set_attribute_definitions(Some(attributes(index.keys)?))
        .global_secondary_index_updates(change))
}

async fn point_in_time_recovery(table: &Table) -> Result<(), SetupError> {
    let setting = PointInTimeRecoverySpecification::builder()
        .point_in_time_recovery_enabled(TABLE.point_in_time_recovery)
        .build()?;
    let request = table
        .client
        .update_continuous_backups()
        .table_name(&table.name)
        .point_in_time_recovery_specification(setting);
    retry_while_busy("dynamodb:UpdateContinuousBackups", || {
        request.clone().send()
    })
    .await?;
    Ok(())
}

async fn time_to_live(table: &Table) -> Result<(), SetupError> {
    let setting = TimeToLiveSpecification::builder()
        .attribute_name(TABLE.time_to_live)
        .enabled(true)
        .build()?;
    let request = table
        .client
        .update_time_to_live()
        .table_name(&table.name)
        .time_to_live_specification(setting);
    retry_while_busy("dynamodb:UpdateTimeToLive", || request.clone().send()).await?;
    Ok(())
}

async fn tag(table: &Table, tags: &Tags) -> Result<(), SetupError> {
    let described = describe::table(&table.client, &table.name).await?;
    let arn = described
        .and_then(|found| found.table_arn)
        .unwrap_or_default();
    let request = table.client.tag_resource().resource_arn(arn);
    let request = request.set_tags(Some(sdk_tags(tags)?));
    retry_while_busy("dynamodb:TagResource", || request.clone().send()).await?;
    Ok(())
}

/// Waits until no change of the table is in progress. Filling an index has no time limit.
async fn poll_until_done(table: &Table, progress: impl Fn(&str)) -> Result<(), SetupError> {
    let mut pauses = Pauses::default();
    let mut reported = String::new();
    while let Some(found) = describe::table(&table.client, &table.name).await? {
        let Some(change) = pending_change(&found) else {
            break;
        };
        if change != reported {
            progress(&format!("waiting for {change}"));
            reported = change;
        }
        pauses.next().await;
    }
    Ok(())
}

/// The change that is in progress.
fn pending_change(table: &TableDescription) -> Option<String> {
    let busy = |status: &IndexStatus| *status != IndexStatus::Active;
    let mut indexes = table.global_secondary_indexes().iter();
    if let Some(index) = indexes.find(|index| index.index_status().is_some_and(busy)) {
        let name = index.index_name().unwrap_or_default();
        return Some(format!("the index `{name}`"));
    }
    let status = table.table_status();
    if matches!(status, Some(TableStatus::Creating | TableStatus::Updating)) {
        return Some("the table".to_owned());
    }
    let encryption = table.sse_description().and_then(|found| found.status());
    let changing = matches!(encryption, Some(SseStatus::Enabling | SseStatus::Updating));
    changing.then(|| "the table's encryption".to_owned())
}

fn stream(is_on: bool) -> Result<StreamSpecification, BuildError> {
    StreamSpecification::builder()
        .stream_enabled(is_on)
        .set_stream_view_type(is_on.then(|| TABLE.stream.clone()))
        .build()
}

fn encryption() -> SseSpecification {
    SseSpecification::builder()
        .enabled(TABLE.encryption)
        .build()
}

fn projection() -> Projection {
    let kind = TABLE.projection.clone();
    Projection::builder().projection_type(kind).build()
}

fn schema(keys: Keys) -> Result<Vec<KeySchemaElement>, BuildError> {
    let pairs = [(keys.partition, KeyType::Hash), (keys.sort, KeyType::Range)];
    let key = |(name, kind)| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind)
            .build()
    };
    pairs.into_iter().map(key).collect()
}

fn attributes(keys: Keys) -> Result<Vec<AttributeDefinition>, BuildError> {
    let of = |name| {
        let attribute = AttributeDefinition::builder().attribute_name(name);
        attribute.attribute_type(KEY_TYPE).build()
    };
    [keys.partition, keys.sort].into_iter().map(of).collect()
}

fn sdk_tags(tags: &Tags) -> Result<Vec<Tag>, BuildError> {
    let tag = |(key, value)| Tag::builder().key(key).value(value).build();
    tags.iter().map(tag).collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::{GlobalSecondaryIndexDescription, SseDescription};

    use super::*;

    #[test]
    fn table_is_stable_when_no_change_is_in_progress() {
        let table = || TableDescription::builder().table_status(TableStatus::Active);
        let index = |status| {
            let index = GlobalSecondaryIndexDescription::builder().index_name("GSI3");
            index.index_status(status).build()
        };
        let encryption = |status| SseDescription::builder().status(status).build();
        let stable = table()
            .global_secondary_indexes(index(IndexStatus::Active))
            .sse_description(encryption(SseStatus::Enabled));
        assert_eq!(pending_change(&stable.build()), None);
        for (found, what) in [
            (table().table_status(TableStatus::Creating), "the table"),
            (table().table_status(TableStatus::Updating), "the table"),
            (
                table().global_secondary_indexes(index(IndexStatus::Creating)),
                "the index `GSI3`",
            ),
            (
                table().global_secondary_indexes(index(IndexStatus::Deleting)),
                "the index `GSI3`",
            ),
            (
                table().sse_description(encryption(SseStatus::Updating)),
                "the table's encryption",
            ),
        ] {
            assert_eq!(pending_change(&found.build()).as_deref(), Some(what));
        }
    }
}
