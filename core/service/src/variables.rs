//! Environment variables of the process.

use std::{collections::BTreeMap, ffi::OsString, fmt};

/// The variables of a process, read once at start.
#[derive(Clone, Default)]
pub struct Variables(BTreeMap<String, String>);

impl fmt::Debug for Variables {
    /// Shows the names only, because values can be credentials.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
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
