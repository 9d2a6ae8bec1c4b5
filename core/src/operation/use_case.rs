//! The shape of every operation: say what to read, then decide.

use alloc::{string::String, vec::Vec};

use serde_json::Value;

use crate::{
    operation::{Ask, Context, Facts, Problem, Sign},
    storage::{Batch, ETag, Key, ObjectPath, Scope},
};

/// One operation, parsed from a request or made by the system.
pub trait UseCase: Send + Sync {
    /// Everything it needs to know, as far as it can tell from what is known already. It is asked
    /// again with the answers until it asks nothing new; each asking is one parallel wave of reads.
    ///
    /// # Errors
    /// When what is known already rules the operation out.
    fn needs(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<Ask>, Problem>;

    /// The decision.
    ///
    /// # Errors
    /// Why it is refused; nothing is changed then.
    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem>;

    /// The scope it commits in; `None` for reads. Idempotency records live there, and surfaces that
    /// can make writers of one scope queue do so by it.
    fn writes(&self, _context: &Context<'_>) -> Option<Scope> {
        None
    }

    /// Answers a repetition under an idempotency key from the records the first request made, which
    /// are in `facts` by [`Ask::Get`], beside everything [`UseCase::needs`] asks for. Authorises anew.
    ///
    /// # Errors
    /// As [`UseCase::decide`].
    fn replay(
        &self,
        _context: &Context<'_>,
        _facts: &Facts,
        _records: &[Key],
    ) -> Result<Reply, Problem> {
        Err(Problem::conflict(
            "this request was carried out before and cannot be repeated",
        ))
    }
}

/// What an operation wants done.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing to write: the answer.
    Reply(Reply),
    /// Write this, then answer.
    Commit(Batch, Reply),
    /// Write this first, in a scope of its own, then decide again with fresh facts.
    Prepare(Batch),
}

/// The answer of an operation.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body; `None` sends none.
    pub body: Option<Value>,
    /// The mark of the record shown.
    pub etag: Option<ETag>,
    /// Where the record made can be read.
    pub location: Option<String>,
    /// An address to sign once everything is committed.
    pub sign: Option<Sign>,
    /// A record whose interrupted work the executor should try to finish before it answers.
    pub finish: Option<Key>,
    /// Answered in place of the body: what was committed is that the request came to nothing.
    pub problem: Option<Problem>,
    /// A multipart upload nobody will go on with, to be removed once everything is committed.
    pub abandoned: Option<AbandonedUpload>,
    /// The records the answer shows, for repetitions under an idempotency key.
    pub records: Vec<Key>,
}

impl Reply {
    /// 200 with this body.
    #[must_use]
    pub fn ok(body: Value) -> Self {
        Self {
            status: 200,
            body: Some(body),
            ..Self::default()
        }
    }

    /// 204 without a body.
    #[must_use]
    pub fn no_content() -> Self {
        Self {
            status: 204,
            ..Self::default()
        }
    }
}

/// A multipart upload that was begun and given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbandonedUpload {
    /// The object it would have made.
    pub path: ObjectPath,
    /// The provider's name for it.
    pub upload_id: String,
}
