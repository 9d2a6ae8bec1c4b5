//! Environment variables of the process.

use std::{collections::BTreeMap, ffi::OsString, fmt, str::FromStr};

use wm_core::value::Invalid;

/// The variables of a process, read once at start.
#[derive(Clone, Default)]
pub struct Variables(BTreeMap<String, String>);

impl fmt::Debug for Variables {
    /// Shows the names only, because values can be credentials.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

/// The reason why a program cannot be configured.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Variables are missing.
    #[error("{program} needs {}: set these variables as described in {page}", listed(.names))]
    Missing {
        /// The program, such as ``the function `api` ``.
        program: String,
        /// The missing names.
        names: Vec<&'static str>,
        /// The page that describes the variables.
        page: &'static str,
    },
    /// A variable has an invalid value.
    #[error("`{name}` {wrong}")]
    Wrong {
        /// The variable.
        name: &'static str,
        /// The error, and the accepted values.
        wrong: &'static str,
    },
}

impl ConfigError {
    /// The error about a URL that is not [safe](is_safe).
    #[must_use]
    pub fn unsafe_url(name: &'static str) -> Self {
        Self::Wrong {
            name,
            wrong: "must begin with `https://`, except for loopback addresses",
        }
    }
}

fn listed(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

impl Variables {
    /// The variables of this process, without those that are not UTF-8.
    #[must_use]
    pub fn of_this_process() -> Self {
        let text = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        std::env::vars_os().filter_map(text).collect()
    }

    /// The trimmed value. An empty variable counts as missing.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name).map(|value| value.trim());
        value.filter(|value| !value.is_empty())
    }

    /// As [`Variables::get`], owned.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// The names that are separated by commas.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<String> {
        let names = self.get(name).unwrap_or_default().split(',').map(str::trim);
        let names = names.filter(|name| !name.is_empty());
        names.map(str::to_owned).collect()
    }

    /// Whether a variable is `true`. Default: `false`.
    ///
    /// # Errors
    /// If it is neither `true` nor `false`.
    pub fn flag(&self, name: &'static str) -> Result<bool, ConfigError> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(ConfigError::Wrong {
                name,
                wrong: "must be `true` or `false`",
            }),
        }
    }

    /// The value of a type that is written as text.
    ///
    /// # Errors
    /// If the text is not such a value.
    pub fn parsed<T>(&self, name: &'static str) -> Result<Option<T>, ConfigError>
    where
        T: FromStr<Err = Invalid>,
    {
        let parsed = self.get(name).map(str::parse).transpose();
        parsed.map_err(|Invalid(wrong)| ConfigError::Wrong { name, wrong })
    }

    /// A URL that is safe to read from.
    ///
    /// # Errors
    /// If it is not.
    pub fn url(&self, name: &'static str) -> Result<Option<String>, ConfigError> {
        match self.text(name) {
            Some(url) if !is_safe(&url) => Err(ConfigError::unsafe_url(name)),
            url => Ok(url),
        }
    }

    /// Checks that all of these are set, for a program that a page describes.
    ///
    /// # Errors
    /// If some are not. The error names all of them.
    pub fn require(
        &self,
        names: &[&'static str],
        program: impl FnOnce() -> String,
        page: &'static str,
    ) -> Result<(), ConfigError> {
        let missing = names.iter().filter(|name| self.get(name).is_none());
        let names: Vec<&str> = missing.copied().collect();
        if names.is_empty() {
            return Ok(());
        }
        Err(ConfigError::Missing {
            program: program(),
            names,
            page,
        })
    }
}

impl FromIterator<(String, String)> for Variables {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

/// Whether only the owner can have sent the data at this URL: it uses TLS, or is on this machine.
#[must_use]
pub fn is_safe(url: &str) -> bool {
    url.starts_with("https://")
        || url.starts_with("http://127.0.0.1:")
        || url.starts_with("http://localhost:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_hides_the_values() {
        let given = ("AWS_SURFACE_SECRET".to_owned(), "hush".to_owned());
        let shown = format!("{:?}", Variables::from_iter([given]));
        assert!(shown.contains("AWS_SURFACE_SECRET") && !shown.contains("hush"));
    }

    #[test]
    fn plain_http_is_safe_on_this_machine_only() {
        for safe in ["https://a", "http://127.0.0.1:1/", "http://localhost:1"] {
            assert!(is_safe(safe), "{safe}");
        }
        for unsafe_ in ["http://a", "http://127.0.0.1.example.com/", "ftp://a", ""] {
            assert!(!is_safe(unsafe_), "{unsafe_}");
        }
    }
}
