//! The shape of every operation: say what to read, then decide.

use alloc::{string::String, vec::Vec};

use serde_json::Value;

use crate::{
    operation::{Assembly, Batch, Context, Facts, Problem, ReadRequest, Sign},
    storage::{ETag, Key, Scope},
};

/// One operation, parsed from a request, or one job of the system. `T` is what it answers: a [`Reply`]
/// to a request, a type of its own for a job.
pub trait UseCase<T = Reply>: Send + Sync {
    /// Everything it needs to know, as far as it can tell from what is known already. It is asked
    /// again with the answers until it asks nothing new; each asking is one parallel read round.
    ///
    /// # Errors
    /// When what is known already rules the operation out.
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem>;

    /// A multipart upload to put together before the decision, once everything else is known. Its result
    /// is [`Facts::assembled`] then.
    ///
    /// # Errors
    /// Why it is refused.
    fn assembly(
        &self,
        _context: &Context<'_>,
        _facts: &Facts,
    ) -> Result<Option<Assembly>, Problem> {
        Ok(None)
    }

    /// The decision.
    ///
    /// # Errors
    /// Why it is refused; nothing is changed then.
    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome<T>, Problem>;

    /// The scope it commits in; `None` for reads. Idempotency records live there, and surfaces that
    /// can make writers of one scope queue do so by it.
    fn writes(&self, _context: &Context<'_>) -> Option<Scope> {
        None
    }

    /// Answers a repetition under an idempotency key from the records the first request made, which
    /// are in `facts` by [`ReadRequest::Get`], beside everything [`UseCase::reads`] asks for. Authorises anew.
    ///
    /// # Errors
    /// As [`UseCase::decide`].
    fn replay(
        &self,
        _context: &Context<'_>,
        _facts: &Facts,
        _records: &[Key],
    ) -> Result<T, Problem> {
        Err(Problem::conflict(
            "this request was carried out before and cannot be repeated",
        ))
    }
}

/// What an operation wants done.
#[derive(Debug)]
pub enum Outcome<T = Reply> {
    /// Nothing to write: the answer.
    Reply(T),
    /// Write this, then answer.
    Commit(Batch, T),
    /// Write this, then refuse the request: what is recorded is that it came to nothing.
    Reject(Batch, Problem),
    /// Write this first, in a scope of its own, then decide again with fresh facts.
    Prepare(Batch),
}

impl<T> Outcome<T> {
    /// The same with another answer.
    pub fn map<U>(self, answer: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Reply(reply) => Outcome::Reply(answer(reply)),
            Self::Commit(batch, reply) => Outcome::Commit(batch, answer(reply)),
            Self::Reject(batch, problem) => Outcome::Reject(batch, problem),
            Self::Prepare(batch) => Outcome::Prepare(batch),
        }
    }
}

/// The answer of an operation.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body; `None` sends none.
    pub body: Option<Value>,
    /// The ETag of the record shown.
    pub etag: Option<ETag>,
    /// Where the record made can be read.
    pub location: Option<String>,
    /// An address to sign once everything is committed.
    pub sign: Option<Sign>,
    /// Work to try to finish before the answer goes out.
    pub finish: Option<Continuation>,
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

/// Work that an answer leaves to be finished.
#[derive(Debug, Clone, PartialEq)]
pub struct Continuation {
    /// The record that stands for the work.
    pub key: Key,
    /// The body of the answer once the work is finished; `None` leaves it as it is.
    pub body: Option<Value>,
}
