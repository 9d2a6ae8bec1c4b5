//! The object store: files in a directory, served by this node at signed URLs.

mod signed_url;
mod store;

use std::{fmt, io, str::FromStr, sync::Arc, time::Duration};

pub use signed_url::{FILES, Purpose, SignedUrl, SignedUrlError, Signer};
pub(crate) use store::CHUNK;
pub use store::{Incoming, ObjectStore};
use wm_core::{
    operation::{Part, SignDownload, SignUpload, Stat},
    storage::ObjectPath,
    value::{Invalid, Timestamp},
};
use wm_service::ports::{Artifacts, PortError, PortErrorKind, SignedRequest};

use crate::{
    blocking::{blocking, port_error},
    clock::now,
    secrets::random_hex,
};

/// The maximum lifetime of a signed URL, whatever the plan asks for.
const LONGEST: Duration = Duration::from_hours(24);

/// The id of a multipart upload: 32 random lower-case hexadecimal digits. It can be part of a path
/// and cannot be guessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadId(String);

impl UploadId {
    fn fresh() -> io::Result<Self> {
        random_hex::<16>().map(Self)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UploadId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let digits = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 32 && text.bytes().all(digits) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid("must be 32 lower-case hexadecimal digits"))
        }
    }
}

/// The object store port over a directory.
#[derive(Clone)]
pub struct LocalArtifacts {
    store: Arc<ObjectStore>,
    signer: Signer,
    public_url: String,
}

impl fmt::Debug for LocalArtifacts {
    /// Omits the key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("LocalArtifacts");
        shown.field("store", &self.store).finish_non_exhaustive()
    }
}

impl LocalArtifacts {
    /// The objects in `store`, served below `public_url` (without a trailing slash) at URLs signed
    /// by `signer`.
    #[must_use]
    pub fn new(store: Arc<ObjectStore>, signer: Signer, public_url: String) -> Self {
        Self {
            store,
            signer,
            public_url,
        }
    }

    /// Runs blocking file system work.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ObjectStore) -> io::Result<T> + Send + 'static,
    ) -> Result<T, PortError> {
        let store = Arc::clone(&self.store);
        blocking(move || work(&store)).await.map_err(port_error)
    }

    fn sign(
        &self,
        path: &ObjectPath,
        expires_at: Timestamp,
        purpose: Purpose,
        headers: Vec<(String, String)>,
    ) -> SignedRequest {
        let method = purpose.method();
        let signed_url = SignedUrl {
            path: path.clone(),
            expires_at: expires_at.min(now().after(LONGEST)),
            purpose,
        };
        let url = format!("{}{}", self.public_url, self.signer.write(&signed_url));
        SignedRequest {
            method,
            url,
            headers,
        }
    }
}

impl Artifacts for LocalArtifacts {
    async fn begin_parts(&self, _upload: &SignUpload) -> Result<String, PortError> {
        let upload = self.blocking(ObjectStore::begin_parts).await?;
        Ok(upload.as_str().to_owned())
    }

    async fn sign_upload(&self, upload: &SignUpload) -> Result<SignedRequest, PortError> {
        let purpose = Purpose::Upload {
            size: upload.size(),
            media_type: upload.media_type().clone(),
            sha256: upload.sha256(),
        };
        let media_type = upload.media_type().to_string();
        let headers = vec![("content-type".to_owned(), media_type)];
        Ok(self.sign(upload.path(), upload.expires_at(), purpose, headers))
    }

    async fn sign_parts(
        &self,
        upload: &SignUpload,
        upload_id: &str,
    ) -> Result<Vec<SignedRequest>, PortError> {
        let id = parse(upload_id)?;
        let part = |(number, size)| {
            let purpose = Purpose::Part {
                upload: UploadId::clone(&id),
                number,
                size,
            };
            self.sign(upload.path(), upload.expires_at(), purpose, Vec::new())
        };
        Ok(upload.parts().map(part).collect())
    }

    async fn sign_download(&self, download: &SignDownload) -> Result<SignedRequest, PortError> {
        let purpose = Purpose::Download {
            file: download.file().clone(),
            media_type: download.media_type().clone(),
        };
        Ok(self.sign(download.path(), download.expires_at(), purpose, Vec::new()))
    }

    async fn assemble(
        &self,
        path: &ObjectPath,
        upload_id: &str,
        parts: &[Part],
    ) -> Result<Option<Stat>, PortError> {
        let (path, upload, parts) = (path.clone(), parse(upload_id)?, parts.to_vec());
        self.blocking(move |store| store.assemble(&path, &upload, &parts))
            .await
    }

    async fn stat(&self, path: &ObjectPath, _hash: bool) -> Result<Option<Stat>, PortError> {
        let path = path.clone();
        self.blocking(move |store| store.stat(&path)).await
    }

    async fn remove(&self, path: &ObjectPath, upload_id: Option<&str>) -> Result<(), PortError> {
        let path = path.clone();
        let upload = upload_id.map(parse).transpose()?;
        self.blocking(move |store| match upload {
            Some(upload) => store.remove_parts(&upload),
            None => store.remove(&path),
        })
        .await
    }

    async fn older_than(
        &self,
        time: Timestamp,
        after: Option<&ObjectPath>,
        limit: u32,
    ) -> Result<Vec<ObjectPath>, PortError> {
        let after = after.cloned();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        self.blocking(move |store| store.older_than(time, after.as_ref(), limit))
            .await
    }
}

fn parse(upload_id: &str) -> Result<UploadId, PortError> {
    upload_id
        .parse()
        .map_err(|error: Invalid| PortError::new(PortErrorKind::Refused, error))
}
