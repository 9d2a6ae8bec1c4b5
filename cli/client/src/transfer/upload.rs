//! Uploading one file by the plan of the surface.

mod send;

use std::{path::Path, time::Duration};

use wm_core::{
    operation::{ProblemKind, plan::UploadPlan},
    record::ContentStatus,
    value::ArtifactId,
};

use self::send::Sender;
use super::{
    content::Content,
    destination::Destination,
    error::{TransferError, TransferErrorKind},
    meter::Meter,
    object::ObjectError,
    progress::Phase,
    resume::{ResumeFile, SentParts, UnfinishedUpload},
    settings::Transfer,
    source::Source,
};
use crate::{
    api::{
        artifacts::CreatedArtifact,
        versions::{CreatedVersion, NewContent, Version, VersionRef},
    },
    client::Client,
    error::ApiError,
};

/// How many plans to ask for, each after the URLs of the one before have expired.
const PLANS: u32 = 8;
/// The time between two reads of a version that is being verified.
const POLL: Duration = Duration::from_millis(500);

/// An uploaded and verified file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uploaded {
    /// The artifact.
    pub artifact: ArtifactId,
    /// The version's number.
    pub version: u32,
}

impl Transfer<'_> {
    /// Uploads a file and waits until the surface has verified it.
    ///
    /// The same call continues an interrupted upload: it sends the parts that are missing.
    ///
    /// # Errors
    /// Any [`TransferError`].
    pub async fn upload(
        &self,
        file: &Path,
        destination: &Destination,
    ) -> Result<Uploaded, TransferError> {
        let source = Source::open(file, self.progress.clone()).await?;
        let client = self.client;
        let directory = self.resume_directory.as_deref();
        let resume_file = ResumeFile::of(directory, client.server(), destination, &source);
        let upload = Upload {
            transfer: self,
            client,
            source: &source,
            destination,
            resume_file: &resume_file,
        };
        upload.run().await
    }
}

/// What an earlier attempt left.
enum Earlier {
    /// Nothing that can continue.
    Nothing,
    /// An upload that waits for bytes.
    Open(UnfinishedUpload, UploadPlan),
    /// An upload whose bytes have arrived.
    Done(Uploaded),
}

struct Upload<'a> {
    transfer: &'a Transfer<'a>,
    client: &'a Client,
    source: &'a Source,
    destination: &'a Destination,
    resume_file: &'a ResumeFile,
}

impl Upload<'_> {
    async fn run(&self) -> Result<Uploaded, TransferError> {
        let (mut unfinished, mut plan) = match self.resume().await? {
            Earlier::Done(uploaded) => return Ok(uploaded),
            Earlier::Open(unfinished, plan) => (unfinished, plan),
            Earlier::Nothing => self.declare().await?,
        };
        for _ in 0..PLANS {
            match self.send(&plan, &mut unfinished).await {
                // `Present`: the bytes arrived before an answer was lost.
                Ok(()) | Err(ObjectError::Present) => return self.complete(&unfinished).await,
                Err(ObjectError::Expired) => match self.renew(&unfinished).await {
                    Ok(renewed) => plan = renewed,
                    // Once the bytes are there, storage may refuse a URL that can only create as if it had expired.
                    Err(error) if error.is_status(409) => {
                        return self.complete(&unfinished).await;
                    }
                    Err(error) => return Err(error.into()),
                },
                Err(ObjectError::Transient(error) | ObjectError::Final(error)) => {
                    return Err(error);
                }
            }
        }
        Err(TransferErrorKind::AddressesRefused.into())
    }

    /// Declares the upload.
    async fn declare(&self) -> Result<(UnfinishedUpload, UploadPlan), TransferError> {
        let Destination {
            project, artifact, ..
        } = *self.destination;
        let content = NewContent {
            name: self.destination.name.clone(),
            media_type: self.destination.media_type.clone(),
            size: self.source.size,
            sha256: self.source.sha256,
        };
        let (artifact, version, plan) = match artifact {
            Some(artifact) => {
                let created = self.client.create_version(project, artifact, &content);
                let CreatedVersion { version, upload } = created.await?;
                (artifact, version, upload)
            }
            None => {
                let created = self.client.create_artifact(project, &content).await?;
                let CreatedArtifact {
                    artifact,
                    version,
                    upload,
                } = created;
                (artifact.id, version, upload)
            }
        };
        let unfinished = UnfinishedUpload {
            artifact,
            version: version.number,
            sent: SentParts::default(),
        };
        self.resume_file.save(&unfinished);
        Ok((unfinished, plan.ok_or(TransferErrorKind::NoPlan)?))
    }

    /// Finds out what became of an earlier attempt.
    async fn resume(&self) -> Result<Earlier, TransferError> {
        let Some(unfinished) = self.resume_file.load() else {
            return Ok(Earlier::Nothing);
        };
        match self.renew(&unfinished).await {
            Ok(plan) => Ok(Earlier::Open(unfinished, plan)),
            // The bytes arrived meanwhile, or too late.
            Err(error) if error.is_status(409) => {
                let version = self.client.version(self.version(&unfinished)).await?;
                if matches!(
                    version.status,
                    ContentStatus::Available | ContentStatus::Verifying
                ) {
                    return self.verified(&unfinished, version).await.map(Earlier::Done);
                }
                self.resume_file.forget();
                Ok(Earlier::Nothing)
            }
            Err(error) if error.is_status(404) => {
                self.resume_file.forget();
                Ok(Earlier::Nothing)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn renew(&self, unfinished: &UnfinishedUpload) -> Result<UploadPlan, ApiError> {
        self.client.renew_upload(self.version(unfinished)).await
    }

    /// Sends the bytes that the plan asks for and that have not arrived.
    async fn send(
        &self,
        plan: &UploadPlan,
        unfinished: &mut UnfinishedUpload,
    ) -> Result<(), ObjectError> {
        let size = self.source.size.bytes();
        let name = self.source.path.display().to_string();
        let meter = Meter::begin(&*self.transfer.progress, Phase::Uploading, &name, size);
        let content = Content::File(self.source.path.clone());
        let sender = Sender::new(self.client, &content, size, &meter);
        let UnfinishedUpload {
            artifact,
            version,
            sent,
        } = unfinished;
        let save = |sent: &SentParts| {
            self.resume_file.save(&UnfinishedUpload {
                artifact: *artifact,
                version: *version,
                sent: sent.clone(),
            });
        };
        sender.send(plan, sent, save).await?;
        meter.finish();
        Ok(())
    }

    async fn complete(&self, unfinished: &UnfinishedUpload) -> Result<Uploaded, TransferError> {
        let version = self.version(unfinished);
        let parts = unfinished.sent.completion();
        let completed = self.client.complete_upload(version, &parts).await;
        if completed.as_ref().is_err_and(is_hopeless) {
            self.resume_file.forget();
        }
        self.verified(unfinished, completed?).await
    }

    /// Waits until the surface has read and hashed the bytes.
    async fn verified(
        &self,
        unfinished: &UnfinishedUpload,
        mut version: Version,
    ) -> Result<Uploaded, TransferError> {
        while version.status.is_open() {
            tokio::time::sleep(POLL).await;
            version = self.client.version(self.version(unfinished)).await?;
        }
        self.resume_file.forget();
        if version.status != ContentStatus::Available {
            return Err(TransferErrorKind::UploadMismatch.into());
        }
        Ok(Uploaded {
            artifact: unfinished.artifact,
            version: unfinished.version,
        })
    }

    fn version(&self, unfinished: &UnfinishedUpload) -> VersionRef {
        VersionRef {
            project: self.destination.project,
            artifact: unfinished.artifact,
            number: unfinished.version,
        }
    }
}

/// Whether completing failed for good: other bytes than declared, or nothing to complete.
fn is_hopeless(error: &ApiError) -> bool {
    let problem = error.problem();
    problem.is_some_and(|problem| problem.status == 404 || problem.is(ProblemKind::UploadMismatch))
}
