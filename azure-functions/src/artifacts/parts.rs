//! Uploads in parts: blocks, and the list that makes a blob of them.

use aws_lc_rs::rand;
use azure_core::http::Etag;
use azure_storage_blob::models::{BlockBlobClientCommitBlockListOptions, BlockLookupList};
use base64::{Engine, prelude::BASE64_STANDARD};
use wm_core::{
    operation::{Part, Stat},
    storage::ObjectPath,
};
use wm_service::ports::{PortError, PortErrorKind};

use super::{BlobArtifacts, code, content, within};
use crate::{error::port_error, sdk::Timeouts};

/// A name for a new upload. The service knows no uploads, only blocks; a name of its own keeps the blocks
/// of one apart from those of another to the same object, which nobody assembles.
pub(super) fn begin() -> Result<String, PortError> {
    let mut bytes = [0; 12];
    rand::fill(&mut bytes).map_err(|_| {
        let reason = "the system's random generator gave no bytes";
        PortError::new(PortErrorKind::Unavailable, reason)
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The name of a part's block. Names must be base64 and of one length; four such characters stand for three
/// bytes, so these 32 are base64 that needs neither padding nor encoding in an address.
pub(super) fn block_name(upload_id: &str, number: u16) -> String {
    format!("{upload_id}{number:08}")
}

/// Makes a blob of the blocks, in order, unless there is one. The service answers a block with no mark of
/// its own, so whatever a client says it got for one is nothing to go by: length and digest tell.
pub(super) async fn assemble(
    store: &BlobArtifacts,
    path: &ObjectPath,
    upload_id: &str,
    parts: &[Part],
) -> Result<Option<Stat>, PortError> {
    let names = parts
        .iter()
        .map(|part| BASE64_STANDARD.decode(block_name(upload_id, part.number)));
    let names = names
        .collect::<Result<_, _>>()
        .map_err(|error| PortError::new(PortErrorKind::Refused, error))?;
    let list = BlockLookupList {
        latest: Some(names),
        ..Default::default()
    };
    let options = BlockBlobClientCommitBlockListOptions {
        if_none_match: Some(Etag::from("*")),
        ..Default::default()
    };
    let blob = store.blob(path).block_blob_client();
    let list = list.try_into().map_err(port_error)?;
    let call = blob.commit_block_list(list, Some(options));
    match within(Timeouts::OBJECTS.operation, call).await? {
        // Read and hashed later, where nobody waits: whatever goes in parts is large.
        Ok(_) => content::stat(store, path, false).await,
        Err(error) => match code(&error) {
            // Assembled before, by this request or another one; or a block is missing, and then no blob is
            // there.
            Some("BlobAlreadyExists" | "ConditionNotMet" | "InvalidBlockList") => {
                content::stat(store, path, false).await
            }
            _ => Err(port_error(error)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_names_of_one_length_that_need_no_encoding() {
        let (one, other) = (begin().unwrap(), begin().unwrap());
        assert_ne!(one, other);
        for number in [1, 10, u16::MAX] {
            let name = block_name(&one, number);
            assert_eq!(name.len(), 32);
            assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            let bytes = BASE64_STANDARD.decode(&name).unwrap();
            assert_eq!(BASE64_STANDARD.encode(bytes), name);
        }
    }
}
