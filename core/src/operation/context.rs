//! The inputs of a decision beside its facts.

use alloc::string::String;

use crate::{
    record::Actor,
    selection::BackendSelection,
    storage::{Key, Scope, Sort, UploadLimits, WorkPartitions},
    value::{Email, Env, RequestId, Sha256, SurfaceId, UserId},
};

/// The properties of one running surface.
#[derive(Clone)]
pub struct Surface {
    /// The id and epoch.
    pub id: SurfaceId,
    /// The key of invitation tokens, e-mail address hashes, cursors and derived ids.
    pub secret: [u8; 32],
    /// The services of the surface. `GET /v1/backend` shows them.
    pub selection: BackendSelection,
    /// The public URL without a trailing slash. Invitation links begin with it.
    pub public_url: String,
    /// The limit between single uploads and uploads in parts.
    pub upload: UploadLimits,
}

impl core::fmt::Debug for Surface {
    /// Omits the secret.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("Surface")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Surface {
    /// The keyed hash of an e-mail address. It is part of the address link's key.
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
    /// The keyed hash of actor, path and key. Only POST accepts an idempotency key.
    pub id: Sha256,
    /// The digest of the body.
    pub fingerprint: Sha256,
}

/// The context of one request.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// The surface that handles the request.
    pub surface: &'a Surface,
    /// Time and randomness.
    pub env: Env,
    /// The caller.
    pub actor: Actor,
    /// Identifies the request in logs, the answer and the journal.
    pub request_id: RequestId,
    /// Present if the caller sent an idempotency key.
    pub idempotency: Option<IdempotencyRequest>,
    /// The partitions that unfinished work is written to.
    pub work_partitions: WorkPartitions,
}

impl Context<'_> {
    /// The id of the calling person.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.actor.user
    }

    /// The ULID of a scope that this request creates. Under one idempotency key it is the same for
    /// every repetition, so a repetition finds the scope of the first attempt.
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
