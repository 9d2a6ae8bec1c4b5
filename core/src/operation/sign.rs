//! What an operation asks of the object store: signed URLs, once everything is committed, and putting parts
//! together. Each carries the permit for it.

use alloc::{format, string::String, vec::Vec};

use super::{Part, Problem};
use crate::{
    permission::Permit,
    storage::{ObjectPath, Scope, UploadLimits},
    value::{Capability, FileName, MediaType, Sha256, Size, Timestamp},
};

/// The capabilities that let bytes be uploaded.
const UPLOADING: [Capability; 3] = [
    Capability::ArtifactCreate,
    Capability::VersionCreate,
    Capability::DerivedCreate,
];

/// Whether a permit is for one of these capabilities in the project of this object.
fn check(permit: &Permit, path: &ObjectPath, capabilities: &[Capability]) -> Result<(), Problem> {
    let scope = Scope::Project(path.project);
    let mut allowed = capabilities.iter();
    if allowed.any(|capability| permit.is_for(*capability, scope)) {
        return Ok(());
    }
    let right = permit.right();
    let text = format!("a permit for `{right}` does not cover `{path}`");
    Err(Problem::internal(text))
}

/// A URL to sign. It carries the permit, so nothing is signed for a caller who was not allowed.
#[derive(Debug, Clone)]
pub enum Sign {
    /// A plan for uploading; becomes the member `upload` of the answer.
    Upload(SignUpload),
    /// An address for downloading; becomes the answer.
    Download(SignDownload),
}

/// An upload to be planned: one PUT, or parts above [`UploadLimits::single_limit`].
#[derive(Debug, Clone)]
pub struct SignUpload {
    permit: Permit,
    /// The one object it may create.
    pub path: ObjectPath,
    /// Its media type.
    pub media_type: MediaType,
    /// Its size.
    pub size: Size,
    /// Its digest.
    pub sha256: Sha256,
    /// When the plan ends.
    pub expires_at: Timestamp,
    /// The provider's name of the multipart upload begun before, when a plan is issued again.
    pub upload_id: Option<String>,
    /// Those of the surface.
    pub limits: UploadLimits,
}

impl SignUpload {
    /// An upload that this permit allows.
    ///
    /// # Errors
    /// 500, because it is a fault of this program: for a permit that covers no upload to this project.
    pub fn new(
        permit: Permit,
        path: ObjectPath,
        media_type: MediaType,
        size: Size,
        sha256: Sha256,
        expires_at: Timestamp,
    ) -> Result<Self, Problem> {
        check(&permit, &path, &UPLOADING)?;
        Ok(Self {
            permit,
            path,
            media_type,
            size,
            sha256,
            expires_at,
            upload_id: None,
            limits: UploadLimits::default(),
        })
    }

    /// Who may upload, and where.
    #[must_use]
    pub fn permit(&self) -> &Permit {
        &self.permit
    }

    /// Whether it is uploaded in parts.
    #[must_use]
    pub fn is_multipart(&self) -> bool {
        self.limits.in_parts(self.size)
    }

    /// The parts with their sizes, numbered from 1.
    pub fn parts(&self) -> impl Iterator<Item = (u16, u64)> {
        let (size, part_size) = (self.size.bytes(), self.limits.part_size);
        (1..=self.limits.part_count(self.size)).map(move |number| {
            let start = u64::from(number - 1) * part_size;
            (number, part_size.min(size - start))
        })
    }
}

/// A download to be signed.
#[derive(Debug, Clone)]
pub struct SignDownload {
    permit: Permit,
    /// The object.
    pub path: ObjectPath,
    /// The provider's version of it that was verified.
    pub object_version: Option<String>,
    /// The name the browser saves it under.
    pub file: FileName,
    /// The type it is served as.
    pub media_type: MediaType,
    /// When the address ends.
    pub expires_at: Timestamp,
}

impl SignDownload {
    /// A download that this permit allows.
    ///
    /// # Errors
    /// 500, because it is a fault of this program: for a permit that covers no download from this project.
    pub fn new(
        permit: Permit,
        path: ObjectPath,
        object_version: Option<String>,
        file: FileName,
        media_type: MediaType,
        expires_at: Timestamp,
    ) -> Result<Self, Problem> {
        check(&permit, &path, &[Capability::ArtifactDownload])?;
        Ok(Self {
            permit,
            path,
            object_version,
            file,
            media_type,
            expires_at,
        })
    }

    /// Who may download, and where.
    #[must_use]
    pub fn permit(&self) -> &Permit {
        &self.permit
    }
}

/// A multipart upload to put together. Doing so again after success changes nothing.
#[derive(Debug, Clone)]
pub struct Assembly {
    /// The object.
    pub path: ObjectPath,
    /// The provider's name for the upload.
    pub upload_id: String,
    /// The parts, ascending.
    pub parts: Vec<Part>,
}

impl Assembly {
    /// The object that these parts make, which this permit allows to be uploaded.
    ///
    /// # Errors
    /// As [`SignUpload::new`].
    pub fn new(
        permit: Permit,
        path: ObjectPath,
        upload_id: String,
        parts: Vec<Part>,
    ) -> Result<Self, Problem> {
        check(&permit, &path, &UPLOADING)?;
        Ok(Self {
            path,
            upload_id,
            parts,
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::{string::String, vec};

    use super::*;
    use crate::{
        storage::ObjectKind,
        testing::Fixture,
        value::{ArtifactId, ProjectId, id::Id},
    };

    /// Permits of an owner for each of these capabilities on one project.
    fn permits<const N: usize>(capabilities: [Capability; N]) -> (ProjectId, [Permit; N]) {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let account = fixture.account(&ana);
        let project: ProjectId = fixture.project(&ana, &account).parse().unwrap();
        let records = fixture.project_records(project, ana.actor.user);
        let access = records.access(fixture.now);
        let permit = |capability| access.permit(project, capability).unwrap();
        (project, capabilities.map(permit))
    }

    fn object(project: ProjectId) -> ObjectPath {
        ObjectPath {
            project,
            artifact: ArtifactId::from_ulid(ulid::Ulid::nil()),
            kind: ObjectKind::Raw(1),
            file: "report.pdf".parse().unwrap(),
        }
    }

    fn upload(permit: &Permit, path: ObjectPath) -> Result<(), Problem> {
        let (media_type, size) = (MediaType::opaque(), Size::try_from(1).unwrap());
        let (sha256, end) = (Sha256::of(b""), Timestamp::default());
        SignUpload::new(permit.clone(), path, media_type, size, sha256, end).map(drop)
    }

    fn download(permit: &Permit, path: ObjectPath) -> Result<(), Problem> {
        let (media_type, end) = (MediaType::opaque(), Timestamp::default());
        let file = path.file.clone();
        SignDownload::new(permit.clone(), path, None, file, media_type, end).map(drop)
    }

    fn assemble(permit: &Permit, path: ObjectPath) -> Result<(), Problem> {
        Assembly::new(permit.clone(), path, "parts-1".into(), vec![]).map(drop)
    }

    fn refusal(result: Result<(), Problem>) -> String {
        result.unwrap_err().internal.unwrap()
    }

    #[test]
    fn signing_refuses_a_permit_for_another_project() {
        let (project, [create, read]) =
            permits([Capability::VersionCreate, Capability::ArtifactDownload]);
        assert_eq!(upload(&create, object(project)), Ok(()));
        assert_eq!(assemble(&create, object(project)), Ok(()));
        assert_eq!(download(&read, object(project)), Ok(()));
        let other = ProjectId::new(project.account(), ulid::Ulid::nil());
        let path = object(other);
        for (refused, right) in [
            (upload(&create, path.clone()), "version.create"),
            (assemble(&create, path.clone()), "version.create"),
            (download(&read, path.clone()), "artifact.download"),
        ] {
            let expected = format!("a permit for `{right}` does not cover `{path}`");
            assert_eq!(refusal(refused), expected);
        }
    }

    #[test]
    fn signing_refuses_a_permit_for_something_else() {
        let (project, [create, read]) =
            permits([Capability::VersionCreate, Capability::ArtifactDownload]);
        let path = object(project);
        for refused in [
            upload(&read, path.clone()),
            assemble(&read, path.clone()),
            download(&create, path.clone()),
        ] {
            assert!(refusal(refused).ends_with(&format!("does not cover `{path}`")));
        }
    }
}
