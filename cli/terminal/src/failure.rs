//! Why a command fails.

use std::{error::Error, fmt, process::ExitCode};

/// A failure: what went wrong and what to do next, in one line.
#[derive(Debug)]
pub struct Failure {
    message: String,
    kind: Kind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It did not work.
    Failed,
    /// It was asked for wrongly.
    Usage,
    /// A program run on behalf of the user failed and said so itself.
    Reported(u8),
}

impl Failure {
    /// It did not work.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            kind: Kind::Failed,
            source: None,
        }
    }

    /// It did not work, because of this.
    #[must_use]
    pub fn because(
        message: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::new(message)
        }
    }

    /// It did not work, and the error says it all: what happened and what to do.
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        Self::new(causes(error))
    }

    /// It was asked for wrongly.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Usage,
            ..Self::new(message)
        }
    }

    /// What went wrong has been said already.
    #[must_use]
    pub fn reported(code: u8) -> Self {
        Self {
            kind: Kind::Reported(code),
            ..Self::new("")
        }
    }

    /// Whether it still has to be said.
    #[must_use]
    pub fn is_reported(&self) -> bool {
        matches!(self.kind, Kind::Reported(_))
    }

    /// 1 for what did not work, 2 for what was asked for wrongly.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::Reported(code) => code,
        })
    }
}

impl fmt::Display for Failure {
    /// The message and, in parentheses, what the causes say beyond it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        match self.source() {
            Some(source) => write!(formatter, " ({})", causes(source)),
            None => Ok(()),
        }
    }
}

/// The outermost and the innermost words of a chain of errors, on one line; those between mostly
/// repeat or frame them.
fn causes(error: &(dyn Error + 'static)) -> String {
    let outer = error.to_string();
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    let inner = last.to_string();
    let text = if outer.contains(&inner) {
        outer
    } else {
        format!("{outer}: {inner}")
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
