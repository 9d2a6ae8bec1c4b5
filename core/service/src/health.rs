//! Health of the dependencies.

use serde_json::json;
use wm_core::{
    operation::Reply,
    storage::{Key, ObjectPath, Scope, Sort},
    value::Sha256,
};

use crate::{
    Service,
    ports::{Artifacts, Provider, Records},
};

/// The path of an object that does not exist: no id generator makes these ids.
const ABSENT_OBJECT: &str = "accounts/acc_00000000000000000000000000/projects/\
    prj_0000000000000000000000000000000000000000000000000000/artifacts/\
    art_00000000000000000000000000/raw/1/absent";

/// The key of a record that does not exist: no identity has this digest. Reading it checks or opens
/// the connection to the database.
#[must_use]
pub fn absent_key() -> Key {
    Scope::Identity(Sha256::of(b"")).key(Sort::link())
}

impl<P: Provider> Service<P> {
    /// 200, or 503 with each dependency that does not answer. Reads a record and an object that do
    /// not exist.
    pub(crate) async fn ready(&self) -> Reply {
        let absent = absent_key();
        let (records, artifacts) = futures_util::future::join(
            self.provider.records().get(&absent),
            self.artifacts_answer(),
        )
        .await;
        let word = |up: bool| if up { "up" } else { "down" };
        let records = records.is_ok();
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

    async fn artifacts_answer(&self) -> bool {
        match ABSENT_OBJECT.parse::<ObjectPath>() {
            Ok(path) => self.provider.artifacts().stat(&path, false).await.is_ok(),
            Err(_) => false,
        }
    }
}
