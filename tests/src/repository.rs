//! The repository as files, and the workspace as Cargo describes it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Folders without source files of this repository.
const IGNORED_DIRECTORIES: &[&str] = &[
    "target",
    ".git",
    ".tools",
    ".wm-data",
    "node_modules",
    ".venv",
];

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap().to_owned()
}

#[derive(Debug, Clone)]
pub struct File {
    /// The path from the root, with `/`.
    pub path: String,
    pub text: String,
}

impl File {
    /// Checks the ending of the path.
    #[must_use]
    pub fn is(&self, ending: &str) -> bool {
        self.path.ends_with(ending)
    }
}

/// Every text file of the repository, sorted by path. Files that are not UTF-8 are left out.
#[must_use]
pub fn files() -> Vec<File> {
    let mut found = Vec::new();
    collect(&root(), "", &mut found);
    found.sort_by(|left, right| left.path.cmp(&right.path));
    found
}

fn collect(folder: &Path, prefix: &str, found: &mut Vec<File>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = format!("{prefix}{name}");
        if IGNORED_DIRECTORIES.contains(&name.as_str()) {
            continue;
        }
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            collect(&entry.path(), &format!("{path}/"), found);
        } else if kind.is_file()
            && let Ok(text) = fs::read_to_string(entry.path())
        {
            found.push(File { path, text });
        }
    }
}

/// A source text without its tests.
#[must_use]
pub fn without_tests(source: &str) -> &str {
    source
        .split("\n#[cfg(test)]\nmod tests")
        .next()
        .unwrap_or(source)
}

/// The Rust sources below a folder, concatenated, without their tests.
#[must_use]
pub fn sources(below: &str) -> String {
    let files = files().into_iter();
    let ours = files.filter(|file| file.path.starts_with(below) && file.is(".rs"));
    ours.map(|file| without_tests(&file.text).to_owned())
        .collect()
}

/// The output of `cargo` with these arguments, run in the repository without network.
#[must_use]
pub fn cargo(arguments: &[&str]) -> String {
    let program = env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(program)
        .args(arguments)
        .args(["--offline", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// `cargo metadata` of the workspace packages.
#[must_use]
pub fn metadata() -> Value {
    serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"])).unwrap()
}

/// The names of all direct and indirect dependencies of a package, and its own name. Development
/// dependencies are left out.
#[must_use]
pub fn packages_behind(package: &str) -> Vec<String> {
    let edges = "normal,build";
    let tree = cargo(&[
        "tree", "-p", package, "-e", edges, "--prefix", "none", "--format", "{p}",
    ]);
    let mut names: Vec<String> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    names
}
