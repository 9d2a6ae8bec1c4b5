//! The surfaces of both clouds, as the scenarios of this program need them.

use serde_json::Value;
use wm_azure::config::{Config, Role};
use wm_core::http::Request;
use wm_service::variables::Variables;
use wm_tests::{
    harness::{Answer, Harness},
    surfaces::{
        aws::{self, AwsSurface, event::Front},
        azure::{self, AzureSurface},
    },
};

/// Generates a test per cloud from each scenario: an async function of the parent module, generic
/// over the cloud.
macro_rules! scenarios {
    ($cloud:ty: $($name:ident,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let _recording = wm_test_results::Recording::start();
            super::$name::<$cloud>().await;
        }
    )*};
}
pub(crate) use scenarios;

/// The surface on one cloud.
pub(crate) trait Cloud: Harness + Sized {
    /// The status of the object store for a stored object.
    const STORED: u16;

    /// The default surface.
    async fn start() -> Self;

    /// A surface whose requests are all answered by one process, with these additional environment
    /// variables.
    async fn with_environment(environment: Vec<(String, String)>) -> Self;

    /// A surface whose requests are all answered by one process.
    async fn single() -> Self {
        Self::with_environment(Vec::new()).await
    }

    /// Sends a request to the public API. Unlike [`Harness::call`], it does not send the caller's ID
    /// token first.
    async fn send_as_is(&self, request: &Request) -> Answer;

    /// The number of requests that `api` answered.
    fn answered(&self) -> usize;

    /// The metrics that `api` reported, oldest first.
    fn metrics(&self) -> Vec<Value>;
}

impl Cloud for AwsSurface {
    const STORED: u16 = 200;

    async fn start() -> Self {
        Self::with(aws::Options::default()).await
    }

    async fn with_environment(environment: Vec<(String, String)>) -> Self {
        let options = aws::Options {
            instances: 1,
            environment,
            ..aws::Options::default()
        };
        Self::with(options).await
    }

    async fn send_as_is(&self, request: &Request) -> Answer {
        self.send(Front::ApiGateway, request).await
    }

    fn answered(&self) -> usize {
        self.api().answered()
    }

    fn metrics(&self) -> Vec<Value> {
        let lines = self.api().lines().into_iter();
        let parsed = lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        parsed.filter(|line| line["_aws"].is_object()).collect()
    }
}

impl Cloud for AzureSurface {
    const STORED: u16 = 201;

    async fn start() -> Self {
        Self::with(azure::Options::default()).await
    }

    async fn with_environment(environment: Vec<(String, String)>) -> Self {
        let options = azure::Options {
            environment,
            ..azure::Options::default()
        };
        Self::with(options).await
    }

    async fn send_as_is(&self, request: &Request) -> Answer {
        self.send(request).await
    }

    fn answered(&self) -> usize {
        self.host.answered()
    }

    fn metrics(&self) -> Vec<Value> {
        let mut lines = self.entries();
        lines.retain(|line| line["target"] == "metrics" && line["Function"] == "api");
        lines
    }
}

/// A configuration of the handler with these variables. Later ones take precedence. The data has
/// the default names.
pub(crate) fn azure_config(
    role: Role,
    environment: impl IntoIterator<Item = (String, String)>,
    more: &[(&str, &str)],
) -> Config {
    let data = [
        ("AZURE_COSMOS_ACCOUNT", "wm-dev-cosmos"),
        ("AZURE_COSMOS_DATABASE", "workspace"),
        ("AZURE_COSMOS_CONTAINER", "workspace_items"),
        ("AZURE_STORAGE_ACCOUNT", "wmdevdocs"),
        ("AZURE_STORAGE_CONTAINER", "workspace-documents"),
    ];
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let variables: Variables = data
        .iter()
        .map(owned)
        .chain(environment)
        .chain(more.iter().map(owned))
        .collect();
    Config::read(role, variables).unwrap()
}
