//! The way that compiles: ask, then sign.

use wm_core::{operation::SignUpload, permission::{Access, Refusal}, storage::ObjectPath, value::{Capability, MediaType, ProjectId, Sha256, Size}};

#[expect(dead_code, reason = "only compiled")]
fn sign(
    access: &Access<'_>,
    project: ProjectId,
    path: ObjectPath,
    media_type: MediaType,
    size: Size,
) -> Result<SignUpload, Refusal> {
    let permit = access.permit(project, Capability::VersionCreate)?;
    let sha256 = Sha256::of(b"");
    Ok(SignUpload::new(permit, path, media_type, size, sha256, access.now))
}

fn main() {}
