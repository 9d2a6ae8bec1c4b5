//! The backend selection as a source of names that no flag sets.

use std::{fs, path::Path};

use wm_core::{catalog::Provider, selection::BackendSelection};
use wm_terminal::{
    failure::Failure,
    flags::{given, listed},
};

/// Reads the selection in this file.
///
/// # Errors
/// If the file is missing, or the selection is for another provider.
pub fn read(file: &Path, provider: Provider) -> Result<BackendSelection, Failure> {
    let shown = file.display();
    let text = fs::read_to_string(file).map_err(|error| {
        let message = format!("`{shown}` cannot be read; write one with `wm init`");
        Failure::because(message, error)
    })?;
    let selection = BackendSelection::read(&text).map_err(|errors| listed(&errors))?;
    let found = selection.provider;
    if found != provider {
        return Err(Failure::usage(format!(
            "`{shown}` is a selection for `{found}`: write one with `wm init --provider {provider}`"
        )));
    }
    Ok(selection)
}

/// Takes a name from the selection if neither a flag nor a variable sets it.
pub fn fill(flag: &mut Option<String>, selection: &BackendSelection, path: &str) {
    if given(flag.as_ref()).is_none() {
        *flag = selection.name(path).map(str::to_owned);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selection_fills_only_unset_flags() {
        let selection = BackendSelection::defaults(Provider::Aws);
        let mut flags = [None, Some(" ".to_owned()), Some("mine".to_owned())];
        for flag in &mut flags {
            fill(flag, &selection, "database.table");
        }
        let flags = flags.map(Option::unwrap);
        let derived = "workspace-management-dev";
        assert_eq!(flags, [derived, derived, "mine"]);
    }

    #[test]
    fn missing_or_foreign_selection_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("backend.js");
        let error = read(&file, Provider::Aws).unwrap_err();
        assert!(
            error.to_string().contains("write one with `wm init`"),
            "{error}"
        );
        let selection = BackendSelection::defaults(Provider::Azure);
        fs::write(&file, selection.module()).unwrap();
        assert!(read(&file, Provider::Azure).is_ok());
        let error = read(&file, Provider::Aws).unwrap_err();
        assert!(
            error.to_string().contains("is a selection for `azure`"),
            "{error}"
        );
    }
}
