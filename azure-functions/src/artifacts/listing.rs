//! Objects by age, for the sweep.

use azure_core::time::OffsetDateTime;
use azure_storage_blob::models::{BlobContainerClientListBlobsOptions, BlobItem};
use futures_util::StreamExt;
use wm_core::{storage::ObjectPath, value::Timestamp};
use wm_service::ports::PortError;

use super::{BlobArtifacts, PREFIX, within};
use crate::{error::port_error, sdk::Timeouts};

/// The service lists by name, starting at the given name.
pub(super) async fn older_than(
    store: &BlobArtifacts,
    time: Timestamp,
    after: Option<&ObjectPath>,
    limit: usize,
) -> Result<Vec<ObjectPath>, PortError> {
    let options = BlobContainerClientListBlobsOptions {
        prefix: Some(PREFIX.into()),
        start_from: after.map(ToString::to_string),
        ..Default::default()
    };
    let mut listed = store
        .container
        .list_blobs(Some(options))
        .map_err(port_error)?;
    let mut paths = Vec::new();
    while paths.len() < limit {
        let Some(item) = within(Timeouts::OBJECTS.operation, listed.next()).await? else {
            break;
        };
        let old = old(item.map_err(port_error)?, time);
        paths.extend(old.filter(|path| Some(path) != after));
    }
    Ok(paths)
}

/// The path of an object written before this time. Keys that are not object paths are ignored.
fn old(item: BlobItem, time: Timestamp) -> Option<ObjectPath> {
    let written: OffsetDateTime = item.properties?.last_modified?;
    let old = written.unix_timestamp() < time.millis().div_euclid(1000);
    item.name.filter(|_| old)?.parse().ok()
}
