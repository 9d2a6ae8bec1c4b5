use std::{
    fs, io,
    path::{Path, PathBuf},
};

use wm_deploy::tools;

use crate::failure::Failure;

/// The path of the contract. It identifies a checkout.
pub(crate) const CONTRACT: &str = "tests/contract.json";

/// Folders without files of this repository.
const IGNORED_DIRECTORIES: [&str; 6] = [
    ".git",
    ".tools",
    ".venv",
    ".wm-data",
    "node_modules",
    "target",
];

/// A checkout with its root.
#[derive(Debug)]
pub(crate) struct Checkout {
    root: PathBuf,
}

/// A text file.
#[derive(Debug)]
pub(crate) struct Text {
    /// The path from the root, with `/`.
    pub(crate) path: String,
    /// The content.
    pub(crate) text: String,
}

impl Checkout {
    /// The given checkout, or the one around the current directory.
    pub(crate) fn find(given: Option<&Path>) -> Result<Self, Failure> {
        tools::root(given, CONTRACT).map(|root| Self { root })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether a path exists.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }

    pub(crate) fn read(&self, path: &str) -> Result<String, Failure> {
        fs::read_to_string(self.root.join(path)).map_err(|error| unreadable(path, error))
    }

    pub(crate) fn write(&self, path: &str, text: &str) -> Result<(), Failure> {
        fs::write(self.root.join(path), text).map_err(|error| {
            let message =
                format!("`{path}` cannot be written; check its permissions and try again");
            Failure::because(message, error)
        })
    }

    /// Every file below a path, sorted. Invalid UTF-8 is replaced.
    pub(crate) fn texts(&self, below: &str) -> Result<Vec<Text>, Failure> {
        let mut found = Vec::new();
        collect(&self.root.join(below), below, &mut found)?;
        found.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(found)
    }
}

fn collect(folder: &Path, prefix: &str, found: &mut Vec<Text>) -> Result<(), Failure> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    for entry in entries.map_err(|error| unreadable(prefix, error))? {
        let name = entry.file_name().to_string_lossy().into_owned();
        if IGNORED_DIRECTORIES.contains(&name.as_str()) {
            continue;
        }
        let path = if prefix.is_empty() {
            name
        } else {
            format!("{prefix}/{name}")
        };
        let kind = entry
            .file_type()
            .map_err(|error| unreadable(&path, error))?;
        if kind.is_dir() {
            collect(&entry.path(), &path, found)?;
        } else if kind.is_file() {
            let bytes = fs::read(entry.path()).map_err(|error| unreadable(&path, error))?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            found.push(Text { path, text });
        }
    }
    Ok(())
}

fn unreadable(path: &str, error: io::Error) -> Failure {
    Failure::because(
        format!("`{path}` cannot be read; check the repository out again"),
        error,
    )
}
