//! Problem documents (RFC 9457) and the statuses of problem kinds.

use alloc::vec::Vec;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use crate::{
    operation::{Problem, ProblemKind},
    value::{Capability, FieldError, RequestId},
};

macro_rules! kinds {
    ($($name:ident = $text:literal, $status:literal, $title:literal;)*) => {
        impl ProblemKind {
            /// Every kind of problem.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The `type` of the problem: a stable URN.
            #[must_use]
            pub fn urn(self) -> &'static str {
                match self { $(Self::$name => concat!("urn:wm:problem:", $text),)* }
            }

            /// The last part of the URN, such as `not-found`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The HTTP status.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// The title. All problems of one kind have the same title.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

kinds! {
    InvalidRequest = "invalid-request", 400, "The request is not valid";
    InvitationInvalid = "invitation-invalid", 400, "The invitation cannot be used";
    Unauthenticated = "unauthenticated", 401, "Sign in first";
    Forbidden = "forbidden", 403, "You may not do this";
    Escalation = "escalation", 403, "You cannot hand out more than you have";
    NotFound = "not-found", 404, "There is no such thing";
    MethodNotAllowed = "method-not-allowed", 405, "The method is not allowed here";
    Conflict = "conflict", 409, "The state of things rules this out";
    LastOwner = "last-owner", 409, "An account needs an active owner";
    UploadMismatch = "upload-mismatch", 409, "The bytes are not the declared ones";
    PreconditionFailed = "precondition-failed", 412, "It changed since you read it";
    PayloadTooLarge = "payload-too-large", 413, "The request is too large";
    UnsupportedMediaType = "unsupported-media-type", 415, "The body must be JSON";
    IdempotencyMismatch = "idempotency-mismatch", 422, "The idempotency key was used for something else";
    PreconditionRequired = "precondition-required", 428, "Say which version you mean";
    RateLimited = "rate-limited", 429, "Too many requests";
    Internal = "internal", 500, "Something is wrong on our side";
    Unavailable = "unavailable", 503, "Not available right now";
}

/// A problem (RFC 9457).
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub struct ProblemView<'a> {
    /// The kind of the problem, as a stable URN.
    #[serde(rename = "type")]
    #[schemars(schema_with = "urns")]
    kind: &'static str,
    /// The title, the same for every problem of the kind.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What happened and what to do, for people. The text may change.
    detail: &'a str,
    /// The id of the request, for support.
    request_id: RequestId,
    /// The fields of the request that are wrong.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    /// The capabilities that the caller lacks.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    missing: &'a [Capability],
}

fn urns(_: &mut SchemaGenerator) -> Schema {
    let urns: Vec<_> = ProblemKind::ALL.iter().map(|kind| kind.urn()).collect();
    json_schema!({ "type": "string", "enum": urns })
}

impl Problem {
    /// Builds the problem document for the request with this id.
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
}
