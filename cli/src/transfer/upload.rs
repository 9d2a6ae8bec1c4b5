//! Uploading one file by whatever plan the surface makes.

mod send;

use std::{path::Path, time::Duration};

use serde::Deserialize;
use serde_json::{Value, json};
use wm_core::{operation::plan::UploadPlan, record::ContentStatus, value::ArtifactId};

use self::send::send;
use super::{
    TransferError,
    destination::Destination,
    journal::{Journal, UnderWay},
    source::Source,
};
use crate::{
    client::{ApiError, Client},
    failure::Failure,
};

/// How often a plan is asked for again because the addresses of the one before ran out.
const PLANS: u32 = 8;
/// How long to wait between two looks at a version that is being verified.
const POLL: Duration = Duration::from_millis(500);

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Uploaded {
    /// The artifact.
    pub(crate) artifact: ArtifactId,
    /// The version's number.
    pub(crate) version: u32,
}

/// Uploads a file, going on where an earlier attempt stopped.
pub(crate) async fn upload(
    client: &Client,
    file: &Path,
    destination: &Destination,
) -> Result<Uploaded, Failure> {
    let source = Source::open(file).await?;
    let journal = Journal::of(client.server(), destination, &source);
    let upload = Upload {
        client,
        source: &source,
        destination,
        journal: &journal,
    };
    let (mut under_way, mut plan) = match upload.resume().await? {
        Resumed::Done(uploaded) => return Ok(uploaded),
        Resumed::Open(under_way, plan) => (under_way, plan),
        Resumed::Nothing => upload.begin().await?,
    };
    for _ in 0..PLANS {
        match send(client.http(), &source, &plan, &mut under_way, &journal).await {
            Ok(()) => return upload.complete(&under_way).await,
            // Bytes that came in before an answer was lost are there, which is all that was wanted.
            Err(TransferError::Present) => return upload.complete(&under_way).await,
            Err(TransferError::Expired) => match upload.ask_again(&under_way).await {
                Ok(again) => plan = again,
                // Once the bytes are there, an address that may only create is refused like one that ended.
                Err(ApiError::Refused(refusal)) if refusal.status == 409 => {
                    return upload.complete(&under_way).await;
                }
                Err(error) => return Err(error.into()),
            },
            Err(TransferError::Passing(failure) | TransferError::Final(failure)) => {
                return Err(failure);
            }
        }
    }
    Err(Failure::new(
        "the storage accepts none of the addresses it is given; check the clock of this machine",
    ))
}

/// What is left of an earlier attempt.
enum Resumed {
    /// Nothing that can be gone on with.
    Nothing,
    /// An upload that waits for bytes.
    Open(UnderWay, UploadPlan),
    /// An upload that needs nothing more.
    Done(Uploaded),
}

struct Upload<'a> {
    client: &'a Client,
    source: &'a Source,
    destination: &'a Destination,
    journal: &'a Journal,
}

#[derive(Deserialize)]
struct Created {
    #[serde(default)]
    artifact: Option<Artifact>,
    version: Version,
    upload: UploadPlan,
}

#[derive(Deserialize)]
struct Artifact {
    id: ArtifactId,
}

#[derive(Deserialize)]
struct Version {
    number: u32,
    status: ContentStatus,
}

#[derive(Deserialize)]
struct Again {
    upload: UploadPlan,
}

impl Upload<'_> {
    async fn begin(&self) -> Result<(UnderWay, UploadPlan), Failure> {
        let Destination {
            project,
            artifact,
            name,
            media_type,
        } = self.destination;
        let body = json!({
            "name": name, "media_type": media_type,
            "size": self.source.size, "sha256": self.source.sha256,
        });
        let path = match artifact {
            Some(artifact) => format!("/v1/projects/{project}/artifacts/{artifact}/versions"),
            None => format!("/v1/projects/{project}/artifacts"),
        };
        let created: Created = self.client.post(&path, &body).await?.parse()?;
        let artifact = created.artifact.map(|artifact| artifact.id).or(*artifact);
        let under_way = UnderWay {
            artifact: artifact
                .ok_or_else(|| Failure::new("the answer names no artifact; check `--server`"))?,
            version: created.version.number,
            part_size: 0,
            parts: std::collections::BTreeMap::new(),
        };
        self.journal.save(&under_way);
        Ok((under_way, created.upload))
    }

    /// What became of the upload an earlier attempt began.
    async fn resume(&self) -> Result<Resumed, Failure> {
        let Some(under_way) = self.journal.load() else {
            return Ok(Resumed::Nothing);
        };
        match self.ask_again(&under_way).await {
            Ok(plan) => Ok(Resumed::Open(under_way, plan)),
            // The bytes came meanwhile, or too late.
            Err(ApiError::Refused(refusal)) if refusal.status == 409 => {
                let path = self.version_path(&under_way);
                let version: Version = self.client.get(&path).await?;
                if matches!(
                    version.status,
                    ContentStatus::Available | ContentStatus::Verifying
                ) {
                    return self.settle(&under_way, version).await.map(Resumed::Done);
                }
                self.journal.forget();
                Ok(Resumed::Nothing)
            }
            Err(ApiError::Refused(refusal)) if refusal.status == 404 => {
                self.journal.forget();
                Ok(Resumed::Nothing)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn ask_again(&self, under_way: &UnderWay) -> Result<UploadPlan, ApiError> {
        let path = format!("{}/upload", self.version_path(under_way));
        let again: Again = self.client.post(&path, &json!({})).await?.parse()?;
        Ok(again.upload)
    }

    async fn complete(&self, under_way: &UnderWay) -> Result<Uploaded, Failure> {
        let path = format!("{}/complete", self.version_path(under_way));
        let completed = self.client.post(&path, &completion(under_way)).await;
        // Other bytes than declared, or nothing to complete: going on would end the same.
        let hopeless = |error: &ApiError| {
            let refusal = error.refusal();
            refusal
                .is_some_and(|refusal| refusal.status == 404 || refusal.kind == "upload-mismatch")
        };
        if completed.as_ref().is_err_and(hopeless) {
            self.journal.forget();
        }
        self.settle(under_way, completed?.parse()?).await
    }

    /// Waits until the bytes have been read and hashed.
    async fn settle(
        &self,
        under_way: &UnderWay,
        mut version: Version,
    ) -> Result<Uploaded, Failure> {
        while version.status.is_open() {
            tokio::time::sleep(POLL).await;
            version = self.client.get(&self.version_path(under_way)).await?;
        }
        self.journal.forget();
        if version.status != ContentStatus::Available {
            return Err(Failure::new(
                "the bytes that came are not the declared ones; check that the file does not change and try again",
            ));
        }
        Ok(Uploaded {
            artifact: under_way.artifact,
            version: under_way.version,
        })
    }

    fn version_path(&self, under_way: &UnderWay) -> String {
        let UnderWay {
            artifact, version, ..
        } = under_way;
        let project = self.destination.project;
        format!("/v1/projects/{project}/artifacts/{artifact}/versions/{version}")
    }
}

/// What completing says: nothing, or which parts there are.
fn completion(under_way: &UnderWay) -> Value {
    if under_way.parts.is_empty() {
        return json!({});
    }
    let parts = under_way.parts.iter();
    let parts: Vec<_> = parts
        .map(|(number, etag)| json!({ "number": number, "etag": etag }))
        .collect();
    json!({ "parts": parts })
}
