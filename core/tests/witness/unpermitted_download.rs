use wm_core::{operation::SignDownload, storage::ObjectPath, value::*};

fn sign(path: ObjectPath, file: FileName, media_type: MediaType, expires_at: Timestamp) -> SignDownload {
    SignDownload { path, object_version: None, file, media_type, expires_at }
}

fn main() {}
