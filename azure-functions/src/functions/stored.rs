//! Stored journal entries. An envelope may be forged, old or repeated, so it only names keys. The
//! handler publishes and mails only entries that are stored in the container, with their stored
//! text.

use futures_util::{StreamExt, stream};
use wm_core::storage::{Item, Key};
use wm_service::ports::{PortError, Records};

/// The maximum number of concurrent reads.
const AT_ONCE: usize = 16;

/// The items at these keys. Each costs one read.
pub(super) async fn items(
    records: &impl Records,
    keys: impl IntoIterator<Item = Key>,
) -> Vec<(Key, Result<Option<Item>, PortError>)> {
    let reads = keys.into_iter().map(async |key| {
        let item = records.get(&key).await;
        (key, item)
    });
    stream::iter(reads).buffered(AT_ONCE).collect().await
}
