//! Problems: every refusal and failure a caller can see (RFC 9457).

use alloc::{
    borrow::Cow,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use crate::{
    facts::{FactError, NotAsked},
    permission::{Capability, Refusal},
    value::RequestId,
};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal, $title:literal;)*) => {
        /// The closed list of problems.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
        pub enum ProblemKind {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl ProblemKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The `type`: a stable URN.
            #[must_use]
            pub fn urn(self) -> &'static str {
                match self { $(Self::$name => concat!("urn:wm:problem:", $text),)* }
            }

            /// The HTTP status.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// The title, the same for every problem of the kind.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

kinds! {
    /// Something in the request is malformed.
    InvalidRequest = "invalid-request", 400, "The request is not valid";
    /// The invitation token opens nothing.
    InvitationInvalid = "invitation-invalid", 400, "The invitation cannot be used";
    /// No token, or one that proves nothing.
    Unauthenticated = "unauthenticated", 401, "Sign in first";
    /// Visible, but not allowed.
    Forbidden = "forbidden", 403, "You may not do this";
    /// More would be handed out than the caller has.
    Escalation = "escalation", 403, "You cannot hand out more than you have";
    /// Not there, or not visible.
    NotFound = "not-found", 404, "There is no such thing";
    /// The path exists, the method does not.
    MethodNotAllowed = "method-not-allowed", 405, "The method is not allowed here";
    /// The state of things rules it out.
    Conflict = "conflict", 409, "The state of things rules this out";
    /// The account would be left without an active owner.
    LastOwner = "last-owner", 409, "An account needs an active owner";
    /// The bytes are not the declared ones.
    UploadMismatch = "upload-mismatch", 409, "The bytes are not the declared ones";
    /// The record changed since it was read.
    PreconditionFailed = "precondition-failed", 412, "It changed since you read it";
    /// The body is too large.
    PayloadTooLarge = "payload-too-large", 413, "The request is too large";
    /// The body is not JSON.
    UnsupportedMediaType = "unsupported-media-type", 415, "The body must be JSON";
    /// The idempotency key was used with another body.
    IdempotencyMismatch = "idempotency-mismatch", 422, "The idempotency key was used for something else";
    /// `If-Match` is missing.
    PreconditionRequired = "precondition-required", 428, "Say which version you mean";
    /// Too many requests.
    RateLimited = "rate-limited", 429, "Too many requests";
    /// A fault of this program; nothing was changed.
    Internal = "internal", 500, "Something is wrong on our side";
    /// A dependency is down or busy; try again.
    Unavailable = "unavailable", 503, "Not available right now";
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FieldError {
    /// The path of the field in the body, or the name of a query parameter or header.
    pub field: String,
    /// What it must be.
    pub message: String,
}

/// A problem as answered (RFC 9457).
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub struct ProblemView<'a> {
    /// The kind: a stable URN.
    #[serde(rename = "type")]
    #[schemars(schema_with = "urns")]
    kind: &'static str,
    /// The title, the same for every problem of the kind.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What happened and what to do, for people.
    detail: &'a str,
    /// The request, to be named when asking for help.
    request_id: RequestId,
    /// The fields at fault.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    /// The capabilities lacked.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    missing: &'a [Capability],
}

fn urns(_: &mut SchemaGenerator) -> Schema {
    let urns: Vec<_> = ProblemKind::ALL.iter().map(|kind| kind.urn()).collect();
    json_schema!({ "type": "string", "enum": urns })
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

    /// The problem as the answer to this request.
    #[must_use]
    pub fn view(&self, request_id: RequestId) -> ProblemView<'_> {
        ProblemView {
            kind: self.kind.urn(),
            title: self.kind.title(),
            status: self.kind.status(),
            detail: &self.detail,
            request_id,
            errors: &self.errors,
            missing: &self.missing,
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
