//! Where the bytes of versions and derived outputs lie, in every object store.

use core::{fmt, str::FromStr};

use crate::value::{AccountId, ArtifactId, DerivedId, FileName, Invalid, ProjectId};

/// The path of one object, the same on every surface:
/// `accounts/{account}/projects/{project}/artifacts/{artifact}/raw/{version}/{file}` and
/// `…/derived/{derived}/{file}`.
///
/// Built from parsed ids and a parsed file name only, so it has no empty, `.` or `..` segment and
/// stays below `accounts/`; parsing accepts exactly what is built.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectPath {
    /// The project, which names the account too.
    pub project: ProjectId,
    /// The artifact.
    pub artifact: ArtifactId,
    /// Raw version or derived output.
    pub kind: ObjectKind,
    /// The file name as uploaded.
    pub file: FileName,
}

/// Which child of an artifact an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// The raw version of this number.
    Raw(u32),
    /// A derived output.
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
        const WRONG: Invalid =
            Invalid("must be the path of an artifact's object below `accounts/`");
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
        // Parsing a file name normalises it; only the normal form is a path.
        let exact = segments.next().is_none() && path.file.as_str() == file;
        if exact && account == project.account() {
            Ok(path)
        } else {
            Err(WRONG)
        }
    }
}

/// A number as `Display` writes it: no sign, no leading zero, at least 1.
fn canonical_number(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|digit| digit.is_ascii_digit()) && !text.starts_with('0');
    if plain { text.parse().ok() } else { None }
}
