//! Describing the current state of the table.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::{
    Client,
    types::{
        BillingMode, GlobalSecondaryIndexDescription, IndexStatus, KeySchemaElement, KeyType,
        PointInTimeRecoveryStatus, ProjectionType, ScalarAttributeType, SseStatus, StreamViewType,
        TableDescription, TableStatus, TimeToLiveDescription, TimeToLiveStatus,
    },
};
use wm_deploy::{service_error::ServiceError, tags::Tags, wait::Pauses};

use crate::setup::error::{SetupError, service_error};

/// The state of a table.
#[derive(Debug, Clone)]
pub struct FoundTable {
    pub arn: String,
    /// The ARN of the stream, if the table has one.
    pub stream_arn: Option<String>,
    pub status: TableStatus,
    /// The key attributes, with the partition key first.
    pub keys: Vec<String>,
    /// The types of all key attributes, including those of indexes.
    pub attributes: BTreeMap<String, ScalarAttributeType>,
    /// The indexes by name.
    pub indexes: BTreeMap<String, FoundIndex>,
    pub billing: BillingMode,
    /// The content of the stream, if the table has one.
    pub stream: Option<StreamViewType>,
    /// Whether it can be restored to any second.
    pub point_in_time_recovery: bool,
    /// The attribute for time to live, and its status.
    pub time_to_live: Option<(String, TimeToLiveStatus)>,
    /// The status of encryption with a key of the key service.
    pub encryption: Option<SseStatus>,
    /// Whether deletion of the table is refused.
    pub deletion_protection: bool,
    pub tags: Tags,
}

/// The state of an index.
#[derive(Debug, Clone)]
pub struct FoundIndex {
    /// The key attributes, with the partition key first.
    pub keys: Vec<String>,
    /// The attributes that the index copies.
    pub projection: Option<ProjectionType>,
    pub status: IndexStatus,
}

pub(super) async fn describe(
    client: &Client,
    name: &str,
) -> Result<Option<FoundTable>, SetupError> {
    let mut pauses = Pauses::default();
    let description = loop {
        match table(client, name).await? {
            None => return Ok(None),
            // The other settings cannot be read yet.
            Some(found) if found.table_status == Some(TableStatus::Creating) => pauses.next().await,
            Some(found) => break found,
        }
    };
    let mut found = FoundTable::of(&description);
    found.point_in_time_recovery = point_in_time_recovery(client, name).await?;
    found.time_to_live = time_to_live(client, name).await?;
    found.tags = tags(client, &found.arn).await?;
    Ok(Some(found))
}

/// The description. `None` if the table does not exist.
pub(super) async fn table(
    client: &Client,
    name: &str,
) -> Result<Option<TableDescription>, ServiceError> {
    match client.describe_table().table_name(name).send().await {
        Ok(answer) => Ok(answer.table),
        Err(error) => {
            let missing = error.as_service_error();
            if missing.is_some_and(|error| error.is_resource_not_found_exception()) {
                return Ok(None);
            }
            Err(service_error("dynamodb:DescribeTable", error))
        }
    }
}

async fn point_in_time_recovery(client: &Client, name: &str) -> Result<bool, ServiceError> {
    let answer = client.describe_continuous_backups().table_name(name).send();
    let answer = answer
        .await
        .map_err(|error| service_error("dynamodb:DescribeContinuousBackups", error))?;
    let status = answer
        .continuous_backups_description
        .and_then(|backups| backups.point_in_time_recovery_description)
        .and_then(|recovery| recovery.point_in_time_recovery_status);
    Ok(status == Some(PointInTimeRecoveryStatus::Enabled))
}

async fn time_to_live(
    client: &Client,
    name: &str,
) -> Result<Option<(String, TimeToLiveStatus)>, ServiceError> {
    let answer = client.describe_time_to_live().table_name(name).send().await;
    let answer = answer.map_err(|error| service_error("dynamodb:DescribeTimeToLive", error))?;
    let setting =
        |found: TimeToLiveDescription| Some((found.attribute_name?, found.time_to_live_status?));
    Ok(answer
        .time_to_live_description
        .and_then(setting)
        .filter(|(_, status)| *status != TimeToLiveStatus::Disabled))
}

async fn tags(client: &Client, arn: &str) -> Result<Tags, ServiceError> {
    let mut tags = Tags::new();
    let mut next = None;
    loop {
        let request = client.list_tags_of_resource().resource_arn(arn);
        let answer = request.set_next_token(next).send().await;
        let answer = answer.map_err(|error| service_error("dynamodb:ListTagsOfResource", error))?;
        let pairs = answer.tags.unwrap_or_default().into_iter();
        tags.extend(pairs.map(|tag| (tag.key, tag.value)));
        next = answer.next_token;
        if next.is_none() {
            return Ok(tags);
        }
    }
}

impl FoundTable {
    /// The settings that the description contains.
    fn of(table: &TableDescription) -> Self {
        let billing = table
            .billing_mode_summary()
            .and_then(|found| found.billing_mode());
        let stream = table
            .stream_specification()
            .filter(|stream| stream.stream_enabled);
        let attributes = table.attribute_definitions().iter();
        let indexes = table.global_secondary_indexes().iter();
        Self {
            arn: table.table_arn().unwrap_or_default().to_owned(),
            stream_arn: stream.and(table.latest_stream_arn()).map(str::to_owned),
            status: table.table_status().cloned().unwrap_or(TableStatus::Active),
            keys: keys(table.key_schema()),
            attributes: attributes
                .map(|found| (found.attribute_name.clone(), found.attribute_type.clone()))
                .collect(),
            indexes: indexes.filter_map(index).collect(),
            // The service omits settings that were never changed.
            billing: billing.cloned().unwrap_or(BillingMode::Provisioned),
            stream: stream.and_then(|stream| stream.stream_view_type().cloned()),
            point_in_time_recovery: false,
            time_to_live: None,
            encryption: table
                .sse_description()
                .and_then(|found| found.status().cloned()),
            deletion_protection: table.deletion_protection_enabled().unwrap_or_default(),
            tags: Tags::new(),
        }
    }
}

fn index(found: &GlobalSecondaryIndexDescription) -> Option<(String, FoundIndex)> {
    let projection = found
        .projection()
        .and_then(|projection| projection.projection_type());
    let index = FoundIndex {
        keys: keys(found.key_schema()),
        projection: projection.cloned(),
        status: found.index_status().cloned().unwrap_or(IndexStatus::Active),
    };
    Some((found.index_name()?.to_owned(), index))
}

/// The names of key attributes, with the partition key first.
fn keys(schema: &[KeySchemaElement]) -> Vec<String> {
    let of = |kind: KeyType| {
        let matching = schema.iter().filter(move |key| key.key_type == kind);
        matching.map(|key| key.attribute_name.clone())
    };
    of(KeyType::Hash).chain(of(KeyType::Range)).collect()
}
