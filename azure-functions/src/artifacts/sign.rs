//! Shared access signatures. Each allows one purpose, for one object, for a limited time.
//!
//! In addition to object, permission and time, a signature can bind headers (`srh`) and query
//! parameters (`srq`) of the request, from version 2026-04-06 on:
//! <https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas>.

use std::{sync::Arc, time::Duration};

use azure_storage_common::models::UserDelegationKey;
use azure_storage_sas::{SasBuilder, SasProtocol, blob::BlobState};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use wm_core::{
    operation::{SignDownload, SignUpload},
    storage::ObjectPath,
    value::{FileName, MediaType, Timestamp},
};
use wm_service::{
    clock::now,
    ports::{PortError, SignedRequest},
};

use super::{BlobArtifacts, delegation::Window, parts::block_name};
use crate::{config::Storage, error::port_error};

/// The maximum lifetime of a URL, whatever the plan asks for.
const LONGEST: Duration = Duration::from_hours(24);

/// The header that the service requires for every new blob, with the value for files.
const BLOB_TYPE: (&str, &str) = ("x-ms-blob-type", "BlockBlob");

/// Characters that a parameter need not encode: RFC 3986 section 2.3.
const PARAMETER: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Characters that a path need not encode: those of a parameter, and `/`.
const PATH: &AsciiSet = &PARAMETER.remove(b'/');

/// The common data of URLs that expire at the same time.
pub(super) struct Signer<'a> {
    storage: &'a Storage,
    window: Window,
    key: Arc<UserDelegationKey>,
}

impl<'a> Signer<'a> {
    pub(super) async fn new(
        store: &'a BlobArtifacts,
        expires_at: Timestamp,
    ) -> Result<Self, PortError> {
        let window = Window::until(now(), expires_at, LONGEST)?;
        Ok(Self {
            storage: &store.storage,
            window,
            key: store.keys.covering(window).await?,
        })
    }

    /// The permission to create is sufficient, and it never overwrites.
    pub(super) fn upload(&self, upload: &SignUpload) -> Result<SignedRequest, PortError> {
        let headers = [("content-type", upload.media_type().as_str()), BLOB_TYPE];
        let mut signature = self
            .blob(upload.path())?
            .create()
            .signed_request_header("content-length", upload.size().bytes().to_string());
        for (name, value) in headers {
            signature = signature.signed_request_header(name, value);
        }
        Ok(SignedRequest {
            method: "PUT",
            url: self.url(upload.path(), &signature.build()),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        })
    }

    /// One request for each part.
    pub(super) fn parts(
        &self,
        upload: &SignUpload,
        upload_id: &str,
    ) -> Result<Vec<SignedRequest>, PortError> {
        let part = |(number, size)| self.part(upload.path(), upload_id, number, size);
        upload.parts().map(part).collect()
    }

    /// Sending a block needs the permission to write, which alone would also overwrite blobs. Bound
    /// to the query parameters of one block, it only allows sending that block. A block has no
    /// effect until a block list names it.
    fn part(
        &self,
        path: &ObjectPath,
        upload_id: &str,
        number: u16,
        size: u64,
    ) -> Result<SignedRequest, PortError> {
        let parameters = [
            ("comp", "block"),
            ("blockid", &block_name(upload_id, number)),
        ];
        let mut signature = self
            .blob(path)?
            .write()
            .signed_request_header("content-length", size.to_string());
        for (name, value) in parameters {
            signature = signature.signed_request_query_parameter(name, value);
        }
        let [first, second] =
            parameters.map(|(name, value)| format!("{name}={}", encode(value, PARAMETER)));
        let query = format!("{first}&{second}&{}", signature.build());
        Ok(SignedRequest {
            method: "PUT",
            url: self.url(path, &query),
            headers: Vec::new(),
        })
    }

    /// A GET of exactly the verified version, as an attachment with its file name.
    pub(super) fn download(&self, download: &SignDownload) -> Result<SignedRequest, PortError> {
        self.download_of(
            download.path(),
            download.object_version(),
            download.file(),
            download.media_type(),
        )
    }

    fn download_of(
        &self,
        path: &ObjectPath,
        version: Option<&str>,
        file: &FileName,
        media_type: &MediaType,
    ) -> Result<SignedRequest, PortError> {
        let mut signature = self
            .blob(path)?
            .read()
            .content_type(media_type.as_str())
            .content_disposition(file.attachment())
            .cache_control("private, no-store");
        let mut recorded = String::new();
        if let Some(version) = version {
            signature = signature.version(version);
            recorded = format!("versionid={}&", encode(version, PARAMETER));
        }
        let query = format!("{recorded}{}", signature.build());
        Ok(SignedRequest {
            method: "GET",
            url: self.url(path, &query),
            headers: Vec::new(),
        })
    }

    fn blob(&self, path: &ObjectPath) -> Result<SasBuilder<'_, BlobState>, PortError> {
        let Storage {
            account, container, ..
        } = self.storage;
        let builder = SasBuilder::new(account, &self.key, self.window.end).map_err(port_error)?;
        Ok(builder
            .start(self.window.start)
            .protocol(SasProtocol::Https)
            .blob(container, path.to_string()))
    }

    fn url(&self, path: &ObjectPath, query: &str) -> String {
        let Storage {
            endpoint,
            container,
            ..
        } = self.storage;
        let path = encode(&path.to_string(), PATH);
        format!("{endpoint}/{container}/{path}?{query}")
    }
}

fn encode(text: &str, kept: &'static AsciiSet) -> String {
    utf8_percent_encode(text, kept).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: &str = "accounts/acc_01arz3ndektsv4rrffq69g5fav/projects/prj_01arz3ndektsv4rrffq69g5fav01arz3ndektsv4rrffq69g5faw/artifacts/art_01arz3ndektsv4rrffq69g5fav/raw/1/é b.html";

    fn storage() -> Storage {
        Storage {
            account: "docs".into(),
            endpoint: "https://docs.blob.core.windows.net".into(),
            container: "workspace-documents".into(),
        }
    }

    /// The signed resource and its parameters.
    fn downloaded(version: Option<&str>) -> (String, String) {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let window = Window::until(now, now.after(Duration::from_mins(15)), LONGEST).unwrap();
        let key = UserDelegationKey {
            signed_oid: Some("oid".into()),
            signed_tid: Some("tid".into()),
            signed_start: Some(window.start),
            signed_expiry: Some(window.end),
            signed_service: Some("b".into()),
            signed_version: Some("2026-04-06".into()),
            value: Some(vec![7; 32]),
            ..Default::default()
        };
        let storage = storage();
        let signer = Signer {
            storage: &storage,
            window,
            key: Arc::new(key),
        };
        let (file, media_type) = ("é b.html".parse().unwrap(), "text/html".parse().unwrap());
        let path = OBJECT.parse().unwrap();
        let signed = signer
            .download_of(&path, version, &file, &media_type)
            .unwrap();
        assert_eq!((signed.method, signed.headers.len()), ("GET", 0));
        let (url, query) = signed.url.split_once('?').unwrap();
        (url.to_owned(), query.to_owned())
    }

    #[test]
    fn case_45_download_url_names_the_recorded_version() {
        let (_, of_any) = downloaded(None);
        assert!(!of_any.contains("versionid"), "{of_any}");
        assert!(of_any.contains("&sr=b&"), "{of_any}");
        let (_, of_one) = downloaded(Some("2026-11-28T13:00:00.1234567Z"));
        let version = "versionid=2026-11-28T13%3A00%3A00.1234567Z&sv=";
        assert!(of_one.starts_with(version), "{of_one}");
        assert!(of_one.contains("&sr=bv&"), "{of_one}");
        let signature = |query: &str| query.rsplit_once("&sig=").unwrap().1.to_owned();
        let (_, of_another) = downloaded(Some("2026-11-28T13:00:00.1234568Z"));
        assert_ne!(signature(&of_one), signature(&of_any));
        assert_ne!(signature(&of_one), signature(&of_another));
    }

    #[test]
    fn case_49_download_is_an_attachment_and_never_cached() {
        let (url, query) = downloaded(None);
        assert!(
            url.starts_with("https://docs.blob.core.windows.net/workspace-documents/accounts/acc_")
        );
        assert!(url.ends_with("/raw/1/%C3%A9%20b.html"), "{url}");
        for part in [
            "&sp=r&",
            "&spr=https&",
            "rsct=text%2Fhtml",
            "rscd=attachment%3B",
        ] {
            assert!(query.contains(part), "{query} lacks {part}");
        }
        assert!(query.contains("rscc=private%2C%20no-store"), "{query}");
    }
}
