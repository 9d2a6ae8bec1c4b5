//! The published folder: the files that the host reads, and the executable that it starts.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use serde_json::Value;
use wm_terminal::failure::Failure;

use crate::build::HANDLER;

/// The folder of `host.json` and the functions, relative to the repository.
const FUNCTIONS: &str = "azure-functions";
/// The folder to publish, relative to the repository.
const PACKAGE: &str = "target/azure";
const HOST: &str = "host.json";
const FUNCTION: &str = "function.json";

/// Creates the folder to publish and returns its path. `func` marks the handler as executable in
/// its upload. The file itself is executable too, for other ways to upload it.
///
/// # Errors
/// If the host would not start the handler, or a file cannot be copied.
pub(crate) fn assemble(root: &Path, handler: &Path) -> Result<PathBuf, Failure> {
    let (from, to) = (root.join(FUNCTIONS), root.join(PACKAGE));
    check_host(&from.join(HOST))?;
    let names = functions(&from)?;
    if names.is_empty() {
        return Err(Failure::new(format!(
            "no folder in `{FUNCTIONS}` contains a `{FUNCTION}`: restore the folders from the repository"
        )));
    }
    let put = || -> io::Result<()> {
        match fs::remove_dir_all(&to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(&to)?,
        }
        fs::copy(from.join(HOST), to.join(HOST))?;
        for name in &names {
            fs::create_dir(to.join(name))?;
            fs::copy(from.join(name).join(FUNCTION), to.join(name).join(FUNCTION))?;
        }
        let executable = to.join(HANDLER);
        fs::copy(handler, &executable)?;
        fs::set_permissions(executable, fs::Permissions::from_mode(0o755))
    };
    put().map_err(|error| {
        let message = format!("`{PACKAGE}` cannot be created; free some space and try again");
        Failure::because(message, error)
    })?;
    Ok(to)
}

/// The folders of functions, sorted.
fn functions(from: &Path) -> Result<Vec<String>, Failure> {
    let unreadable = |error| Failure::because(format!("`{FUNCTIONS}` cannot be read"), error);
    let entries = fs::read_dir(from).map_err(unreadable)?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(unreadable)?;
        if let Ok(name) = entry.file_name().into_string()
            && entry.path().join(FUNCTION).is_file()
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Checks that `host.json` starts the handler. `func` marks only a file with exactly this name as
/// executable.
fn check_host(file: &Path) -> Result<(), Failure> {
    let shown = file.display();
    let text = fs::read(file).map_err(|error| {
        Failure::because(
            format!("`{shown}` cannot be read; restore it from the repository"),
            error,
        )
    })?;
    let host: Value = serde_json::from_slice(&text).map_err(|error| {
        Failure::because(format!("`{shown}` is not valid JSON; correct it"), error)
    })?;
    let named = host.pointer("/customHandler/description/defaultExecutablePath");
    if named.and_then(Value::as_str) == Some(HANDLER) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "`{shown}` does not start `{HANDLER}`: write exactly that as its `defaultExecutablePath`"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(executable: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let functions = root.path().join(FUNCTIONS);
        for name in ["api", "relay", "src"] {
            fs::create_dir_all(functions.join(name)).unwrap();
        }
        let host = format!(
            r#"{{"customHandler":{{"description":{{"defaultExecutablePath":"{executable}"}}}}}}"#
        );
        fs::write(functions.join(HOST), host).unwrap();
        for name in ["api", "relay"] {
            fs::write(functions.join(name).join(FUNCTION), "{}").unwrap();
        }
        fs::write(root.path().join("built"), "x").unwrap();
        root
    }

    #[test]
    fn package_contains_only_what_the_host_needs() {
        let root = repository("handler");
        let old = root.path().join(PACKAGE).join("old");
        fs::create_dir_all(&old).unwrap();
        let package = assemble(root.path(), &root.path().join("built")).unwrap();
        let names = fs::read_dir(&package).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        assert_eq!(names, ["api", "handler", "host.json", "relay"]);
        let mode = fs::metadata(package.join(HANDLER)).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o755);
    }

    #[test]
    fn host_file_with_another_executable_is_refused() {
        let root = repository("./handler");
        let said = assemble(root.path(), &root.path().join("built")).unwrap_err();
        assert!(said.to_string().contains("write exactly that"), "{said}");
    }
}
