//! Problems: the refusals and failures that callers can receive (RFC 9457).

use alloc::{
    borrow::Cow,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use crate::{
    operation::{FactError, FactNotRead},
    permission::{NotDue, Refusal},
    value::{Capability, FieldError},
};

/// The closed list of problem kinds. The HTTP contract gives each kind its type, title and status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// The request is malformed.
    InvalidRequest,
    /// The invitation token is not valid.
    InvitationInvalid,
    /// The token is missing or not valid.
    Unauthenticated,
    /// The caller may view the object but lacks the capability.
    Forbidden,
    /// The caller would give more than the caller has.
    Escalation,
    /// The object does not exist or the caller may not view it.
    NotFound,
    /// The path exists, but not with this method.
    MethodNotAllowed,
    /// The current state does not allow the request.
    Conflict,
    /// The account would have no active owner.
    LastOwner,
    /// The uploaded bytes differ from the declared ones.
    UploadMismatch,
    /// The record changed since it was read.
    PreconditionFailed,
    /// The body is too large.
    PayloadTooLarge,
    /// The body is not JSON.
    UnsupportedMediaType,
    /// The idempotency key was used with another body.
    IdempotencyMismatch,
    /// `If-Match` is missing.
    PreconditionRequired,
    /// The caller sent too many requests.
    RateLimited,
    /// A fault of this program. The request changed nothing.
    Internal,
    /// A dependency is down or overloaded. A retry may succeed.
    Unavailable,
}

/// A refusal or failure without its request id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    /// Determines the status of the answer.
    pub kind: ProblemKind,
    /// A text for people: the cause and the remedy. It names nothing that the caller may not see.
    pub detail: Cow<'static, str>,
    /// The wrong fields.
    pub errors: Vec<FieldError>,
    /// The capabilities that the caller lacks.
    pub missing: Vec<Capability>,
    /// The delay in seconds after which a retry is useful.
    pub retry_after: Option<u32>,
    /// Details for operators. They are logged and never answered.
    pub internal: Option<String>,
}

impl Problem {
    /// A problem without wrong fields, missing capabilities or a delay for retries.
    #[must_use]
    pub fn new(kind: ProblemKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            errors: vec![],
            missing: vec![],
            retry_after: None,
            internal: None,
        }
    }

    /// A 400 naming one field.
    #[must_use]
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        let error = FieldError {
            field: field.into(),
            message: message.into(),
        };
        let mut problem = Self::new(
            ProblemKind::InvalidRequest,
            alloc::format!("`{}` {}", error.field, error.message),
        );
        problem.errors.push(error);
        problem
    }

    /// A 404. It does not tell a missing object from a hidden one.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(
            ProblemKind::NotFound,
            "it does not exist, or you cannot see it",
        )
    }

    /// A 403 naming the missing capability.
    #[must_use]
    pub fn forbidden(missing: Capability) -> Self {
        let mut problem = Self::new(
            ProblemKind::Forbidden,
            alloc::format!("you lack the capability `{missing}`; ask someone who can grant it"),
        );
        problem.missing.push(missing);
        problem
    }

    /// A 403 naming the capabilities that the caller would give without having them.
    #[must_use]
    pub fn escalation(detail: impl Into<Cow<'static, str>>, missing: Vec<Capability>) -> Self {
        Self {
            missing,
            ..Self::new(ProblemKind::Escalation, detail)
        }
    }

    /// A 409 with this detail.
    #[must_use]
    pub fn conflict(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ProblemKind::Conflict, detail)
    }

    /// A 503 with details for operators.
    #[must_use]
    pub fn unavailable(internal: impl Into<String>) -> Self {
        Self {
            retry_after: Some(1),
            internal: Some(internal.into()),
            ..Self::new(
                ProblemKind::Unavailable,
                "a service this one depends on does not answer; try again shortly",
            )
        }
    }

    /// A 500 with details for operators.
    #[must_use]
    pub fn internal(internal: impl Into<String>) -> Self {
        Self {
            internal: Some(internal.into()),
            ..Self::new(
                ProblemKind::Internal,
                "something is wrong on our side; nothing was changed",
            )
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Hidden => Self::not_found(),
            Refusal::Missing(capability) => Self::forbidden(capability),
            Refusal::Archived => Self::conflict(refusal.to_string()),
        }
    }
}

impl From<FactError> for Problem {
    fn from(error: FactError) -> Self {
        Self::internal(error.to_string())
    }
}

impl From<FactNotRead> for Problem {
    fn from(error: FactNotRead) -> Self {
        Self::internal(error.to_string())
    }
}

impl From<NotDue> for Problem {
    fn from(error: NotDue) -> Self {
        Self::internal(error.to_string())
    }
}
