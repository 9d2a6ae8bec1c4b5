//! The store and the data directory, tested through their public interface.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests may stop where they fail, as tests do"
)]

mod backup;
mod conformance;
mod crash;
mod damage;
mod directory;
mod full;
mod support;
mod writers;

use wm_core::storage::{Item, Range};
use wm_local::records::SqliteRecords;
use wm_service::ports::Records;

/// All stored items of a scope with this prefix.
async fn stored(store: &SqliteRecords, scope: u8, prefix: &str) -> Vec<Item> {
    let range = Range::all(support::scope(scope), prefix);
    store.scan(&range).await.unwrap().items
}
