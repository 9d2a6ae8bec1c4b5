//! The bucket of a site.

use std::collections::BTreeSet;

use aws_sdk_s3::{
    Client, error::ProvideErrorMetadata, operation::head_object::HeadObjectOutput,
    primitives::ByteStream, types::ChecksumMode,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use wm_core::value::Sha256;
use wm_deploy::site::{File, Store};
use wm_terminal::failure::Failure;

use crate::account::{Account, failed};

#[derive(Debug)]
pub struct Bucket {
    client: Client,
    name: String,
    account: String,
}

impl Bucket {
    pub(crate) fn new(account: &Account, name: &str) -> Self {
        Self {
            client: account.s3(),
            name: name.to_owned(),
            account: account.id.clone(),
        }
    }
}

impl Store for Bucket {
    fn title(&self) -> String {
        format!("the bucket `{}`", self.name)
    }

    fn flag(&self) -> &'static str {
        "--site-bucket"
    }

    async fn keys(&self) -> Result<BTreeSet<String>, Failure> {
        let request = self.client.list_objects_v2().bucket(&self.name);
        let request = request.expected_bucket_owner(&self.account);
        let mut pages = request.into_paginator().send();
        let mut keys = BTreeSet::new();
        while let Some(page) = pages.next().await {
            match page {
                Ok(page) => keys.extend(
                    page.contents
                        .unwrap_or_default()
                        .into_iter()
                        .filter_map(|object| object.key),
                ),
                Err(error) if error.code() == Some("NoSuchBucket") => break,
                Err(error) => return Err(failed("s3:ListBucket")(error)),
            }
        }
        Ok(keys)
    }

    /// Whether the object has the bytes and the headers of this file.
    async fn has(&self, file: &File) -> Result<bool, Failure> {
        let request = self.client.head_object().bucket(&self.name).key(&file.key);
        let request = request.checksum_mode(ChecksumMode::Enabled);
        let request = request.expected_bucket_owner(&self.account);
        let found = request.send().await.map_err(failed("s3:GetObject"))?;
        let HeadObjectOutput {
            content_type,
            cache_control,
            checksum_sha256,
            ..
        } = found;
        Ok(checksum_sha256.is_some_and(|found| found == digest(file))
            && content_type.as_deref() == Some(file.media_type())
            && cache_control.as_deref() == Some(file.cache_control()))
    }

    async fn put(&self, file: &File) -> Result<(), Failure> {
        let request = self.client.put_object().bucket(&self.name).key(&file.key);
        let request = request
            .expected_bucket_owner(&self.account)
            .content_type(file.media_type())
            .cache_control(file.cache_control())
            .checksum_sha256(digest(file))
            .body(ByteStream::from(file.bytes.clone()));
        request.send().await.map_err(failed("s3:PutObject"))?;
        Ok(())
    }

    async fn remove(&self, key: &str) -> Result<(), Failure> {
        let request = self.client.delete_object().bucket(&self.name).key(key);
        let request = request.expected_bucket_owner(&self.account);
        request.send().await.map_err(failed("s3:DeleteObject"))?;
        Ok(())
    }
}

/// The digest in base64, as the service returns it.
fn digest(file: &File) -> String {
    STANDARD.encode(Sha256::of(&file.bytes).as_bytes())
}
