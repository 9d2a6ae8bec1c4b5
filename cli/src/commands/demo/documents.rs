//! Files, their versions, and what is said of them.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use indicatif::HumanBytes;
use reqwest::Method;
use serde_json::{Value, json};
use wm_core::{
    operation::plan::UploadPlan,
    value::{ArtifactId, ProjectId, Sha256},
};

use super::stage::{Person, Site, Told, ensure, field, shown};
use crate::{
    failure::Failure,
    transfer::{
        destination::Destination,
        download::{Wanted, download},
        upload::upload,
    },
};

/// A file that was uploaded.
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

    fn wanted(&self, out: PathBuf) -> Wanted {
        Wanted {
            project: self.project,
            artifact: self.artifact,
            version: None,
            out: Some(out),
            force: true,
        }
    }
}

pub(super) async fn upload_files(
    site: &Site,
    by: &Person,
    project: ProjectId,
    files: &[PathBuf],
) -> Told<Document> {
    let mut told = Vec::new();
    let mut first = None;
    for file in files {
        let destination = Destination::of(file, project)?;
        let uploaded = upload(&by.client, file, &destination).await?;
        let document = Document {
            project,
            artifact: uploaded.artifact,
            file: file.clone(),
        };
        let artifact = by.get(&document.path()).await?;
        let current: Value = field(&artifact, "current")?;
        let size: u64 = field(&current, "size")?;
        told.push(format!(
            "{} ({}): stored, read back and verified by its SHA-256.",
            destination.name,
            HumanBytes(size)
        ));
        first.get_or_insert(document);
    }
    let first = first.ok_or_else(|| Failure::usage("name at least one file"))?;
    ensure(
        site.data.join("objects").is_dir(),
        "the bytes are in the data directory",
    )?;
    Ok((first, told.join("\n")))
}

pub(super) async fn download_back(site: &Site, by: &Person, document: &Document) -> Told<()> {
    let out = site.downloads.join("first");
    download(&by.client, &document.wanted(out.clone())).await?;
    ensure(
        same_bytes(&out, &document.file)?,
        "the same bytes came back",
    )?;
    Ok((
        (),
        "Through an address that lives for minutes; the same bytes came back.".into(),
    ))
}

pub(super) async fn derive(by: &Person, document: &Document) -> Told<()> {
    let artifact = by.get(&document.path()).await?;
    let current: Value = field(&artifact, "current")?;
    let number: u32 = field(&current, "number")?;
    let summary = format!(
        "{} is version {number}: {current}\n",
        shown(&artifact, "name")
    );
    let body = json!({
        "source_version": number, "kind": "summary", "name": "summary.txt",
        "media_type": "text/plain", "size": summary.len(), "sha256": Sha256::of(summary.as_bytes()),
    });
    let path = format!("{}/derived", document.path());
    let created = by.post(&path, &body).await?;
    let derived: Value = field(&created, "derived")?;
    put(by, &field(&created, "upload")?, summary.into_bytes()).await?;
    let path = format!("{path}/{}", shown(&derived, "id"));
    let completed = by.post(&format!("{path}/complete"), &json!({})).await?;
    ensure(
        shown(&completed, "status") == "available",
        "the derived output is available",
    )?;
    let after = by.get(&document.path()).await?;
    ensure(
        after.get("current") == Some(&current),
        "the version it came from is untouched",
    )?;
    Ok((
        (),
        format!("summary.txt, made from version {number}, which stays as it is."),
    ))
}

/// Sends a small body where a plan says.
async fn put(by: &Person, plan: &UploadPlan, bytes: Vec<u8>) -> Result<(), Failure> {
    let UploadPlan::Single { url, headers, .. } = plan else {
        return Err(Failure::new(
            "a few bytes are to go in parts; please report this",
        ));
    };
    let mut request = by.client.http().put(url).body(bytes);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let sent = request
        .send()
        .await
        .and_then(reqwest::Response::error_for_status);
    sent.map(drop).map_err(|error| {
        Failure::because(
            "the storage took no bytes; please report this",
            error.without_url(),
        )
    })
}

pub(super) async fn annotate(by: &Person, document: &Document) -> Told<()> {
    let metadata = format!("{}/metadata", document.path());
    let values = json!({ "values": { "pages": 12, "language": "en", "checked": true } });
    by.post(&metadata, &values).await?;
    let events = format!("{}/events", document.path());
    let event = json!({ "kind": "review.note", "text": "Figures on page 3 need a source." });
    let event = by.post(&events, &event).await?;
    ensure(
        shown(&event, "created_by") == by.id.to_string(),
        "the event is authored by its caller",
    )?;
    let none = json!({ "values": {} });
    by.is_refused(Method::PATCH, &metadata, Some(&none), "method-not-allowed")
        .await?;
    let told = "Both are append-only and carry their author; changing one: 405.";
    Ok(((), told.into()))
}

pub(super) async fn restore(
    site: &Site,
    ana: &Person,
    ben: &Person,
    document: &Document,
) -> Told<()> {
    let edited = edit(site, &document.file)?;
    let mut destination = Destination::of(&edited, document.project)?;
    destination.artifact = Some(document.artifact);
    let second = upload(&ben.client, &edited, &destination).await?;
    ensure(second.version == 2, "the second upload is version 2")?;
    let versions = format!("{}/versions", document.path());
    ana.post(&format!("{versions}/1/restore"), &json!({}))
        .await?;
    let listed = ana.get(&versions).await?;
    let listed: Vec<Value> = field(&listed, "items")?;
    ensure(listed.len() == 3, "there are three versions")?;
    let out = site.downloads.join("restored");
    download(&ana.client, &document.wanted(out.clone())).await?;
    ensure(
        same_bytes(&out, &document.file)?,
        "the newest version has the first one's bytes",
    )?;
    let told = "Versions 1 and 2 stay; the restored bytes are version 3, and the newest.";
    Ok(((), told.into()))
}

/// A copy with one line more, under the same name.
fn edit(site: &Site, file: &Path) -> Result<PathBuf, Failure> {
    let fault = |error| Failure::because(format!("`{}` cannot be copied", file.display()), error);
    let copy = site.downloads.join(file.file_name().unwrap_or_default());
    fs::copy(file, &copy).map_err(fault)?;
    let mut opened = OpenOptions::new().append(true).open(&copy).map_err(fault)?;
    opened.write_all(b"\nReviewed by Ben.\n").map_err(fault)?;
    Ok(copy)
}

fn same_bytes(left: &Path, right: &Path) -> Result<bool, Failure> {
    let read = |path: &Path| {
        fs::read(path).map_err(|error| {
            Failure::because(
                format!("`{}` cannot be read; check its permissions", path.display()),
                error,
            )
        })
    };
    Ok(read(left)? == read(right)?)
}
