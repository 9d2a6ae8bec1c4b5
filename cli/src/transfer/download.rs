//! Downloading one version, verified before it gets its name.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use reqwest::{
    Response, StatusCode,
    header::{CONTENT_RANGE, RANGE},
};
use serde::Deserialize;
use serde_json::json;
use wm_core::{
    operation::plan::DownloadAddress,
    value::{ArtifactId, FileName, ProjectId, Sha256, digest::Hasher},
};

use super::{TransferError, progress::bar, source::read_to_end, wait};
use crate::{client::Client, failure::Failure, retry::Backoff};

/// How often an address is asked for again because the one before ran out.
const ADDRESSES: u32 = 8;

/// What to download.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// The project.
    pub(crate) project: ProjectId,
    /// The artifact.
    pub(crate) artifact: ArtifactId,
    /// The version; the newest if it is not given.
    pub(crate) version: Option<u32>,
    /// Where to put it; under its own name in the current directory if it is not given.
    pub(crate) out: Option<PathBuf>,
    /// Whether an existing file may be replaced.
    pub(crate) force: bool,
}

#[derive(Deserialize)]
struct Artifact {
    current: Option<Current>,
}

#[derive(Deserialize)]
struct Current {
    number: u32,
}

#[derive(Debug, Deserialize)]
struct Version {
    name: FileName,
    size: u64,
    sha256: Sha256,
}

/// Downloads a version and answers where it is now.
pub(crate) async fn download(client: &Client, wanted: &Wanted) -> Result<PathBuf, Failure> {
    let Wanted {
        project, artifact, ..
    } = wanted;
    let artifact = format!("/v1/projects/{project}/artifacts/{artifact}");
    let number = match wanted.version {
        Some(number) => number,
        None => newest(client, &artifact).await?,
    };
    let path = format!("{artifact}/versions/{number}");
    let version: Version = client.get(&path).await?;
    let out = wanted
        .out
        .clone()
        .unwrap_or_else(|| version.name.as_str().into());
    refuse_overwriting(&out, wanted.force)?;
    let partial = Partial::open(&out, &version)?;
    let mut download = Download {
        client,
        version: &version,
        path,
        partial,
    };
    download.fetch().await?;
    download.partial.publish(&version, &out, wanted.force)?;
    Ok(out)
}

async fn newest(client: &Client, artifact: &str) -> Result<u32, Failure> {
    let artifact: Artifact = client.get(artifact).await?;
    let current = artifact.current.map(|current| current.number);
    current.ok_or_else(|| {
        Failure::new(
            "the artifact has no version that can be downloaded yet; complete an upload first",
        )
    })
}

fn refuse_overwriting(out: &Path, force: bool) -> Result<(), Failure> {
    if !force && out.exists() {
        return Err(Failure::new(format!(
            "`{}` exists already; choose another name with `--out`, or replace it with `--force`",
            out.display()
        )));
    }
    Ok(())
}

struct Download<'a> {
    client: &'a Client,
    version: &'a Version,
    path: String,
    partial: Partial,
}

impl Download<'_> {
    /// Fetches what is missing.
    async fn fetch(&mut self) -> Result<(), Failure> {
        for _ in 0..ADDRESSES {
            let path = format!("{}/download", self.path);
            let address: DownloadAddress = self.client.post(&path, &json!({})).await?.parse()?;
            match self.fetch_from(&address).await {
                Ok(()) => return Ok(()),
                Err(TransferError::Expired) => {}
                Err(TransferError::Passing(failure) | TransferError::Final(failure)) => {
                    return Err(failure);
                }
                Err(TransferError::Present) => {
                    return Err(Failure::new(
                        "the storage refused to hand the object out; try again",
                    ));
                }
            }
        }
        Err(Failure::new(
            "the storage accepts none of the addresses it is given; check the clock of this machine",
        ))
    }

    async fn fetch_from(&mut self, address: &DownloadAddress) -> Result<(), TransferError> {
        let mut backoff = Backoff::default();
        while self.partial.length < self.version.size {
            let before = self.partial.length;
            let error = match self.once(address).await {
                Ok(()) => TransferError::Passing(Failure::new(
                    "the storage stopped in the middle; run the same command again to go on",
                )),
                Err(error) => error,
            };
            if self.partial.length > before {
                backoff.reset();
            }
            if self.partial.length < self.version.size {
                wait(&mut backoff, error).await?;
            }
        }
        Ok(())
    }

    async fn once(&mut self, address: &DownloadAddress) -> Result<(), TransferError> {
        let mut request = self.client.http().get(&address.url);
        for (name, value) in &address.headers {
            request = request.header(name, value);
        }
        let from = self.partial.length;
        if from > 0 {
            request = request.header(RANGE, format!("bytes={from}-"));
        }
        let response = request.send().await.map_err(TransferError::on_the_way)?;
        match response.status() {
            StatusCode::PARTIAL_CONTENT if begins_at(&response, from) => {}
            StatusCode::OK => self.partial.restart().map_err(TransferError::Final)?,
            status if status.is_success() => {
                return Err(TransferError::Final(Failure::new(
                    "the storage answered another range than it was asked for; try again",
                )));
            }
            status => return Err(TransferError::of(status)),
        }
        self.receive(response).await
    }

    async fn receive(&mut self, mut response: Response) -> Result<(), TransferError> {
        let progress = bar(self.version.size, self.version.name.as_str(), "downloading");
        progress.set_position(self.partial.length);
        while let Some(chunk) = response.chunk().await.map_err(TransferError::on_the_way)? {
            if chunk.len() as u64 > self.version.size - self.partial.length {
                self.partial.restart().map_err(TransferError::Final)?;
                return Err(TransferError::Final(Failure::new(
                    "the storage sends more bytes than the version has; try again",
                )));
            }
            self.partial.append(&chunk).map_err(TransferError::Final)?;
            progress.set_position(self.partial.length);
        }
        progress.finish_and_clear();
        Ok(())
    }
}

/// Whether a partial answer begins where it was asked to (RFC 9110 section 14.4).
fn begins_at(response: &Response, from: u64) -> bool {
    let range = response
        .headers()
        .get(CONTENT_RANGE)
        .and_then(|range| range.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {from}-")))
}

/// A file that is not whole yet, beside the place it will have. Its name holds the digest it must
/// have, so that what is left of one version is never taken for another.
struct Partial {
    path: PathBuf,
    file: File,
    length: u64,
    hasher: Hasher,
}

impl Partial {
    fn open(out: &Path, version: &Version) -> Result<Self, Failure> {
        let name = out
            .file_name()
            .map(|name| name.to_string_lossy())
            .unwrap_or_default();
        let digits: String = version.sha256.to_string().chars().take(16).collect();
        let path = out.with_file_name(format!(".{name}.{digits}.part"));
        let fault = |error| unwritable(&path, error);
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .append(true)
            .create(true)
            .open(&path)
            .map_err(fault)?;
        let mut hasher = Hasher::default();
        let length = read_to_end(&mut file, |bytes| hasher.update(bytes)).map_err(fault)?;
        let mut partial = Self {
            path,
            file,
            length,
            hasher,
        };
        if length > version.size {
            partial.restart()?;
        }
        Ok(partial)
    }

    fn restart(&mut self) -> Result<(), Failure> {
        self.length = 0;
        self.hasher = Hasher::default();
        self.file
            .set_len(0)
            .map_err(|error| unwritable(&self.path, error))
    }

    fn append(&mut self, chunk: &[u8]) -> Result<(), Failure> {
        self.file
            .write_all(chunk)
            .map_err(|error| unwritable(&self.path, error))?;
        self.hasher.update(chunk);
        self.length += chunk.len() as u64;
        Ok(())
    }

    /// Gives the file its name once it is durable and its bytes are the declared ones.
    fn publish(self, version: &Version, out: &Path, force: bool) -> Result<(), Failure> {
        if self.hasher.finish() != version.sha256 {
            let _ = fs::remove_file(&self.path);
            return Err(Failure::new(
                "the bytes that came are not the version's; nothing was kept, try again",
            ));
        }
        self.file
            .sync_all()
            .map_err(|error| unwritable(&self.path, error))?;
        refuse_overwriting(out, force)?;
        fs::rename(&self.path, out).map_err(|error| unwritable(out, error))?;
        let directory = out.parent().filter(|parent| !parent.as_os_str().is_empty());
        // Not every system can sync a directory; the bytes are safe either way.
        let _ = File::open(directory.unwrap_or(Path::new(".")))
            .and_then(|directory| directory.sync_all());
        Ok(())
    }
}

fn unwritable(path: &Path, error: std::io::Error) -> Failure {
    Failure::because(
        format!(
            "`{}` cannot be written; check the directory and the free space",
            path.display()
        ),
        error,
    )
}
