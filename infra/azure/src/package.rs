//! The folder that is published: what the host reads, and the one executable it starts.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use serde_json::Value;
use wm_terminal::failure::Failure;

use crate::build::HANDLER;

/// Where `host.json` and the functions are, from the repository's root.
const FUNCTIONS: &str = "azure-functions";
/// Where they are put together with the handler.
const PACKAGE: &str = "target/azure";
const HOST: &str = "host.json";
const FUNCTION: &str = "function.json";

/// Puts the folder together anew, answering where it is. `func` marks the handler as executable in what it
/// uploads; the file itself is, too, for whoever uploads it otherwise.
///
/// # Errors
/// When the host would not start the handler, or a file cannot be copied.
pub(crate) fn assemble(root: &Path, handler: &Path) -> Result<PathBuf, Failure> {
    let (from, to) = (root.join(FUNCTIONS), root.join(PACKAGE));
    check_host(&from.join(HOST))?;
    let names = functions(&from)?;
    if names.is_empty() {
        return Err(Failure::new(format!(
            "no folder in `{FUNCTIONS}` holds a `{FUNCTION}`: get them back from the repository"
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
        let message = format!("`{PACKAGE}` cannot be put together; make room there and try again");
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

/// The host starts what this file names, and `func` marks as executable what has exactly this name.
fn check_host(file: &Path) -> Result<(), Failure> {
    let shown = file.display();
    let text = fs::read(file).map_err(|error| {
        Failure::because(
            format!("`{shown}` cannot be read; get it back from the repository"),
            error,
        )
    })?;
    let host: Value = serde_json::from_slice(&text)
        .map_err(|error| Failure::because(format!("`{shown}` is no JSON; mend it"), error))?;
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
    fn the_folder_holds_what_the_host_needs_and_nothing_else() {
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
    fn a_host_that_starts_something_else_is_refused() {
        let root = repository("./handler");
        let said = assemble(root.path(), &root.path().join("built")).unwrap_err();
        assert!(said.to_string().contains("write exactly that"), "{said}");
    }
}
