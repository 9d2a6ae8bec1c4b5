//! The database: one Cosmos DB container.
//!
//! Reads for decisions are strongly consistent and stay in one partition. Lists cover all
//! partitions. A read continues over pages until it is complete, whether a page ended at its size
//! limit (4 MB) or at its item limit. Conditions of Cosmos DB compare its own ETag, `_etag`, which
//! never leaves this module.

mod commit;
mod connect;
mod etag_cache;
mod failure;
mod item;
mod query;

use std::{fmt, future::Future, sync::Arc};

use azure_core::http::Etag;
use azure_data_cosmos::{CosmosError, clients::ContainerClient, options::ItemReadOptions};
use futures_util::TryStreamExt;
use tokio::{
    sync::{Mutex, OnceCell},
    time::timeout,
};
use wm_core::{
    operation::Batch,
    storage::{Item, Key, List, Page, Range, Scope, ScopePage},
};
use wm_service::ports::{CommitError, PortError, PortErrorKind, Records};

pub use self::item::{Document, from_document, to_document};
use self::{connect::Connector, etag_cache::ETagCache, failure::port_error, query::Selection};
use crate::{
    config::Config,
    metrics,
    sdk::{Sdk, SdkError, Timeouts},
};

/// The database port over a container.
#[derive(Clone)]
pub struct CosmosRecords {
    connector: Arc<Connector>,
    container: Arc<OnceCell<ContainerClient>>,
    /// Held while a task looks up the container.
    connecting: Arc<Mutex<()>>,
    etags: ETagCache,
}

impl fmt::Debug for CosmosRecords {
    /// Omits the credential.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CosmosRecords")
            .field("connector", &self.connector)
            .finish_non_exhaustive()
    }
}

impl CosmosRecords {
    /// The container of the configuration. It opens no connection.
    ///
    /// # Errors
    /// If the URL of the account is invalid.
    pub fn new(sdk: &Sdk, config: &Config) -> Result<Self, SdkError> {
        Ok(Self {
            connector: Arc::new(Connector::new(sdk, &config.cosmos)?),
            container: Arc::default(),
            connecting: Arc::default(),
            etags: ETagCache::default(),
        })
    }

    async fn container(&self) -> Result<ContainerClient, PortError> {
        if let Some(container) = self.container.get() {
            return Ok(container.clone());
        }
        let (connector, container) = (Arc::clone(&self.connector), Arc::clone(&self.container));
        let lock = Arc::clone(&self.connecting);
        let connecting = async move {
            let held = lock.lock_owned().await;
            // The task continues if the caller stops waiting, so that a slow account is found in
            // the end. Callers that wait for the lock start no task.
            let connecting = tokio::spawn(async move {
                let _held = held;
                let connected = container.get_or_try_init(|| connect::connect(&connector));
                connected.await.cloned()
            });
            connecting.await
        };
        match timeout(Timeouts::DATABASE.operation, connecting).await {
            Ok(Ok(connected)) => connected,
            Ok(Err(error)) => Err(PortError::new(PortErrorKind::Unavailable, error)),
            Err(late) => Err(PortError::new(PortErrorKind::Unavailable, late)),
        }
    }

    /// Reads an item with the service's own ETag, and caches the ETag for later conditions.
    async fn read(&self, key: &Key) -> Result<Option<(Item, Etag)>, PortError> {
        let container = self.container().await?;
        let options = ItemReadOptions::default().with_operation_options(connect::for_decisions());
        let partition = key.scope.to_string();
        let id = item::id(&key.sort);
        let answer = match within(container.read_item(partition, &id, Some(options))).await? {
            Ok(answer) => answer,
            Err(error) if failure::is_absent(&error) => {
                metrics::read(failure::charge(&error));
                self.etags.forget(key);
                return Ok(None);
            }
            Err(error) => return Err(port_error(error)),
        };
        metrics::read(
            answer
                .headers()
                .request_charge()
                .map(|charge| charge.value()),
        );
        let document: Document = answer.into_model().map_err(port_error)?;
        self.take(&document).map(Some)
    }

    /// Decodes the item of a document and caches its ETag.
    fn take(&self, document: &Document) -> Result<(Item, Etag), PortError> {
        let item = from_document(document)?;
        let service_etag = item::service_etag(document)?;
        self.etags.remember(&item, service_etag.clone());
        Ok((item, service_etag))
    }

    /// Reads pages until the query is complete or has one item more than `limit`.
    async fn pages(&self, selection: Selection, limit: Option<u32>) -> Result<Page, PortError> {
        let limit = limit.map(|limit| limit as usize);
        let container = self.container().await?;
        let Selection {
            query,
            scope,
            options,
            strong,
        } = selection;
        let asked = container.query_items::<Document>(query, scope, Some(options));
        let mut pages = within(asked).await?.map_err(port_error)?.into_pages();
        let mut page = Page::default();
        while let Some(answer) = within(pages.try_next()).await?.map_err(port_error)? {
            metrics::read(
                answer
                    .headers()
                    .request_charge()
                    .map(|charge| charge.value()),
            );
            for document in answer.items() {
                let item = if strong {
                    self.take(document)?.0
                } else {
                    from_document(document)?
                };
                page.items.push(item);
            }
            // One more item than the limit shows whether there are more.
            if let Some(limit) = limit.filter(|limit| page.items.len() > *limit) {
                page.items.truncate(limit);
                page.more = true;
                break;
            }
        }
        Ok(page)
    }
}

impl Records for CosmosRecords {
    async fn get(&self, key: &Key) -> Result<Option<Item>, PortError> {
        Ok(self.read(key).await?.map(|(item, _)| item))
    }

    async fn scan(&self, range: &Range) -> Result<Page, PortError> {
        let selection = Selection::of_range(range).map_err(port_error)?;
        self.pages(selection, range.limit).await
    }

    async fn list(&self, list: &List) -> Result<Page, PortError> {
        let selection = Selection::of_list(list).map_err(port_error)?;
        self.pages(selection, Some(list.limit)).await
    }

    async fn scopes(&self, after: Option<Scope>) -> Result<ScopePage, PortError> {
        let selection = Selection::of_scopes(after).map_err(port_error)?;
        let Page { items, more } = self.pages(selection, Some(query::SCOPES)).await?;
        let scopes: Vec<Scope> = items.iter().map(|head| head.key.scope).collect();
        let next = scopes.last().copied().filter(|_| more);
        Ok(ScopePage { scopes, next })
    }

    async fn commit(&self, batch: &Batch) -> Result<(), CommitError> {
        commit::commit(self, batch).await
    }
}

/// The result of a call within the timeout. The deadline of the SDK starts only after it has a
/// token.
async fn within<T>(
    call: impl Future<Output = Result<T, CosmosError>>,
) -> Result<Result<T, CosmosError>, PortError> {
    timeout(Timeouts::DATABASE.operation, call)
        .await
        .map_err(|late| PortError::new(PortErrorKind::Unavailable, late))
}
