//! Errors of services, as text for people.

use std::{error::Error, fmt};

use wm_terminal::failure::Failure;

/// A refused or failed action of a service.
#[derive(Debug)]
pub struct ServiceError {
    action: String,
    code: Option<String>,
    advice: &'static str,
    words: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl ServiceError {
    /// `action` is named as in policies and roles. `code` and `words` come from the service.
    /// `advice` says what to do.
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

    /// Adds the underlying error.
    #[must_use]
    pub fn from_source(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            ..self
        }
    }

    /// The error code of the service, such as `AccessDenied`.
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
    /// The text is complete, so the causes are omitted.
    fn from(error: ServiceError) -> Self {
        Self::new(error.to_string())
    }
}
