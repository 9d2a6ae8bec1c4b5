//! Paths of versions and derived outputs in every object store.

use core::{fmt, str::FromStr};

use crate::value::{AccountId, ArtifactId, DerivedId, FileName, Invalid, ProjectId, VersionId};

/// The path of one object, the same on every surface:
/// `accounts/{account}/projects/{project}/artifacts/{artifact}/raw/{version}/{file}` or
/// `…/derived/{derived}/{file}`. The objects of data format 1 have the number of the version in place
/// of its id.
///
/// A path is built from parsed ids and a parsed file name. It has no empty, `.` or `..` segment and
/// always begins with `accounts/`. Parsing accepts only paths in the form that `Display` writes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectPath {
    /// The project. Its id contains the account.
    pub project: ProjectId,
    /// The document that the object belongs to.
    pub artifact: ArtifactId,
    /// Whether the object is a raw version or a derived output.
    pub kind: ObjectKind,
    /// The file name as uploaded.
    pub file: FileName,
}

/// The kind of an object of an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// The raw version with this id.
    Raw(VersionId),
    /// The derived output with this id.
    Derived(DerivedId),
}

impl fmt::Display for ObjectPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            project,
            artifact,
            kind,
            file,
        } = self;
        let account = project.account();
        write!(
            formatter,
            "accounts/{account}/projects/{project}/artifacts/{artifact}/"
        )?;
        match kind {
            ObjectKind::Raw(version) if version.is_of_format_1(*artifact) => {
                write!(formatter, "raw/{}/{file}", version.number())
            }
            ObjectKind::Raw(version) => write!(formatter, "raw/{version}/{file}"),
            ObjectKind::Derived(derived) => write!(formatter, "derived/{derived}/{file}"),
        }
    }
}

impl FromStr for ObjectPath {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        const WRONG: Invalid = Invalid("must be the path of a document's object below `accounts/`");
        let mut segments = text.split('/');
        let mut next = || segments.next().ok_or(WRONG);
        let mut under = |name: &str| -> Result<&str, Invalid> {
            if next()? == name { next() } else { Err(WRONG) }
        };
        let account: AccountId = under("accounts")?.parse()?;
        let project: ProjectId = under("projects")?.parse()?;
        let artifact: ArtifactId = under("artifacts")?.parse()?;
        let (kind, id, file) = (next()?, next()?, next()?);
        let kind = match kind {
            "raw" => ObjectKind::Raw(raw_version(artifact, id).ok_or(WRONG)?),
            "derived" => ObjectKind::Derived(id.parse()?),
            _ => return Err(WRONG),
        };
        let path = Self {
            project,
            artifact,
            kind,
            file: file.parse()?,
        };
        // Parsing a file name normalises it. Only the normalised spelling is a valid path.
        let exact = segments.next().is_none() && path.file.as_str() == file;
        if exact && account == project.account() {
            Ok(path)
        } else {
            Err(WRONG)
        }
    }
}

/// The version in a path: its id, or its number in data format 1.
fn raw_version(artifact: ArtifactId, text: &str) -> Option<VersionId> {
    if let Some(number) = canonical_number(text) {
        let version = VersionId::of_format_1(artifact, number);
        // An id has no room for a greater number than a document can have.
        return (version.number() == number).then_some(version);
    }
    let version: VersionId = text.parse().ok()?;
    (!version.is_of_format_1(artifact)).then_some(version)
}

/// A number as `Display` writes it: at least 1, no sign, no leading zero.
fn canonical_number(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|digit| digit.is_ascii_digit()) && !text.starts_with('0');
    if plain { text.parse().ok() } else { None }
}
