//! Journal entries as they are stored. An envelope may be forged, old, or repeated, so it only says where
//! to look: nothing is published or mailed that is not in the container, and nothing in other words.

use futures_util::{StreamExt, stream};
use wm_core::storage::{Item, Key};
use wm_service::ports::{PortError, Records};

/// Reads at a time.
const AT_ONCE: usize = 16;

/// The items at these keys; each costs one read.
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
