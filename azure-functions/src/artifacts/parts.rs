//! Uploads in parts: blocks, and the block list that makes a blob of them.

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

/// An id for a new upload. The service knows only blocks. The id separates the blocks of one upload
/// from those of another upload of the same object, which are never committed.
pub(super) fn begin() -> Result<String, PortError> {
    let mut bytes = [0; 12];
    rand::fill(&mut bytes).map_err(|_| {
        let reason = "the random generator of the system failed";
        PortError::new(PortErrorKind::Unavailable, reason)
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The name of a part's block. Names must be base64 of equal length. Four such characters encode
/// three bytes, so these 32 characters are valid base64 without padding, and need no encoding in a
/// URL.
pub(super) fn block_name(upload_id: &str, number: u16) -> String {
    format!("{upload_id}{number:08}")
}

/// Makes a blob of the blocks, in order, unless the blob exists. The service returns no ETag for a
/// block, so the ETags of the client are ignored; length and digest are verified.
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
        // Objects uploaded in parts are large. They are read and hashed later, when no request
        // waits.
        Ok(_) => content::stat(store, path, false).await,
        Err(error) => match code(&error) {
            // This request or another one has already assembled the object. Or a block is missing,
            // and no blob exists.
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
    fn block_names_have_equal_length_and_need_no_encoding() {
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
