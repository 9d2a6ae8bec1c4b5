//! The interface of operations and jobs: declare reads, then decide.

use alloc::{string::String, vec::Vec};

use serde_json::Value;

use crate::{
    operation::{Assembly, Batch, Context, Facts, Problem, ReadRequest, Sign},
    storage::{ETag, Key, Scope},
};

/// One operation, parsed from a request, or one job of the system. `T` is the type of the result: a
/// [`Reply`] for a request, a type of its own for a job.
pub trait UseCase<T = Reply>: Send + Sync {
    /// The reads that the operation needs, as far as the known facts determine them. The driver
    /// calls this function again after each read round, until every read is answered.
    ///
    /// # Errors
    /// A refusal that the known facts already determine.
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem>;

    /// A multipart upload to assemble after all reads and before the decision. [`Facts::assembled`]
    /// holds the result.
    ///
    /// # Errors
    /// The refusal of the operation.
    fn assembly(
        &self,
        _context: &Context<'_>,
        _facts: &Facts,
    ) -> Result<Option<Assembly>, Problem> {
        Ok(None)
    }

    /// Decides from the facts.
    ///
    /// # Errors
    /// The refusal of the operation. A refused operation changes nothing.
    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome<T>, Problem>;

    /// The scope of the commit. `None` for operations without a commit. The scope holds the
    /// idempotency record, and some surfaces keep a writer queue per scope.
    fn writes(&self, _context: &Context<'_>) -> Option<Scope> {
        None
    }

    /// Answers a repetition under an idempotency key from the records of the first request. `facts`
    /// contains these records by [`ReadRequest::Get`], beside the reads of [`UseCase::reads`].
    /// Permissions are checked again.
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

/// The decision of an operation.
#[derive(Debug)]
pub enum Outcome<T = Reply> {
    /// Answer without a write.
    Reply(T),
    /// Commit the batch, then answer.
    Commit(Batch, T),
    /// Commit the batch, then refuse the request. The batch records the failure.
    Reject(Batch, Problem),
    /// Commit this batch in another scope first, then decide again with fresh facts.
    Prepare(Batch),
}

impl<T> Outcome<T> {
    /// Replaces the reply.
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
    /// The body. `None` for an answer without a body.
    pub body: Option<Value>,
    /// The ETag of the answered record.
    pub etag: Option<ETag>,
    /// The path of the created record.
    pub location: Option<String>,
    /// A URL to sign after the commit.
    pub sign: Option<Sign>,
    /// Work to finish, if possible, before the answer is sent.
    pub finish: Option<Continuation>,
    /// The keys of the records in the answer, for repetitions under an idempotency key.
    pub records: Vec<Key>,
}

impl Reply {
    /// A 200 with this body.
    #[must_use]
    pub fn ok(body: Value) -> Self {
        Self {
            status: 200,
            body: Some(body),
            ..Self::default()
        }
    }

    /// A 204 without a body.
    #[must_use]
    pub fn no_content() -> Self {
        Self {
            status: 204,
            ..Self::default()
        }
    }
}

/// Unfinished work of an answered request.
#[derive(Debug, Clone, PartialEq)]
pub struct Continuation {
    /// The key of the record that represents the work.
    pub key: Key,
    /// The body of the answer after the work is finished. `None` keeps the original body.
    pub body: Option<Value>,
}
