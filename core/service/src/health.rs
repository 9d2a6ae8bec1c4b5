//! Health of the dependencies.

use futures_util::future::join;
use serde_json::{Value, json};
use wm_core::{operation::Reply, record::Layout, storage::ObjectPath};

use crate::{
    Service,
    execute::describe,
    known_layout::layout_of,
    ports::{Artifacts, Provider, Records},
};

/// The path of an object that does not exist: no id generator makes these ids.
const ABSENT_OBJECT: &str = "accounts/acc_00000000000000000000000000/projects/\
    prj_0000000000000000000000000000000000000000000000000000/artifacts/\
    art_00000000000000000000000000/raw/1/absent";

impl<P: Provider> Service<P> {
    /// 200, or 503 with each dependency that does not answer. Reads the layout of the data, and an
    /// object that does not exist.
    pub(crate) async fn ready(&self) -> Reply {
        let key = Layout::only_key();
        let layout = self.provider.records().get(&key);
        let (layout, artifacts) = join(layout, self.artifacts_answer()).await;
        let word = |up: bool| if up { "up" } else { "down" };
        let records = layout.is_ok();
        let layout = layout.map(|item| layout_of(item.as_ref()));
        let ready = artifacts && matches!(layout, Ok(Ok(_)));
        let layout = match layout {
            Ok(Ok(layout)) => layout_view(&layout),
            Ok(Err(error)) => {
                tracing::error!(
                    error = describe(&error),
                    "the layout of the data is refused"
                );
                json!({ "status": "refused" })
            }
            Err(_) => json!({ "status": "unknown" }),
        };
        let body = json!({
            "status": if ready { "ready" } else { "unavailable" },
            "dependencies": { "records": word(records), "artifacts": word(artifacts) },
            "layout": layout,
        });
        let status = if ready { 200 } else { 503 };
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

/// The layout of the data, and the progress of bringing it up to date.
fn layout_view(layout: &Layout) -> Value {
    match layout.reindex {
        Some(reindex) => {
            json!({ "number": layout.number, "status": "updating", "rows": reindex.rows, "scopes": reindex.scopes })
        }
        None if layout.has_rows_of_format_1() => {
            json!({ "number": layout.number, "status": "waiting" })
        }
        None => json!({ "number": layout.number, "status": "current" }),
    }
}
