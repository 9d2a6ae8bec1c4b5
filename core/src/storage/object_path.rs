//! Paths of versions and derived outputs in every object store.

use core::{fmt, str::FromStr};

use crate::value::{AccountId, ArtifactId, DerivedId, FileName, Invalid, ProjectId};

/// The path of one object, the same on every surface:
/// `accounts/{account}/projects/{project}/artifacts/{artifact}/raw/{version}/{file}` or
/// `…/derived/{derived}/{file}`.
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
    /// The raw version with this number.
    Raw(u32),
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
            ObjectKind::Raw(number) => write!(formatter, "raw/{number}/{file}"),
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
        let artifact = under("artifacts")?.parse()?;
        let (kind, id, file) = (next()?, next()?, next()?);
        let kind = match kind {
            "raw" => ObjectKind::Raw(canonical_number(id).ok_or(WRONG)?),
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

/// A number as `Display` writes it: at least 1, no sign, no leading zero.
fn canonical_number(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|digit| digit.is_ascii_digit()) && !text.starts_with('0');
    if plain { text.parse().ok() } else { None }
}
