use wm_core::{operation::SignUpload, storage::ObjectPath, value::*};

fn sign(path: ObjectPath, media_type: MediaType, size: Size, sha256: Sha256, expires_at: Timestamp) -> SignUpload {
    SignUpload { path, media_type, size, sha256, expires_at, upload_id: None }
}

fn main() {}
