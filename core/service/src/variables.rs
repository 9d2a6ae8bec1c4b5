//! What a process is told by its environment.

use std::{collections::BTreeMap, ffi::OsString, fmt};

/// The variables of a process, read once at start.
#[derive(Clone, Default)]
pub struct Variables(BTreeMap<String, String>);

impl fmt::Debug for Variables {
    /// Names only: credentials are among the values.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

impl Variables {
    /// Those of this process. What is not UTF-8 is left out.
    #[must_use]
    pub fn of_this_process() -> Self {
        let text = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        std::env::vars_os().filter_map(text).collect()
    }

    /// A variable; empty counts as not set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name).map(|value| value.trim());
        value.filter(|value| !value.is_empty())
    }

    /// The same, to keep.
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

/// Whether what is read at this address could only come from its owner: over TLS, or from this machine.
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
    fn values_are_never_shown() {
        let given = ("AWS_SURFACE_SECRET".to_owned(), "hush".to_owned());
        let shown = format!("{:?}", Variables::from_iter([given]));
        assert!(shown.contains("AWS_SURFACE_SECRET") && !shown.contains("hush"));
    }

    #[test]
    fn only_this_machine_may_do_without_tls() {
        for safe in ["https://a", "http://127.0.0.1:1/", "http://localhost:1"] {
            assert!(is_safe(safe), "{safe}");
        }
        for unsafe_ in ["http://a", "http://127.0.0.1.example.com/", "ftp://a", ""] {
            assert!(!is_safe(unsafe_), "{unsafe_}");
        }
    }
}
