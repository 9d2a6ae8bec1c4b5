//! From a folder to a bucket: what differs, and nothing else.

use std::collections::BTreeSet;

use aws_sdk_s3::{
    Client, error::ProvideErrorMetadata, operation::head_object::HeadObjectOutput,
    primitives::ByteStream, types::ChecksumMode,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::{StreamExt, TryStreamExt, stream};
use wm_core::value::Sha256;

use super::File;
use crate::{
    account::{Account, failed},
    failure::Failure,
};

/// What everything private begins with; no site has it.
const PRIVATE: &str = "accounts/";
/// How many objects are asked about at once.
const AT_ONCE: usize = 8;

/// The bucket of a site.
#[derive(Debug)]
pub(crate) struct Bucket {
    client: Client,
    name: String,
    account: String,
}

/// What has to be done to a bucket so that it holds a site and nothing else.
#[derive(Debug)]
pub(crate) struct Changes<'files> {
    /// What it lacks, in the order of the files.
    pub(crate) upload: Vec<&'files File>,
    /// What is no longer part of the site.
    pub(crate) remove: Vec<String>,
    /// How many files are as they have to be.
    pub(crate) unchanged: usize,
}

impl Bucket {
    /// The bucket of this name.
    pub(crate) fn new(account: &Account, name: &str) -> Self {
        Self {
            client: account.s3(),
            name: name.to_owned(),
            account: account.id.clone(),
        }
    }

    /// Compares the bucket with these files. A bucket that is not there yet holds nothing.
    ///
    /// # Errors
    /// When it holds documents, or the service does not say what it holds.
    pub(crate) async fn compare<'files>(
        &self,
        files: &'files [File],
    ) -> Result<Changes<'files>, Failure> {
        let there = self.keys().await?;
        if there.iter().any(|key| key.starts_with(PRIVATE)) {
            let name = &self.name;
            return Err(Failure::new(format!(
                "the bucket `{name}` holds documents, below `{PRIVATE}`: choose another with `--site-bucket`"
            )));
        }
        let is_same = async |file: &'files File| {
            let is_same = there.contains(&file.key) && self.has(file).await?;
            Ok::<_, Failure>((file, is_same))
        };
        let compared: Vec<_> = stream::iter(files)
            .map(is_same)
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let wanted: BTreeSet<&String> = files.iter().map(|file| &file.key).collect();
        let upload = compared.iter().filter(|(_, is_same)| !is_same);
        let upload: Vec<_> = upload.map(|(file, _)| *file).collect();
        Ok(Changes {
            unchanged: compared.len() - upload.len(),
            upload,
            remove: there
                .iter()
                .filter(|key| !wanted.contains(key))
                .cloned()
                .collect(),
        })
    }

    /// Carries changes out: pages last, so that none asks for what is not there yet, and removals
    /// after them.
    ///
    /// # Errors
    /// When the service does not do it. Doing it again goes on from there.
    pub(crate) async fn apply(
        &self,
        changes: &Changes<'_>,
        progress: impl Fn(&str),
    ) -> Result<(), Failure> {
        for file in &changes.upload {
            progress(&format!("upload {}", file.key));
            self.put(file).await?;
        }
        for key in &changes.remove {
            progress(&format!("remove {key}"));
            let request = self.client.delete_object().bucket(&self.name).key(key);
            let request = request.expected_bucket_owner(&self.account);
            request.send().await.map_err(failed("s3:DeleteObject"))?;
        }
        Ok(())
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

    /// Whether the object is this file, byte for byte and in how it is served.
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
}

/// As the service gives it: in base 64.
fn digest(file: &File) -> String {
    STANDARD.encode(Sha256::of(&file.bytes).as_bytes())
}
