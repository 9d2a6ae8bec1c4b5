//! Whether the dependencies answer.

use serde_json::json;
use wm_core::{
    storage::{Scope, Sort},
    use_case::Reply,
    value::Sha256,
};

use crate::{
    Service,
    ports::{Artifacts, Provider, Records},
};

impl<P: Provider> Service<P> {
    /// 200, or 503 naming each dependency that does not answer. Reads what is never there.
    pub(crate) async fn ready(&self) -> Reply {
        let nobody = Scope::Identity(Sha256::of(b"")).key(Sort::link());
        let nothing = self
            .provider
            .env()
            .now
            .before(std::time::Duration::from_secs(100 * 365 * 24 * 60 * 60));
        let (records, artifacts) = futures_util::future::join(
            self.provider.records().get(&nobody),
            self.provider.artifacts().older_than(nothing, None, 1),
        )
        .await;
        let word = |up: bool| if up { "up" } else { "down" };
        let (records, artifacts) = (records.is_ok(), artifacts.is_ok());
        let body = json!({
            "status": if records && artifacts { "ready" } else { "unavailable" },
            "dependencies": { "records": word(records), "artifacts": word(artifacts) },
        });
        let status = if records && artifacts { 200 } else { 503 };
        Reply {
            status,
            ..Reply::ok(body)
        }
    }
}
