//! The work of the object store: signing URLs after the commit, and assembling multipart uploads.
//! Each request carries its permit. Only a constructor that checks the permit sets the object's
//! path, and nothing changes the path afterwards.

use alloc::{format, string::String, vec::Vec};

use super::{Part, Problem};
use crate::{
    permission::Permit,
    storage::{ObjectPath, Scope, UploadLimits},
    value::{Capability, FileName, MediaType, Sha256, Size, Timestamp},
};

/// The capabilities that allow uploads.
const UPLOADING: [Capability; 3] = [
    Capability::ArtifactCreate,
    Capability::VersionCreate,
    Capability::DerivedCreate,
];

/// Whether a permit grants one of these capabilities in the project of this object.
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

/// A URL to sign. It carries the permit, so a URL is signed only for a permitted caller.
#[derive(Debug, Clone)]
pub enum Sign {
    /// An upload plan. It becomes the member `upload` of the answer.
    Upload(SignUpload),
    /// A download URL. It becomes the answer.
    Download(SignDownload),
}

/// An upload to plan: one PUT request, or parts above [`UploadLimits::single_limit`].
#[derive(Debug, Clone)]
pub struct SignUpload {
    permit: Permit,
    path: ObjectPath,
    media_type: MediaType,
    size: Size,
    sha256: Sha256,
    expires_at: Timestamp,
    upload_id: Option<String>,
    limits: UploadLimits,
}

impl SignUpload {
    /// Checks the permit and describes the upload.
    ///
    /// # Errors
    /// 500 for a permit that does not cover uploads to this project. This is a fault of this
    /// program.
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

    /// Continues the multipart upload with this id of the provider, if there is one.
    #[must_use]
    pub fn with_upload_id(mut self, upload_id: Option<String>) -> Self {
        self.upload_id = upload_id;
        self
    }

    /// Replaces the default limits by those of the surface.
    #[must_use]
    pub fn with_limits(mut self, limits: UploadLimits) -> Self {
        self.limits = limits;
        self
    }

    /// The permit of the upload.
    #[must_use]
    pub fn permit(&self) -> &Permit {
        &self.permit
    }

    /// The only object that the upload may create.
    #[must_use]
    pub fn path(&self) -> &ObjectPath {
        &self.path
    }

    /// The media type that the client must send.
    #[must_use]
    pub fn media_type(&self) -> &MediaType {
        &self.media_type
    }

    /// The exact size in bytes.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// The SHA-256 digest of the bytes.
    #[must_use]
    pub fn sha256(&self) -> Sha256 {
        self.sha256
    }

    /// The expiry of the plan.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// The provider's id of the multipart upload, if the plan is issued again.
    #[must_use]
    pub fn upload_id(&self) -> Option<&str> {
        self.upload_id.as_deref()
    }

    /// The size of every part but the last, in bytes.
    #[must_use]
    pub fn part_size(&self) -> u64 {
        self.limits.part_size
    }

    /// Whether the upload has parts.
    #[must_use]
    pub fn is_multipart(&self) -> bool {
        self.limits.in_parts(self.size)
    }

    /// The numbers of the parts, from 1, with their sizes.
    pub fn parts(&self) -> impl Iterator<Item = (u16, u64)> {
        let (size, part_size) = (self.size.bytes(), self.part_size());
        (1..=self.limits.part_count(self.size)).map(move |number| {
            let start = u64::from(number - 1) * part_size;
            (number, part_size.min(size - start))
        })
    }
}

/// A download URL to sign, for one verified object version.
#[derive(Debug, Clone)]
pub struct SignDownload {
    permit: Permit,
    path: ObjectPath,
    object_version: Option<String>,
    file: FileName,
    media_type: MediaType,
    expires_at: Timestamp,
}

impl SignDownload {
    /// Checks the permit and describes the download.
    ///
    /// # Errors
    /// 500 for a permit that does not cover downloads from this project. This is a fault of this
    /// program.
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

    /// The permit of the download.
    #[must_use]
    pub fn permit(&self) -> &Permit {
        &self.permit
    }

    /// The path of the object.
    #[must_use]
    pub fn path(&self) -> &ObjectPath {
        &self.path
    }

    /// The provider's id of the object version that was verified.
    #[must_use]
    pub fn object_version(&self) -> Option<&str> {
        self.object_version.as_deref()
    }

    /// The file name for browsers.
    #[must_use]
    pub fn file(&self) -> &FileName {
        &self.file
    }

    /// The media type of the response.
    #[must_use]
    pub fn media_type(&self) -> &MediaType {
        &self.media_type
    }

    /// The expiry of the URL.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// A multipart upload to assemble. Assembling it again has no effect.
#[derive(Debug, Clone)]
pub struct Assembly {
    permit: Permit,
    path: ObjectPath,
    upload_id: String,
    parts: Vec<Part>,
}

impl Assembly {
    /// Checks the permit and describes the assembly.
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
            permit,
            path,
            upload_id,
            parts,
        })
    }

    /// The permit of the upload.
    #[must_use]
    pub fn permit(&self) -> &Permit {
        &self.permit
    }

    /// The path of the object.
    #[must_use]
    pub fn path(&self) -> &ObjectPath {
        &self.path
    }

    /// The provider's id of the upload.
    #[must_use]
    pub fn upload_id(&self) -> &str {
        &self.upload_id
    }

    /// The parts in ascending order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
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

    /// An owner's permits for these capabilities on one project.
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
            kind: ObjectKind::Raw(Id::from_ulid(ulid::Ulid::nil())),
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
    fn signing_refuses_a_permit_for_another_capability() {
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
