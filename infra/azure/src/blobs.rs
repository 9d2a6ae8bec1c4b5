//! The blobs of one container, with the rights of the operator.
//! <https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api>

use azure_core::{
    Bytes,
    http::{Method, StatusCode},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use wm_terminal::failure::Failure;

use crate::{
    account::Account,
    setup::{
        self,
        rest::{Answer, Header, Rest},
    },
};

/// The API version of Blob Storage.
const VERSION: &str = "2024-11-04";
/// The token scope of all storage accounts.
const SCOPE: &str = "https://storage.azure.com/.default";
/// Characters that a path need not encode.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'$');
/// Actions, named as in roles.
const READ: &str = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read";
const WRITE: &str = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write";
const DELETE: &str = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete";

#[derive(Debug, Clone)]
pub(crate) struct Blobs {
    rest: Rest,
    container: String,
}

/// The used part of one page of a listing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    blobs: Listed,
    #[serde(default)]
    next_marker: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Listed {
    blob: Vec<Blob>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Blob {
    name: String,
}

impl Blobs {
    /// The container with this name in the account with this blob endpoint.
    ///
    /// # Errors
    /// If the endpoint is not a safe URL.
    pub(crate) fn new(account: &Account, endpoint: &str, container: &str) -> Result<Self, Failure> {
        let rest = account.service("the URL of the storage account", endpoint, SCOPE)?;
        Ok(Self {
            rest,
            container: container.to_owned(),
        })
    }

    /// The names of all blobs. Empty if the container does not exist. `None` if the operator may
    /// not list them.
    ///
    /// # Errors
    /// If the service does not answer.
    pub(crate) async fn names(&self) -> Result<Option<Vec<String>>, Failure> {
        let mut names = Vec::new();
        let mut marker = String::new();
        loop {
            let marked = utf8_percent_encode(&marker, NON_ALPHANUMERIC);
            let container = utf8_percent_encode(&self.container, IN_PATH);
            let path = format!("/{container}?restype=container&comp=list&marker={marked}");
            let answer = self
                .send(READ, Method::Get, &path, &[], Bytes::new())
                .await?;
            match answer.status {
                StatusCode::NotFound => return Ok(Some(names)),
                StatusCode::Forbidden => return Ok(None),
                status if !status.is_success() => return Err(refused(READ, &answer)),
                _ => {}
            }
            let page: Page = azure_core::xml::from_xml(&answer.body).map_err(|error| {
                Failure::because("the list of blobs has an unknown format", error)
            })?;
            names.extend(page.blobs.blob.into_iter().map(|blob| blob.name));
            match page.next_marker.filter(|marker| !marker.is_empty()) {
                Some(next) => marker = next,
                None => return Ok(Some(names)),
            }
        }
    }

    /// The headers of a blob. `None` if it does not exist.
    ///
    /// # Errors
    /// If the service does not answer.
    pub(crate) async fn head(&self, name: &str) -> Result<Option<Answer>, Failure> {
        self.request(Method::Head, name).await
    }

    /// Reads a blob. `None` if it does not exist.
    ///
    /// # Errors
    /// If the service does not answer.
    pub(crate) async fn get(&self, name: &str) -> Result<Option<Answer>, Failure> {
        self.request(Method::Get, name).await
    }

    async fn request(&self, method: Method, name: &str) -> Result<Option<Answer>, Failure> {
        let path = self.path(name);
        let answer = self.send(READ, method, &path, &[], Bytes::new()).await?;
        match answer.status {
            StatusCode::NotFound => Ok(None),
            status if status.is_success() => Ok(Some(answer)),
            _ => Err(refused(READ, &answer)),
        }
    }

    /// Writes a blob and overwrites an existing one.
    ///
    /// # Errors
    /// If the service refuses.
    pub(crate) async fn put(
        &self,
        name: &str,
        headers: &[Header],
        body: Bytes,
    ) -> Result<(), Failure> {
        let path = self.path(name);
        let answer = self.send(WRITE, Method::Put, &path, headers, body).await?;
        match answer.status.is_success() {
            true => Ok(()),
            false => Err(refused(WRITE, &answer)),
        }
    }

    /// Deletes a blob if its ETag is unchanged. A missing blob counts as deleted.
    ///
    /// # Errors
    /// If the service refuses.
    pub(crate) async fn remove(&self, name: &str, tag: Option<&str>) -> Result<(), Failure> {
        let condition = tag.map(|tag| ("if-match", tag.to_owned()));
        let path = self.path(name);
        let headers: Vec<Header> = condition.into_iter().collect();
        let sent = self.send(DELETE, Method::Delete, &path, &headers, Bytes::new());
        let answer = sent.await?;
        match answer.status {
            StatusCode::NotFound => Ok(()),
            status if status.is_success() => Ok(()),
            _ => Err(refused(DELETE, &answer)),
        }
    }

    fn path(&self, name: &str) -> String {
        let container = utf8_percent_encode(&self.container, IN_PATH);
        format!("/{container}/{}", utf8_percent_encode(name, IN_PATH))
    }

    async fn send(
        &self,
        action: &str,
        method: Method,
        path: &str,
        headers: &[Header],
        body: Bytes,
    ) -> Result<Answer, Failure> {
        let version = ("x-ms-version", VERSION.to_owned());
        let headers: Vec<Header> = headers.iter().cloned().chain([version]).collect();
        let sent = self.rest.send(action, method, path, &headers, body);
        Ok(sent.await?)
    }
}

fn refused(action: &str, answer: &Answer) -> Failure {
    setup::refused(action, answer.status, &answer.body).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listing_of_any_length_is_read() {
        let page = |blobs: &str| -> Page {
            let text = format!(
                "<?xml version=\"1.0\"?><EnumerationResults ContainerName=\"x\"><Blobs>{blobs}</Blobs><NextMarker /></EnumerationResults>"
            );
            azure_core::xml::from_xml(text.as_bytes()).unwrap()
        };
        let names = |page: Page| page.blobs.blob.into_iter().map(|blob| blob.name).collect();
        let none: Vec<String> = names(page(""));
        assert_eq!(none, [""; 0]);
        let blob = "<Blob><Name>a&amp;b.txt</Name><Properties><Etag>1</Etag></Properties></Blob>";
        let two: Vec<String> = names(page(&format!("{blob}{blob}")));
        assert_eq!(two, ["a&b.txt", "a&b.txt"]);
    }
}
