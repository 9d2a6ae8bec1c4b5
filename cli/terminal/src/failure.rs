//! Failures of commands.

use std::{error::Error, fmt, process::ExitCode};

/// A failure: its cause and the next step, in one line.
#[derive(Debug)]
pub struct Failure {
    message: String,
    kind: Kind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The command failed.
    Failed,
    /// A usage error.
    Usage,
    /// Another program, run for the user, failed and reported its failure.
    Reported(u8),
}

impl Failure {
    /// A failed command.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            kind: Kind::Failed,
            source: None,
        }
    }

    /// A failed command, with its cause.
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

    /// A failed command whose error states the cause and the next step.
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        Self::new(causes(error))
    }

    /// A usage error.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Usage,
            ..Self::new(message)
        }
    }

    /// A failure that was already reported.
    #[must_use]
    pub fn reported(code: u8) -> Self {
        Self {
            kind: Kind::Reported(code),
            ..Self::new("")
        }
    }

    #[must_use]
    pub fn is_reported(&self) -> bool {
        matches!(self.kind, Kind::Reported(_))
    }

    /// 1 for a failed command, 2 for a usage error.
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
    /// The message and, in parentheses, further text of the causes.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        match self.source() {
            Some(source) => write!(formatter, " ({})", causes(source)),
            None => Ok(()),
        }
    }
}

/// The text of the outermost and the innermost error of a chain, on one line. The errors between
/// them mostly repeat or frame these.
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
