//! Runs `xtask` in copies of the checkout that tests may break.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;
pub(crate) use wm_test_results::Ran;

/// `xtask` in this directory, without environment variables that could affect it.
pub(crate) fn command(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command
        .current_dir(directory)
        .env_remove(wm_test_results::DIRECTORY)
        .env("NO_COLOR", "1");
    command
}

/// Runs `xtask` in this directory and waits for its end.
pub(crate) fn xtask(directory: &Path, arguments: &[impl AsRef<OsStr>]) -> Ran {
    Ran::of(&command(directory).args(arguments).output().unwrap())
}

pub(crate) fn directory() -> TempDir {
    TempDir::with_prefix("wm-xtask-").unwrap()
}

/// The paths of a checkout that the checks read.
const LOOKED_AT: [&str; 7] = [
    "core/openapi.json",
    "core/src/catalog.rs",
    "core/src/storage/object_path.rs",
    "docs",
    "infra/aws/template.yaml",
    "infra/azure/main.json",
    "tests/goldens",
];
pub(crate) const CONTRACT: &str = "tests/contract.json";

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let name = entry.unwrap().file_name();
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    }
}

/// A copy of the checked paths, for tests to break.
pub(crate) struct Checkout(pub(crate) TempDir);

impl Checkout {
    pub(crate) fn new() -> Self {
        let checkout = Self(directory());
        for path in LOOKED_AT.iter().chain(&[CONTRACT]) {
            copy(&root().join(path), &checkout.0.path().join(path));
        }
        checkout
    }

    /// A checkout that contains only this contract.
    pub(crate) fn of(contract: &str) -> Self {
        let checkout = Self(directory());
        checkout.write(CONTRACT, contract);
        fs::create_dir(checkout.0.path().join("docs")).unwrap();
        checkout
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.path().join(path)).unwrap()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Replaces an existing text.
    pub(crate) fn replace(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "`{path}` has no `{from}`");
        self.write(path, &text.replace(from, to));
    }

    pub(crate) fn xtask(&self, arguments: &[&str]) -> Ran {
        xtask(self.0.path(), arguments)
    }
}

#[track_caller]
pub(crate) fn assert_names(violation: &str, words: &[&str]) {
    for word in words {
        assert!(violation.contains(word), "no `{word}` in: {violation}");
    }
}
