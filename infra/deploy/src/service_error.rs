//! The answer of a service that refused or failed, in words for people.

use std::{error::Error, fmt};

use wm_terminal::failure::Failure;

/// An action that a service did not carry out.
#[derive(Debug)]
pub struct ServiceError {
    action: String,
    code: Option<String>,
    advice: &'static str,
    words: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl ServiceError {
    /// `action` is named as policies and roles name it; `code` is the service's; `advice` says what to do;
    /// `words` are the service's own.
    #[must_use]
    pub fn new(
        action: &str,
        code: Option<String>,
        advice: &'static str,
        words: impl AsRef<str>,
    ) -> Self {
        Self {
            action: action.to_owned(),
            code,
            advice,
            words: one_line(words.as_ref()),
            source: None,
        }
    }

    /// Adds the error that it comes from.
    #[must_use]
    pub fn from_source(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            ..self
        }
    }

    /// The service's code of the error, such as `AccessDenied`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }
}

/// The text of the innermost cause. The causes above it mostly frame it.
#[must_use]
pub fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl fmt::Display for ServiceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            action,
            advice,
            words,
            ..
        } = self;
        write!(formatter, "`{action}` failed, {advice} ({words})")
    }
}

impl Error for ServiceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<ServiceError> for Failure {
    /// The text of the error says it all, so its causes are left out.
    fn from(error: ServiceError) -> Self {
        Self::new(error.to_string())
    }
}
