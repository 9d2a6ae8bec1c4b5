//! From a folder to wherever a site is served from: what differs, and nothing else.

use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use wm_terminal::{
    failure::Failure,
    output::{line, plain},
};

use super::File;

/// What everything private begins with; no site has it.
pub const PRIVATE: &str = "accounts/";
/// How many objects are asked about at once.
const AT_ONCE: usize = 8;

/// Where the files of a site are kept.
pub trait Store {
    /// What it is, for people, with its name: the bucket `…`.
    fn title(&self) -> String;

    /// The flag that names another.
    fn flag(&self) -> &'static str;

    /// The keys of all it holds. What is not there yet holds nothing.
    fn keys(&self) -> impl Future<Output = Result<BTreeSet<String>, Failure>>;

    /// Whether it holds this file, byte for byte and in how it is served.
    fn has(&self, file: &File) -> impl Future<Output = Result<bool, Failure>>;

    fn put(&self, file: &File) -> impl Future<Output = Result<(), Failure>>;

    /// Takes a file away.
    fn remove(&self, key: &str) -> impl Future<Output = Result<(), Failure>>;
}

/// What has to be done to a store so that it holds a site and nothing else.
#[derive(Debug)]
pub struct Changes<'files> {
    /// What it lacks, in the order of the files.
    pub upload: Vec<&'files File>,
    /// What is no longer part of the site.
    pub remove: Vec<String>,
    /// How many files are as they have to be.
    pub unchanged: usize,
}

/// Compares a store with these files.
///
/// # Errors
/// When it holds documents, or does not say what it holds.
pub async fn compare<'files>(
    store: &impl Store,
    files: &'files [File],
) -> Result<Changes<'files>, Failure> {
    let there = store.keys().await?;
    if there.iter().any(|key| key.starts_with(PRIVATE)) {
        let (title, flag) = (store.title(), store.flag());
        return Err(Failure::new(format!(
            "{title} holds documents, below `{PRIVATE}`: choose another with `{flag}`"
        )));
    }
    let is_same = async |file: &'files File| {
        let is_same = there.contains(&file.key) && store.has(file).await?;
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

/// Carries changes out: pages last, so that none asks for what is not there yet, and removals after
/// them.
///
/// # Errors
/// When the store does not do it. Doing it again goes on from there.
pub async fn apply(
    store: &impl Store,
    changes: &Changes<'_>,
    progress: impl Fn(&str),
) -> Result<(), Failure> {
    for file in &changes.upload {
        progress(&format!("upload {}", file.key));
        store.put(file).await?;
    }
    for key in &changes.remove {
        progress(&format!("remove {}", plain(key)));
        store.remove(key).await?;
    }
    Ok(())
}

impl Changes<'_> {
    /// Says what will be done.
    ///
    /// # Errors
    /// As [`line()`].
    pub fn show(&self) -> Result<(), Failure> {
        for file in &self.upload {
            line(format!(
                "  upload  {}  {}, {}",
                file.key,
                file.media_type(),
                file.cache_control()
            ))?;
        }
        for key in &self.remove {
            line(format!("  remove  {}", plain(key)))?;
        }
        let (upload, remove) = (self.upload.len(), self.remove.len());
        let unchanged = self.unchanged;
        line(format!(
            "{upload} to upload, {remove} to remove, {unchanged} unchanged"
        ))
    }
}
