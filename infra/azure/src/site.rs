//! The container of a site.

use std::collections::BTreeSet;

use wm_core::value::Sha256;
use wm_deploy::{
    site::{File, Store},
    wait::{Pauses, TIMEOUT},
};
use wm_terminal::{failure::Failure, output::notice};

use crate::{account::Account, blobs::Blobs, deployment::Names, setup::baseline::BASELINE};

/// The container from which the service serves a site.
const WEB: &str = "$web";
/// The metadata with the SHA-256 digest of a blob. The service stores only a weaker digest.
const DIGEST: &str = "x-ms-meta-sha256";

/// The container of a site. Empty if its account does not exist yet.
#[derive(Debug)]
pub struct Web {
    account: String,
    blobs: Option<Blobs>,
    /// Whether the account exists and serves no site.
    has_no_site: bool,
}

impl Web {
    /// The container in the account of this name.
    ///
    /// # Errors
    /// If the manager does not answer.
    pub(crate) async fn find(account: &Account, names: &Names) -> Result<Self, Failure> {
        let name = &names.site_account;
        let id = names
            .resource_group(&account.subscription)
            .storage_account(name);
        let api = BASELINE.storage.api;
        let found = account.arm.get(&id, api).await?;
        let endpoint = found.as_ref().and_then(|found| {
            let blob = found.pointer("/properties/primaryEndpoints/blob")?;
            blob.as_str()
        });
        let blobs = endpoint.map(|endpoint| Blobs::new(account, endpoint, WEB));
        let pages = format!("{id}/blobServices/default/containers/{WEB}");
        let pages = account.arm.get(&pages, api).await?;
        Ok(Self {
            account: name.clone(),
            blobs: blobs.transpose()?,
            has_no_site: found.is_some() && pages.is_none(),
        })
    }

    /// Refuses an account without a site: it has another purpose, and a deployment would change its
    /// rules.
    ///
    /// # Errors
    /// If the account serves no site.
    pub(crate) fn ensure_is_site(&self) -> Result<(), Failure> {
        if self.has_no_site {
            let account = &self.account;
            return Err(Failure::usage(format!(
                "the storage account `{account}` exists already and serves no site: choose another with \
                 `--site-account`"
            )));
        }
        Ok(())
    }

    /// Waits up to three minutes until a new role assignment takes effect.
    ///
    /// # Errors
    /// If it does not take effect.
    pub(crate) async fn ready(&self) -> Result<(), Failure> {
        self.blobs()?;
        let deadline = tokio::time::Instant::now() + TIMEOUT;
        let mut pauses = Pauses::default();
        let mut is_reported = false;
        while self.names().await?.is_none() {
            if tokio::time::Instant::now() > deadline {
                return Err(self.denied());
            }
            if !std::mem::replace(&mut is_reported, true) {
                notice("waiting for the permission to upload");
            }
            pauses.next().await;
        }
        Ok(())
    }

    async fn names(&self) -> Result<Option<Vec<String>>, Failure> {
        match &self.blobs {
            Some(blobs) => blobs.names().await,
            None => Ok(Some(Vec::new())),
        }
    }

    fn denied(&self) -> Failure {
        let account = &self.account;
        Failure::new(format!(
            "you may not upload to the storage account `{account}`: request the role Storage Blob Data Contributor there and try again"
        ))
    }

    fn blobs(&self) -> Result<&Blobs, Failure> {
        self.blobs.as_ref().ok_or_else(|| {
            let account = &self.account;
            Failure::new(format!(
                "the storage account `{account}` does not exist yet: run this again"
            ))
        })
    }
}

impl Store for Web {
    fn title(&self) -> String {
        format!("the storage account `{}`", self.account)
    }

    fn flag(&self) -> &'static str {
        "--site-account"
    }

    async fn keys(&self) -> Result<BTreeSet<String>, Failure> {
        let names = self.names().await?;
        Ok(names.ok_or_else(|| self.denied())?.into_iter().collect())
    }

    /// Whether the blob has the bytes and the headers of this file.
    async fn has(&self, file: &File) -> Result<bool, Failure> {
        let Some(found) = self.blobs()?.head(&file.key).await? else {
            return Ok(false);
        };
        Ok(found.header(DIGEST) == Some(&digest(file))
            && found.header("content-type") == Some(file.media_type())
            && found.header("cache-control") == Some(file.cache_control()))
    }

    async fn put(&self, file: &File) -> Result<(), Failure> {
        let headers = [
            ("x-ms-blob-type", "BlockBlob".to_owned()),
            ("x-ms-blob-content-type", file.media_type().to_owned()),
            ("x-ms-blob-cache-control", file.cache_control().to_owned()),
            (DIGEST, digest(file)),
        ];
        let body = file.bytes.clone().into();
        self.blobs()?.put(&file.key, &headers, body).await
    }

    async fn remove(&self, key: &str) -> Result<(), Failure> {
        self.blobs()?.remove(key, None).await
    }
}

fn digest(file: &File) -> String {
    Sha256::of(&file.bytes).to_string()
}
