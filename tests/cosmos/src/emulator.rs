//! The emulator with its containers and faults.

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use azure_core::http::{
    Method, Request, Url,
    headers::{HeaderName, HeaderValue},
};
use azure_data_cosmos_driver::{
    in_memory_emulator::{
        ConsistencyLevel, ContainerConfig, InMemoryEmulatorHttpClient, VirtualAccountConfig,
        VirtualRegion,
    },
    models::PartitionKeyDefinition,
};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{HeaderMap, Response, StatusCode, Uri};
use serde_json::{Value, json};

use crate::refusal;

/// An account in one region.
pub(crate) struct Emulator {
    client: InMemoryEmulatorHttpClient,
    url: Url,
    /// The number of physical partitions of each container.
    containers: Mutex<BTreeMap<(String, String), u32>>,
    /// The maximum number of items per page, whatever the request allows; 0 for no limit. The real
    /// service may end a page at any item.
    pub(crate) page: AtomicU64,
}

impl Emulator {
    pub(crate) fn new(url: Url, consistency: ConsistencyLevel) -> Result<Self, Box<dyn Error>> {
        let region = VirtualRegion::new("East US", url.clone());
        let account = VirtualAccountConfig::new(vec![region])?.with_consistency(consistency);
        Ok(Self {
            client: InMemoryEmulatorHttpClient::try_new(account)?,
            url,
            containers: Mutex::default(),
            page: AtomicU64::new(0),
        })
    }

    /// Creates a container with the partition key `/pk`, and its database. Existing items stay.
    pub(crate) fn create(
        &self,
        database: &str,
        container: &str,
        partitions: u32,
    ) -> Result<(), Box<dyn Error>> {
        let mut containers = self.containers.lock().unwrap();
        let place = (database.to_owned(), container.to_owned());
        if containers.contains_key(&place) {
            return Ok(());
        }
        let store = self.client.store();
        if !containers.keys().any(|(made, _)| made == database) {
            store.create_database(database);
        }
        let key = PartitionKeyDefinition::new(vec!["/pk".into()]);
        let config = ContainerConfig::new()
            .with_partition_count(partitions)
            .build()?;
        store.create_container_with_config(database, container, key, config);
        containers.insert(place, partitions);
        Ok(())
    }

    pub(crate) async fn carry_out(
        &self,
        method: Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Response<Full<Bytes>> {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let Ok(url) = self.url.join(path) else {
            return refusal(StatusCode::BAD_REQUEST, "BadRequest", "no such path");
        };
        let mut request = Request::new(url, method);
        for (name, value) in headers {
            if let Ok(value) = value.to_str() {
                let name = HeaderName::from(name.as_str().to_owned());
                request
                    .headers_mut()
                    .insert(name, HeaderValue::from(value.to_owned()));
            }
        }
        let page = self.page.load(Ordering::SeqCst);
        if page > 0 {
            let name = HeaderName::from_static("x-ms-max-item-count");
            let requested = request.headers().get_optional_str(&name);
            let requested: Option<u64> = requested.and_then(|requested| requested.parse().ok());
            let page = requested.map_or(page, |requested| requested.min(page));
            request.headers_mut().insert(name, page.to_string());
        }
        if !body.is_empty() {
            request.set_body(body);
        }
        self.execute(&request).await.unwrap_or_else(|error| {
            refusal(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalServerError",
                &error.to_string(),
            )
        })
    }

    async fn execute(
        &self,
        request: &Request,
    ) -> Result<Response<Full<Bytes>>, Box<dyn Error + Send + Sync>> {
        let raw = self.client.execute_request(request).await?;
        let raw = raw.try_into_raw_response().await?;
        let mut response = Response::builder().status(u16::from(raw.status()));
        for (name, value) in raw.headers().iter() {
            // The HTTP library sets the length of the body.
            if !matches!(name.as_str(), "content-length" | "transfer-encoding") {
                response = response.header(name.as_str(), value.as_str());
            }
        }
        let body: &[u8] = raw.body().as_ref();
        Ok(response.body(Full::new(Bytes::copy_from_slice(body)))?)
    }

    /// The changes after a continuation, and the next continuation. The changes are the latest
    /// state of each document, in the order of its partition. Like the feed of the real service,
    /// they omit deleted documents.
    pub(crate) async fn changes(
        &self,
        database: &str,
        container: &str,
        mark: &Value,
    ) -> Result<Value, String> {
        let key = (database.to_owned(), container.to_owned());
        let partitions = self.containers.lock().unwrap().get(&key).copied();
        let partitions = partitions.ok_or("there is no such container")?;
        let mut documents = Vec::new();
        let mut marks = Vec::new();
        for partition in 0..partitions {
            let begin = mark[partition as usize].as_str();
            let request = self.feed(database, container, partition, begin)?;
            let answer = self
                .client
                .execute_request(&request)
                .await
                .map_err(|error| error.to_string())?;
            let answer = answer
                .try_into_raw_response()
                .await
                .map_err(|error| error.to_string())?;
            let end = answer
                .headers()
                .get_optional_str(&HeaderName::from_static("etag"));
            marks.push(json!(end.map(str::to_owned)));
            let body: &[u8] = answer.body().as_ref();
            let page: Value = serde_json::from_slice(body).unwrap_or_default();
            documents.extend(page["Documents"].as_array().cloned().unwrap_or_default());
        }
        Ok(json!({ "documents": documents, "mark": marks }))
    }

    fn feed(
        &self,
        database: &str,
        container: &str,
        partition: u32,
        begin: Option<&str>,
    ) -> Result<Request, String> {
        let path = format!("dbs/{database}/colls/{container}/docs");
        let url = self.url.join(&path).map_err(|error| error.to_string())?;
        let mut request = Request::new(url, Method::Get);
        let mut put = |name: &'static str, value: String| {
            request
                .headers_mut()
                .insert(HeaderName::from_static(name), HeaderValue::from(value));
        };
        put("a-im", "Incremental Feed".to_owned());
        put("x-ms-documentdb-partitionkeyrangeid", partition.to_string());
        if let Some(begin) = begin {
            put("if-none-match", begin.to_owned());
        }
        Ok(request)
    }
}
