//! Publishing a site: only differences are uploaded or deleted.

use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use wm_terminal::{
    failure::Failure,
    output::{line, plain},
};

use super::File;

/// The prefix of all private objects. No site has it.
pub const PRIVATE: &str = "accounts/";
/// The number of concurrent requests.
const AT_ONCE: usize = 8;

/// The object store of a site.
pub trait Store {
    /// The store as text, such as "the bucket `…`".
    fn title(&self) -> String;

    /// The flag that selects another store.
    fn flag(&self) -> &'static str;

    /// All keys in the store. Empty if the store does not exist yet.
    fn keys(&self) -> impl Future<Output = Result<BTreeSet<String>, Failure>>;

    /// Whether the store has this file with the same bytes and the same headers.
    fn has(&self, file: &File) -> impl Future<Output = Result<bool, Failure>>;

    fn put(&self, file: &File) -> impl Future<Output = Result<(), Failure>>;

    /// Deletes a file.
    fn remove(&self, key: &str) -> impl Future<Output = Result<(), Failure>>;
}

/// The changes after which a store contains exactly the site.
#[derive(Debug)]
pub struct Changes<'files> {
    /// Missing or different files, in the order of the site.
    pub upload: Vec<&'files File>,
    /// Keys that are not part of the site.
    pub remove: Vec<String>,
    /// The number of unchanged files.
    pub unchanged: usize,
}

/// Compares a store with these files.
///
/// # Errors
/// If the store contains documents, or does not answer.
pub async fn compare<'files>(
    store: &impl Store,
    files: &'files [File],
) -> Result<Changes<'files>, Failure> {
    let there = store.keys().await?;
    if there.iter().any(|key| key.starts_with(PRIVATE)) {
        let (title, flag) = (store.title(), store.flag());
        return Err(Failure::new(format!(
            "{title} contains documents, below `{PRIVATE}`: choose another with `{flag}`"
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

/// Makes the changes. Pages are uploaded last, so that no page refers to a missing file. Deletions
/// follow.
///
/// # Errors
/// If the store refuses. Another run continues from there.
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
    /// Prints the changes.
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
