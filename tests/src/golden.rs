//! Golden files: what was agreed on, committed, and compared with what the code says now.

use std::{env, fs};

use crate::repository;

/// Compares a text with the committed file `tests/goldens/{name}`; with `UPDATE_GOLDENS=1` in the
/// environment it writes the file instead.
///
/// # Panics
/// When they differ, naming the first line that does.
pub fn check(name: &str, actual: &str) {
    check_file(&format!("tests/goldens/{name}"), actual);
}

/// As [`check`], for a golden elsewhere in the repository, such as a generated document.
///
/// # Panics
/// When they differ, naming the first line that does.
pub fn check_file(path: &str, actual: &str) {
    let file = repository::root().join(path);
    if env::var_os("UPDATE_GOLDENS").is_some_and(|value| value == "1") {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, actual).unwrap();
        return;
    }
    let hint = "run the test again with `UPDATE_GOLDENS=1` and review the difference";
    let expected = fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("the golden `{path}` cannot be read ({error}); {hint}"));
    if let Some((line, old, new)) = first_difference(&expected, actual) {
        panic!("`{path}` differs in line {line}; {hint}\n  committed: {old}\n  now:       {new}");
    }
}

/// The names of the goldens in a folder below `tests/goldens`, sorted.
///
/// # Panics
/// When the folder cannot be read.
#[must_use]
pub fn names(folder: &str) -> Vec<String> {
    let folder = repository::root().join("tests/goldens").join(folder);
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn first_difference(expected: &str, actual: &str) -> Option<(usize, String, String)> {
    let (mut old, mut new) = (expected.split('\n'), actual.split('\n'));
    for line in 1.. {
        match (old.next(), new.next()) {
            (None, None) => return None,
            (left, right) if left == right => {}
            (left, right) => {
                let shown = |side: Option<&str>| side.unwrap_or("(the end)").to_owned();
                return Some((line, shown(left), shown(right)));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_found_at_every_place() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        let found = |left, right| first_difference(left, right).unwrap().0;
        assert_eq!(found("a\nb\n", "a\nc\n"), 2);
        assert_eq!(found("a\nb\n", "a\nb"), 3);
        assert_eq!(found("", "a"), 1);
    }
}
