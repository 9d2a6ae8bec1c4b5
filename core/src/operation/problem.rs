//! Problems: every refusal and failure a caller can see (RFC 9457).

use alloc::{
    borrow::Cow,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use crate::{
    operation::{FactError, NotAsked},
    permission::{NotDue, Refusal},
    value::{Capability, FieldError},
};

/// The closed list of problems. The HTTP contract gives each its type, title and status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// Something in the request is malformed.
    InvalidRequest,
    /// The invitation token opens nothing.
    InvitationInvalid,
    /// No token, or one that proves nothing.
    Unauthenticated,
    /// Visible, but not allowed.
    Forbidden,
    /// More would be handed out than the caller has.
    Escalation,
    /// Not there, or not visible.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The state of things rules it out.
    Conflict,
    /// The account would be left without an active owner.
    LastOwner,
    /// The bytes are not the declared ones.
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
    /// Too many requests.
    RateLimited,
    /// A fault of this program; nothing was changed.
    Internal,
    /// A dependency is down or busy; try again.
    Unavailable,
}

/// A refusal or failure, before it is given a request id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    /// The kind.
    pub kind: ProblemKind,
    /// What happened and what to do, for people. Names nothing the caller may not see.
    pub detail: Cow<'static, str>,
    /// The fields at fault.
    pub errors: Vec<FieldError>,
    /// The capabilities lacked.
    pub missing: Vec<Capability>,
    /// After how many seconds a retry makes sense.
    pub retry_after: Option<u32>,
    /// What operators should know; logged, never answered.
    pub internal: Option<String>,
}

impl Problem {
    /// A problem of this kind.
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

    /// 400 naming one field.
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

    /// 404, the same for what is not there and what cannot be seen.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(
            ProblemKind::NotFound,
            "there is no such thing, or you cannot see it",
        )
    }

    /// 403 naming the missing capability.
    #[must_use]
    pub fn forbidden(missing: Capability) -> Self {
        let mut problem = Self::new(
            ProblemKind::Forbidden,
            alloc::format!("you lack the capability `{missing}`; ask someone who can grant it"),
        );
        problem.missing.push(missing);
        problem
    }

    /// 403 naming what would be handed out without being held.
    #[must_use]
    pub fn escalation(detail: impl Into<Cow<'static, str>>, missing: Vec<Capability>) -> Self {
        Self {
            missing,
            ..Self::new(ProblemKind::Escalation, detail)
        }
    }

    /// 409.
    #[must_use]
    pub fn conflict(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ProblemKind::Conflict, detail)
    }

    /// 503 with what operators should know.
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

    /// 500 with what operators should know.
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

impl From<NotAsked> for Problem {
    fn from(error: NotAsked) -> Self {
        Self::internal(error.to_string())
    }
}

impl From<NotDue> for Problem {
    fn from(error: NotDue) -> Self {
        Self::internal(error.to_string())
    }
}
