//! The database: one DynamoDB table with four global indexes.
//!
//! Reads for decisions are strongly consistent and stay in one partition. Lists read an index. A
//! read continues over pages until it is complete, whether a page ended at its size limit (1 MB) or
//! at its item limit.

mod commit;
mod item;
mod query;

use aws_sdk_dynamodb::{
    Client,
    types::{ConsumedCapacity, ReturnConsumedCapacity},
};
use aws_types::SdkConfig;
pub use item::{Attributes, from_attributes, to_attributes};
use query::Selection;
use wm_core::{
    operation::Batch,
    storage::{Item, Key, List, Page, Range, Scope, ScopePage},
};
use wm_service::{
    meter::Meter,
    ports::{CommitError, PortError, Records},
};

use crate::{
    config::Config,
    error::port_error,
    sdk::{Timeouts, for_service},
};

/// The database port over a table.
#[derive(Debug, Clone)]
pub struct DynamoRecords {
    client: Client,
    table: String,
    meter: Meter,
}

impl DynamoRecords {
    /// The table of the configuration.
    #[must_use]
    pub fn new(shared: &SdkConfig, config: &Config) -> Self {
        let settings = for_service(shared, config, "DYNAMODB", Timeouts::DATABASE);
        Self {
            client: Client::new(&settings),
            table: config.table.clone(),
            meter: Meter::default(),
        }
    }

    /// The consumption of all calls so far.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Reads pages until the query is complete or has one item more than `limit`.
    async fn pages(&self, selection: Selection, limit: Option<u32>) -> Result<Page, PortError> {
        let limit = limit.map(|limit| limit as usize);
        let Some(query) = selection.query(&self.client, &self.table) else {
            return Ok(Page::default());
        };
        let mut page = Page::default();
        let mut begin = None;
        loop {
            // One more item than the limit shows whether there are more.
            let wanted = limit.map(|limit| limit + 1 - page.items.len());
            let answer = query
                .clone()
                .set_limit(wanted.and_then(|wanted| i32::try_from(wanted).ok()))
                .set_exclusive_start_key(begin)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(port_error)?;
            self.meter.read(units(answer.consumed_capacity.as_slice()));
            for attributes in answer.items.unwrap_or_default() {
                page.items.push(from_attributes(&attributes)?);
            }
            if let Some(limit) = limit.filter(|limit| page.items.len() > *limit) {
                page.items.truncate(limit);
                page.more = true;
                return Ok(page);
            }
            begin = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if begin.is_none() {
                return Ok(page);
            }
        }
    }
}

impl Records for DynamoRecords {
    async fn get(&self, key: &Key) -> Result<Option<Item>, PortError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(item::key(key.scope, &key.sort)))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(port_error)?;
        self.meter.read(units(answer.consumed_capacity.as_slice()));
        let item = answer.item.as_ref().map(from_attributes);
        Ok(item.transpose()?)
    }

    async fn scan(&self, range: &Range) -> Result<Page, PortError> {
        self.pages(Selection::of_range(range), range.limit).await
    }

    async fn list(&self, list: &List) -> Result<Page, PortError> {
        self.pages(Selection::of_list(list), Some(list.limit)).await
    }

    async fn scopes(&self, after: Option<Scope>) -> Result<ScopePage, PortError> {
        let answer = query::scopes(&self.client, &self.table, after)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(port_error)?;
        self.meter.read(units(answer.consumed_capacity.as_slice()));
        let last = answer.last_evaluated_key.filter(|key| !key.is_empty());
        let heads = answer.items.unwrap_or_default();
        Ok(ScopePage {
            scopes: heads.iter().map(item::scope).collect::<Result<_, _>>()?,
            next: last.as_ref().map(item::scope).transpose()?,
        })
    }

    async fn commit(&self, batch: &Batch) -> Result<(), CommitError> {
        commit::commit(self, batch).await
    }
}

/// The capacity units of a call, over all tables and indexes.
fn units(consumed: &[ConsumedCapacity]) -> Option<f64> {
    consumed.iter().map(|table| table.capacity_units).sum()
}
