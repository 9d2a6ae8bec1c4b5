//! The files of a static site. They are checked before any of them is uploaded.

mod kinds;
mod publish;

pub use publish::{Changes, PRIVATE, Store, apply, compare};

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use wm_terminal::failure::Failure;

use crate::secrets;

/// The page that every site must have.
const INDEX: &str = "index.html";
/// The only hidden folder that a site may have.
const WELL_KNOWN: &str = ".well-known";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The path in the site, with `/`. It is also the key in the object store.
    pub key: String,
    pub bytes: Vec<u8>,
}

impl File {
    #[must_use]
    pub fn media_type(&self) -> &'static str {
        kinds::media_type(&self.key)
    }

    /// The caching policy: without limit if the name changes with the bytes, otherwise with
    /// revalidation.
    #[must_use]
    pub fn cache_control(&self) -> &'static str {
        if kinds::is_hashed(&self.key) {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        }
    }
}

/// Reads a built site. Pages are sorted after the files that they load.
///
/// # Errors
/// If it cannot be read, has no front page, or contains anything that must not be public.
pub fn read(folder: &Path) -> Result<Vec<File>, Failure> {
    let mut files = Vec::new();
    collect(folder, "", &mut files)?;
    if !files.iter().any(|file| file.key == INDEX) {
        let shown = folder.display();
        return Err(Failure::usage(format!(
            "`{shown}` contains no `{INDEX}`: build the site first, or name another folder with `--from`"
        )));
    }
    let found: Vec<String> = files.iter().filter_map(private_content).collect();
    if !found.is_empty() {
        let found = found.join(", ");
        return Err(Failure::new(format!(
            "the site is public and must not contain this: {found}; remove it and build again"
        )));
    }
    let is_page = |file: &File| file.key.ends_with(".html");
    files.sort_by(|a, b| (is_page(a), &a.key).cmp(&(is_page(b), &b.key)));
    Ok(files)
}

/// The kind of secret in a file, without its text.
fn private_content(file: &File) -> Option<String> {
    let key = &file.key;
    if secrets::in_name(key) {
        return Some(format!("`{key}`"));
    }
    let what = secrets::in_text(&String::from_utf8_lossy(&file.bytes))?;
    Some(format!("{what} in `{key}`"))
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<File>) -> Result<(), Failure> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    for entry in entries.map_err(|error| unreadable(folder.to_owned(), error))? {
        let path = entry.path();
        let name = entry.file_name().into_string().map_err(|name| {
            let name = name.display();
            Failure::new(format!(
                "the name `{name}` is not valid UTF-8: rename the file"
            ))
        })?;
        let key = format!("{prefix}{name}");
        let kind = entry
            .file_type()
            .map_err(|error| unreadable(path.clone(), error))?;
        if name.starts_with('.') && name != WELL_KNOWN {
            return Err(Failure::new(format!(
                "`{key}` is hidden: remove it from the site"
            )));
        }
        if kind.is_dir() {
            collect(&path, &format!("{key}/"), files)?;
        } else if kind.is_file() {
            let bytes = fs::read(&path).map_err(|error| unreadable(path, error))?;
            files.push(File { key, bytes });
        } else {
            return Err(Failure::new(format!(
                "`{key}` is neither a file nor a folder: replace it by a copy of its target"
            )));
        }
    }
    Ok(())
}

fn unreadable(path: PathBuf, error: io::Error) -> Failure {
    let shown = path.display();
    Failure::because(
        format!(
            "`{shown}` cannot be read; build the site first, or name another folder with `--from`"
        ),
        error,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (key, text) in files {
            let path = folder.path().join(key);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn refusal(files: &[(&str, &str)]) -> String {
        read(site(files).path()).unwrap_err().to_string()
    }

    #[test]
    fn pages_are_sorted_after_the_files_they_load() {
        let folder = site(&[
            ("index.html", "<p>"),
            ("about/index.html", "<p>"),
            ("assets/app-B3xk9Q2z.js", "1"),
            (".well-known/security.txt", "x"),
        ]);
        let files = read(folder.path()).unwrap();
        let keys: Vec<&str> = files.iter().map(|file| file.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                ".well-known/security.txt",
                "assets/app-B3xk9Q2z.js",
                "about/index.html",
                "index.html"
            ]
        );
    }

    #[test]
    fn incomplete_or_private_site_is_refused() {
        assert!(refusal(&[("app.js", "1")]).contains("no `index.html`"));
        assert!(refusal(&[("index.html", ""), (".env", "X=1")]).contains("`.env` is hidden"));
        assert!(refusal(&[("index.html", ""), ("keys/tls.pem", "")]).contains("`keys/tls.pem`"));
        assert!(read(Path::new("nowhere")).is_err());
        let key = format!("AK{}ABCDEFGHIJKLMNO1", "IA");
        let refused = refusal(&[("index.html", ""), ("app.js", &format!("id = '{key}'"))]);
        assert!(refused.contains("an access key in `app.js`") && !refused.contains(&key));
    }

    #[cfg(unix)]
    #[test]
    fn symbolic_link_is_refused() {
        let folder = site(&[("index.html", "")]);
        std::os::unix::fs::symlink("index.html", folder.path().join("other.html")).unwrap();
        let failure = read(folder.path()).unwrap_err().to_string();
        assert!(failure.contains("neither a file nor a folder"), "{failure}");
    }
}
