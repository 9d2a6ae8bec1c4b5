//! Golden files: committed outputs that tests compare with the current ones.

use std::{env, fs};

use crate::repository;

/// Compares a text with the committed file `tests/goldens/{name}`. With `UPDATE_GOLDENS=1` in the
/// environment, writes the file instead. A failure names the first different line.
pub fn check(name: &str, actual: &str) {
    check_file(&format!("tests/goldens/{name}"), actual);
}

/// Like [`check`], for a golden elsewhere in the repository, such as a generated document.
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

/// Like [`check_file`], for the part of a document between `<!-- begin NAME -->` and
/// `<!-- end NAME -->`.
pub fn check_part(path: &str, name: &str, actual: &str) {
    let document = fs::read_to_string(repository::root().join(path)).unwrap();
    let with_it = with_part(&document, name, actual);
    let with_it = with_it.unwrap_or_else(|| panic!("`{path}` has no part `{name}`"));
    check_file(path, &with_it);
}

/// Replaces one part of a document.
fn with_part(document: &str, name: &str, text: &str) -> Option<String> {
    let (begin, end) = (
        format!("<!-- begin {name} -->\n"),
        format!("<!-- end {name} -->\n"),
    );
    let (before, rest) = document.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}{text}{end}{after}"))
}

/// The names of the goldens in a folder below `tests/goldens`, sorted.
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
    fn part_replacement_changes_nothing_else() {
        let document = "a\n<!-- begin x -->\nold\n<!-- end x -->\nb\n";
        let replaced = with_part(document, "x", "new\n").unwrap();
        assert_eq!(replaced, document.replace("old", "new"));
        assert_eq!(with_part(document, "y", "new\n"), None);
    }

    #[test]
    fn first_difference_is_found_at_every_position() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        let found = |left, right| first_difference(left, right).unwrap().0;
        assert_eq!(found("a\nb\n", "a\nc\n"), 2);
        assert_eq!(found("a\nb\n", "a\nb"), 3);
        assert_eq!(found("", "a"), 1);
    }
}
