//! Objects in a directory. An object is complete when it appears, and it is never overwritten.
//! Readers verify its digest.
//!
//! The digest of an object lies beside it, in a file with one line in the format of `sha256sum`.
//! The name of that file contains a `#`, which no object name does. Incomplete uploads lie in a
//! separate directory. All functions block.

use std::{
    fs::{self, DirEntry, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use wm_core::{
    operation::{Part, Stat},
    storage::ObjectPath,
    value::{Sha256, Timestamp, digest::Hasher},
};

use super::UploadId;
use crate::{
    data_directory::Layout,
    durable::{Temporary, create_directory, new_file, publish_new, replace_file, sync_directory},
    secrets::random_hex,
};

/// The age at which untouched parts are deleted. It exceeds the lifetime of every upload plan.
const PARTS_KEPT: Duration = Duration::from_hours(7 * 24);

/// The number of bytes per read or write.
pub(crate) const CHUNK: usize = 128 * 1024;

/// The directories of the store.
#[derive(Debug)]
pub struct ObjectStore {
    objects: PathBuf,
    incoming: PathBuf,
    parts: PathBuf,
    /// Held while an object gets its name, so that the stored digest is that of the object that was
    /// published.
    publishing: Mutex<()>,
}

impl ObjectStore {
    /// Opens the store of a data directory. It creates missing directories and removes incomplete
    /// files that a crash left.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn open(layout: &Layout) -> io::Result<Self> {
        let incoming = layout.incoming();
        let store = Self {
            objects: layout.objects(),
            parts: incoming.join("parts"),
            incoming,
            publishing: Mutex::new(()),
        };
        create_directory(&store.objects)?;
        create_directory(&store.parts)?;
        store.clear_leftovers()?;
        Ok(store)
    }

    fn clear_leftovers(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.incoming)? {
            let entry = entry?;
            if !entry.file_type()?.is_dir() {
                fs::remove_file(entry.path())?;
            }
        }
        for entry in fs::read_dir(&self.parts)? {
            let entry = entry?;
            let untouched = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
            if untouched > PARTS_KEPT {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    /// Starts an incoming file.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn begin(&self) -> io::Result<Incoming> {
        let temporary = Temporary(self.incoming.join(random_hex::<16>()?));
        let file = new_file(&temporary.0, 0o600)?;
        Ok(Incoming {
            temporary,
            file,
            hasher: Hasher::default(),
            size: 0,
        })
    }

    /// Moves an incoming file to its path, durably.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if the object exists, which stays unchanged, and other
    /// errors of the file system.
    pub fn publish(&self, incoming: Incoming, path: &ObjectPath) -> io::Result<Stat> {
        let sha256 = incoming.sha256();
        let (temporary, stat) = incoming.finish()?;
        let _turn = self
            .publishing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let object = self.object(path);
        if object.try_exists()? {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        create_directory(object.parent().unwrap_or(&object))?;
        // The digest is written first, so that every visible object has one.
        let line = format!("{sha256}  {}\n", path.file);
        replace_file(&self.digest(path), line.as_bytes(), 0o600)?;
        publish_new(&temporary.0, &object)?;
        Ok(stat)
    }

    /// The properties of an object. `None` if it does not exist.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] if its digest is missing, and other errors of the file
    /// system.
    pub fn stat(&self, path: &ObjectPath) -> io::Result<Option<Stat>> {
        let opened = self.open_object(path)?;
        Ok(opened.map(|(_, stat)| stat))
    }

    /// Opens an object for reading, with its properties.
    ///
    /// # Errors
    /// As [`ObjectStore::stat`].
    pub fn open_object(&self, path: &ObjectPath) -> io::Result<Option<(File, Stat)>> {
        let file = match File::open(self.object(path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let lost = || {
            let text = format!("the digest of `{path}` is missing; restore it from a backup");
            io::Error::new(io::ErrorKind::InvalidData, text)
        };
        let line = fs::read_to_string(self.digest(path)).map_err(|_| lost())?;
        let sha256: Option<Sha256> = line.get(..64).and_then(|digits| digits.parse().ok());
        let stat = Stat {
            size: file.metadata()?.len(),
            sha256: Some(sha256.ok_or_else(lost)?),
            version: None,
        };
        Ok(Some((file, stat)))
    }

    /// Whether an object exists.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn exists(&self, path: &ObjectPath) -> io::Result<bool> {
        self.object(path).try_exists()
    }

    /// Starts a multipart upload.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn begin_parts(&self) -> io::Result<UploadId> {
        let upload = UploadId::fresh()?;
        create_directory(&self.parts_of(&upload))?;
        Ok(upload)
    }

    /// Stores one part and overwrites an earlier attempt. Returns the ETag of the part: the SHA-256
    /// digest of its bytes.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if the upload is no longer open, and other errors of the file
    /// system.
    pub fn publish_part(
        &self,
        incoming: Incoming,
        upload: &UploadId,
        number: u16,
    ) -> io::Result<Sha256> {
        let sha256 = incoming.sha256();
        let (temporary, _) = incoming.finish()?;
        let directory = self.parts_of(upload);
        fs::rename(&temporary.0, directory.join(number.to_string()))?;
        sync_directory(&directory)?;
        Ok(sha256)
    }

    /// Joins the parts to an object. `None` if a part is missing or has another ETag. A repeated
    /// call after success gives the same result.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn assemble(
        &self,
        path: &ObjectPath,
        upload: &UploadId,
        parts: &[Part],
    ) -> io::Result<Option<Stat>> {
        if let Some(stat) = self.stat(path)? {
            return Ok(Some(stat));
        }
        let directory = self.parts_of(upload);
        let mut whole = self.begin()?;
        for part in parts {
            if !append_part(
                &mut whole,
                &directory.join(part.number.to_string()),
                &part.etag,
            )? {
                return Ok(None);
            }
        }
        let stat = match self.publish(whole, path) {
            // Another call assembled the object in the meantime.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.stat(path)?,
            published => Some(published?),
        };
        self.remove_parts(upload)?;
        Ok(stat)
    }

    /// Removes an object. A missing object is not an error.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn remove(&self, path: &ObjectPath) -> io::Result<()> {
        // The object is removed first: a digest without an object does no harm.
        remove_file(&self.object(path))?;
        remove_file(&self.digest(path))
    }

    /// Removes the parts of an upload. Missing parts are not an error.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn remove_parts(&self, upload: &UploadId) -> io::Result<()> {
        found(fs::remove_dir_all(self.parts_of(upload))).map(drop)
    }

    /// Objects last written before this time, ordered by path, starting after `after`.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn older_than(
        &self,
        time: Timestamp,
        after: Option<&ObjectPath>,
        limit: usize,
    ) -> io::Result<Vec<ObjectPath>> {
        let mut listing = Listing {
            time,
            after: after.map(|path| self.object(path)),
            limit,
            found: Vec::new(),
        };
        listing.visit(&self.objects, &self.objects)?;
        Ok(listing.found)
    }

    fn object(&self, path: &ObjectPath) -> PathBuf {
        self.objects.join(path.to_string())
    }

    fn digest(&self, path: &ObjectPath) -> PathBuf {
        self.objects.join(format!("{path}#sha256"))
    }

    fn parts_of(&self, upload: &UploadId) -> PathBuf {
        self.parts.join(upload.as_str())
    }
}

/// Turns [`io::ErrorKind::NotFound`] into `None`.
fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

fn remove_file(path: &Path) -> io::Result<()> {
    if found(fs::remove_file(path))?.is_some() {
        sync_directory(path.parent().unwrap_or(path))?;
    }
    Ok(())
}

/// Appends a part if it exists and its digest equals the ETag, with or without quotes.
fn append_part(whole: &mut Incoming, part: &Path, etag: &str) -> io::Result<bool> {
    let Some(mut file) = found(File::open(part))? else {
        return Ok(false);
    };
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; CHUNK];
    loop {
        let length = file.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..length).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        hasher.update(bytes);
        whole.write(bytes)?;
    }
    Ok(hasher.finish().to_string() == etag.trim_matches('"'))
}

/// An incoming file. It is removed unless it is published.
#[derive(Debug)]
pub struct Incoming {
    temporary: Temporary,
    file: File,
    hasher: Hasher,
    size: u64,
}

impl Incoming {
    /// Appends bytes.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// The digest of all bytes so far.
    #[must_use]
    pub fn sha256(&self) -> Sha256 {
        self.hasher.clone().finish()
    }

    /// The number of bytes so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    fn finish(self) -> io::Result<(Temporary, Stat)> {
        self.file.sync_all()?;
        let stat = Stat {
            size: self.size,
            sha256: Some(self.hasher.finish()),
            version: None,
        };
        Ok((self.temporary, stat))
    }
}

/// A traversal of the objects in the order of their paths, segment by segment.
struct Listing {
    time: Timestamp,
    after: Option<PathBuf>,
    limit: usize,
    found: Vec<ObjectPath>,
}

impl Listing {
    fn visit(&mut self, root: &Path, directory: &Path) -> io::Result<()> {
        let mut entries = fs::read_dir(directory)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(DirEntry::file_name);
        for entry in entries {
            if self.found.len() >= self.limit {
                break;
            }
            let path = entry.path();
            let before = |after: &PathBuf| path <= *after && !after.starts_with(&path);
            if self.after.as_ref().is_some_and(before) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                self.visit(root, &path)?;
            } else if self.after.as_ref() != Some(&path) && modified(&entry)? < self.time {
                // Ignore files whose paths are not object paths.
                let relative = path.strip_prefix(root).ok().and_then(Path::to_str);
                self.found
                    .extend(relative.and_then(|text| text.parse::<ObjectPath>().ok()));
            }
        }
        Ok(())
    }
}

fn modified(entry: &DirEntry) -> io::Result<Timestamp> {
    let time = entry.metadata()?.modified()?;
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Ok(Timestamp::from_millis(0).after(since))
}
