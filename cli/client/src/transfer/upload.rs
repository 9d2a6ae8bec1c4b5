//! Upload of one file by the upload plan of the surface.

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

/// The maximum number of upload plans. A new one is requested after the URLs of the previous one
/// expired.
const PLANS: u32 = 8;
/// The interval between two reads of a version under verification.
const POLL: Duration = Duration::from_millis(500);

/// An uploaded and verified file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uploaded {
    /// The document.
    pub artifact: ArtifactId,
    /// The version number.
    pub version: u32,
}

impl Transfer<'_> {
    /// Uploads a file and waits until the surface has verified it.
    ///
    /// A repeated call continues an interrupted upload: it sends the missing parts.
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

/// The result of an earlier attempt.
enum Earlier {
    /// No attempt that can continue.
    Nothing,
    /// An upload that waits for bytes.
    Open(UnfinishedUpload, UploadPlan),
    /// An upload whose bytes arrived.
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
                // `Present`: the bytes arrived, but the answer was lost.
                Ok(()) | Err(ObjectError::Present) => return self.complete(&unfinished).await,
                Err(ObjectError::Expired) => match self.renew(&unfinished).await {
                    Ok(renewed) => plan = renewed,
                    // If the bytes have arrived, the object store can refuse a create-only URL as
                    // if it had expired.
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
        Err(TransferErrorKind::SignedUrlsRefused.into())
    }

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

    /// Reads the state of an earlier attempt.
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

    /// Sends the bytes of the plan that have not arrived yet.
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
        if completed.as_ref().is_err_and(cannot_complete) {
            self.resume_file.forget();
        }
        self.verified(unfinished, completed?).await
    }

    /// Waits until the surface has verified the bytes.
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

/// Whether completion failed permanently: the bytes differ from the declaration, or there is
/// nothing to complete.
fn cannot_complete(error: &ApiError) -> bool {
    let problem = error.problem();
    problem.is_some_and(|problem| problem.status == 404 || problem.is(ProblemKind::UploadMismatch))
}
