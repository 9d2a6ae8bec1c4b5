//! What every decision knows beside its facts.

use alloc::string::String;

use crate::{
    record::Actor,
    selection::BackendSelection,
    storage::{Key, Scope, Sort, UploadLimits},
    value::{Email, Env, RequestId, Sha256, SurfaceId, UserId},
};

/// What is fixed for one running surface.
#[derive(Clone)]
pub struct Surface {
    /// Its id and epoch.
    pub id: SurfaceId,
    /// The secret behind invitation tokens, address hashes, cursors and derived ids.
    pub secret: [u8; 32],
    /// Which services it uses; shown by `GET /v1/backend`.
    pub selection: BackendSelection,
    /// Where people reach it, without a trailing slash; invitation links begin with it.
    pub public_url: String,
    /// Where uploads in one piece end.
    pub upload: UploadLimits,
}

impl core::fmt::Debug for Surface {
    /// Without the secret.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("Surface")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Surface {
    /// The keyed hash an address is filed under.
    #[must_use]
    pub fn email_hash(&self, email: &Email) -> Sha256 {
        Sha256::keyed(&self.secret, &[b"email", email.as_str().as_bytes()])
    }

    /// The link from an e-mail address to the person who proved it.
    #[must_use]
    pub fn email_link(&self, email: &Email) -> Key {
        self.email_scope(email).key(Sort::link())
    }

    /// The scope of the link from an address to the person who proved it.
    #[must_use]
    pub fn email_scope(&self, email: &Email) -> Scope {
        Scope::Email(self.email_hash(email))
    }
}

/// A request with an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRequest {
    /// The keyed hash of actor, path and key; only POST takes one.
    pub id: Sha256,
    /// The digest of the body.
    pub fingerprint: Sha256,
}

/// One request as a decision sees it.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// The surface.
    pub surface: &'a Surface,
    /// Time and randomness.
    pub env: Env,
    /// Who calls.
    pub actor: Actor,
    /// The request's id.
    pub request_id: RequestId,
    /// Set when the caller sent an idempotency key.
    pub idempotency: Option<IdempotencyRequest>,
}

impl Context<'_> {
    /// The person who calls.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.actor.user
    }

    /// The ULID for a scope this request creates: the same for every repetition under one
    /// idempotency key, so that a repetition finds what the first attempt made.
    #[must_use]
    pub fn new_scope_ulid(&self) -> ulid::Ulid {
        match &self.idempotency {
            None => self.env.ulid("scope"),
            Some(request) => {
                let bytes = Sha256::keyed(&self.surface.secret, &[b"scope", request.id.as_bytes()]);
                let bits = bytes
                    .as_bytes()
                    .iter()
                    .take(16)
                    .fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte));
                ulid::Ulid::from(bits)
            }
        }
    }
}
