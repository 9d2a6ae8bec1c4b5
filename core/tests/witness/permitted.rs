//! The permitted way, which compiles: get a permit, then sign.

use wm_core::{
    operation::{Problem, SignUpload},
    permission::Access,
    storage::ObjectPath,
    value::{Capability, MediaType, ProjectId, Sha256, Size},
};

#[expect(dead_code, reason = "only compiled")]
fn sign(
    access: &Access<'_>,
    project: ProjectId,
    path: ObjectPath,
    media_type: MediaType,
    size: Size,
) -> Result<SignUpload, Problem> {
    let permit = access.permit(project, Capability::VersionCreate)?;
    let sha256 = Sha256::of(b"");
    SignUpload::new(permit, path, media_type, size, sha256, access.now)
}
