//! Files, their versions, metadata and write events.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use indicatif::HumanBytes;
use serde_json::{Map, json};
use wm_client::{
    Destination, DownloadRequest, Method, Transfer,
    api::{
        artifacts::{Artifact, CurrentVersion},
        derived::NewDerived,
        metadata::NewMetadata,
        versions::{CompletedUpload, NewContent, VersionRef},
        write_events::NewWriteEvent,
    },
};
use wm_core::{
    operation::{ProblemKind, plan::UploadPlan},
    record::{Author, ContentStatus},
    value::{ArtifactId, ProjectId, Sha256, Size},
};

use super::fixture::{Person, Site, StepOutcome, ensure, valid};
use crate::{explain::Explained, failure::Failure, transfer::transfer};

/// An uploaded file.
#[derive(Debug, Clone)]
pub(super) struct Document {
    project: ProjectId,
    artifact: ArtifactId,
    file: PathBuf,
}

impl Document {
    fn path(&self) -> String {
        format!("/v1/projects/{}/artifacts/{}", self.project, self.artifact)
    }

    async fn read(&self, by: &Person) -> Result<(Artifact, CurrentVersion), Failure> {
        let artifact = by.client.artifact(self.project, self.artifact).await;
        let artifact = artifact.explained()?;
        let current = artifact.current.clone();
        let missing = || Failure::new("the document has no version yet; please report this");
        Ok((artifact, current.ok_or_else(missing)?))
    }

    async fn download(&self, by: &Person, out: &Path) -> Result<(), Failure> {
        let request = DownloadRequest {
            project: self.project,
            artifact: self.artifact,
            version: None,
            out: Some(out.to_owned()),
            overwrite: true,
        };
        let downloaded = transfer(&by.client).download(&request).await;
        downloaded.explained().map(drop)
    }
}

pub(super) async fn upload_files(
    site: &Site,
    by: &Person,
    project: ProjectId,
    files: &[PathBuf],
) -> StepOutcome<Document> {
    let mut outcome = Vec::new();
    let mut first = None;
    for file in files {
        let destination = Destination::of(file, project).explained()?;
        let uploaded = transfer(&by.client).upload(file, &destination).await;
        let uploaded = uploaded.explained()?;
        let document = Document {
            project,
            artifact: uploaded.artifact,
            file: file.clone(),
        };
        let (_, current) = document.read(by).await?;
        outcome.push(format!(
            "{} ({}): stored, read back and verified by its SHA-256.",
            destination.name,
            HumanBytes(current.size.bytes())
        ));
        first.get_or_insert(document);
    }
    let first = first.ok_or_else(|| Failure::usage("name at least one file"))?;
    ensure(
        site.data.join("objects").is_dir(),
        "the bytes are in the data directory",
    )?;
    Ok((first, outcome.join("\n")))
}

pub(super) async fn download_back(
    site: &Site,
    by: &Person,
    document: &Document,
) -> StepOutcome<()> {
    let out = site.downloads.join("first");
    document.download(by, &out).await?;
    ensure(
        same_bytes(&out, &document.file)?,
        "the same bytes came back",
    )?;
    Ok((
        (),
        "The signed URL is valid for minutes. The downloaded bytes are the same.".into(),
    ))
}

pub(super) async fn derive(by: &Person, document: &Document) -> StepOutcome<()> {
    let (artifact, current) = document.read(by).await?;
    let number = current.number;
    let summary = format!(
        "{} is version {number}: {}\n",
        artifact.name,
        json!(current)
    );
    let derived = NewDerived {
        source_version: number,
        kind: valid("summary")?,
        content: content(summary.as_bytes())?,
        supersedes: None,
    };
    let Document {
        project, artifact, ..
    } = *document;
    let created = by.client.create_derived(project, artifact, &derived).await;
    let created = created.explained()?;
    let sent = send(by, created.upload, summary.as_bytes()).await?;
    let id = created.derived.id;
    let completed = by.client.complete_derived(project, artifact, id, &sent);
    ensure(
        completed.await.explained()?.status == ContentStatus::Available,
        "the derived output is available",
    )?;
    let (_, after) = document.read(by).await?;
    ensure(after == current, "the version it came from is untouched")?;
    Ok((
        (),
        format!("summary.txt, made from version {number}. The version did not change."),
    ))
}

fn content(summary: &[u8]) -> Result<NewContent, Failure> {
    let size = Size::try_from(summary.len() as u64);
    Ok(NewContent {
        name: valid("summary.txt")?,
        media_type: valid("text/plain")?,
        size: size.map_err(|error| Failure::new(error.to_string()))?,
        sha256: Sha256::of(summary),
    })
}

/// Sends a small body by an upload plan.
async fn send(
    by: &Person,
    plan: Option<UploadPlan>,
    bytes: &[u8],
) -> Result<CompletedUpload, Failure> {
    let Some(plan @ UploadPlan::Single { .. }) = plan else {
        return Err(Failure::new(
            "the plan of a small upload has parts; please report this",
        ));
    };
    let sent = Transfer::new(&by.client).send(&plan, bytes).await;
    sent.map_err(|error| {
        Failure::because("the storage refused the bytes; please report this", error)
    })
}

pub(super) async fn annotate(by: &Person, document: &Document) -> StepOutcome<()> {
    let Document {
        project, artifact, ..
    } = *document;
    let values = [
        ("pages", json!(12)),
        ("language", json!("en")),
        ("checked", json!(true)),
    ];
    let metadata = NewMetadata {
        values: values
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect(),
    };
    let appended = by
        .client
        .append_metadata(project, artifact, &metadata)
        .await;
    appended.explained()?;
    let event = NewWriteEvent {
        kind: valid("review.note")?,
        text: valid("Figures on page 3 need a source.")?,
    };
    let event = by.client.append_write_event(project, artifact, &event);
    ensure(
        event.await.explained()?.revision.created_by == Author::User(by.id),
        "the event is authored by its caller",
    )?;
    let path = format!("{}/metadata", document.path());
    let none = NewMetadata { values: Map::new() };
    by.is_refused_with(Method::PATCH, &path, &none, ProblemKind::MethodNotAllowed)
        .await?;
    let outcome = "Both are append-only and name their author. An attempt to change one gets 405.";
    Ok(((), outcome.into()))
}

pub(super) async fn restore(
    site: &Site,
    ana: &Person,
    ben: &Person,
    document: &Document,
) -> StepOutcome<()> {
    let edited = edit(site, &document.file)?;
    let destination = Destination {
        artifact: Some(document.artifact),
        ..Destination::of(&edited, document.project).explained()?
    };
    let second = transfer(&ben.client).upload(&edited, &destination).await;
    let second = second.explained()?;
    ensure(second.version == 2, "the second upload is version 2")?;
    let Document {
        project, artifact, ..
    } = *document;
    let first = VersionRef {
        project,
        artifact,
        number: 1,
    };
    ana.client.restore_version(first).await.explained()?;
    let listed = ana.client.versions(project, artifact, None).await;
    let listed = listed.explained()?.items;
    ensure(listed.len() == 3, "there are three versions")?;
    let out = site.downloads.join("restored");
    document.download(ana, &out).await?;
    ensure(
        same_bytes(&out, &document.file)?,
        "the newest version has the first one's bytes",
    )?;
    let outcome = "Versions 1 and 2 stay. The restored bytes are version 3, the newest.";
    Ok(((), outcome.into()))
}

/// A copy with one more line, under the same name.
fn edit(site: &Site, file: &Path) -> Result<PathBuf, Failure> {
    let fault = |error| Failure::because(format!("`{}` cannot be copied", file.display()), error);
    let copy = site.downloads.join(file.file_name().unwrap_or_default());
    fs::copy(file, &copy).map_err(fault)?;
    let mut opened = OpenOptions::new().append(true).open(&copy).map_err(fault)?;
    opened.write_all(b"\nReviewed by Ben.\n").map_err(fault)?;
    Ok(copy)
}

fn same_bytes(first: &Path, second: &Path) -> Result<bool, Failure> {
    let read = |path: &Path| {
        fs::read(path).map_err(|error| {
            Failure::because(
                format!("`{}` cannot be read; check its permissions", path.display()),
                error,
            )
        })
    };
    Ok(read(first)? == read(second)?)
}
