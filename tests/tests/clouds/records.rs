//! The database adapters behave like the core's reference database, on the emulators of both
//! databases.

mod aws;
mod azure;

use wm_core::operation::Batch;
use wm_service::ports::Records;
use wm_tests::reference::{
    assert_agree, assert_largest_is_all_or_nothing, assert_pages_hold_all, assert_scopes_are_walked,
};

/// An emulator of a database.
trait Store {
    type Records: Records;

    /// The adapter over a new table or container of this name.
    async fn records(name: &str) -> Self::Records;

    /// Asserts the result of sending a committed batch again, as after a lost answer.
    async fn assert_repeats(_records: &Self::Records, _committed: &Batch) {}
}

async fn single_items_match_the_reference<S: Store>() {
    assert_agree(&S::records("single").await, 1).await;
}

async fn batches_match_the_reference<S: Store>() {
    assert_agree(&S::records("batches").await, 6).await;
}

async fn case_60_large_pages_hold_every_item_once<S: Store>() {
    assert_pages_hold_all(&S::records("pages").await).await;
}

async fn every_scope_with_a_head_is_on_one_page<S: Store>() {
    assert_scopes_are_walked(&S::records("scopes").await).await;
}

/// The largest batch that core makes is committed completely or not at all.
async fn case_54_and_59_largest_batch_is_all_or_nothing<S: Store>() {
    let records = S::records("largest").await;
    let largest = assert_largest_is_all_or_nothing(&records).await;
    S::assert_repeats(&records, &largest).await;
}
