//! What a decision asks of the outside world, and what it got.

use alloc::{collections::BTreeMap, string::String};

use crate::{
    record::{Body, Claims, Corrupt, Record},
    storage::{Item, Key, List, ObjectPath, Page, Range},
    value::Sha256,
};

/// One question. Asking twice in one request asks once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReadRequest {
    /// One item, strongly consistent.
    Get(Key),
    /// Consecutive items of one partition, strongly consistent.
    Scan(Range),
    /// A page of an index, eventually consistent.
    List(List),
    /// Whether an object is there, how large it is and, if `hash` or the provider knows it anyway,
    /// its digest.
    Stat {
        /// The object.
        path: ObjectPath,
        /// Whether to read and hash it where the provider cannot vouch for a digest.
        hash: bool,
    },
    /// What a token says, if it is genuine and meant for us.
    Token {
        /// The token, as presented.
        token: String,
        /// What it must be for.
        usage: TokenUsage,
    },
}

/// One uploaded part: its number from 1 and the provider's mark for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// The number.
    pub number: u16,
    /// The mark the provider answered the PUT with.
    pub etag: String,
}

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenUsage {
    /// Calling the API.
    Access,
    /// Telling who someone is.
    Id,
}

/// What the object store knows of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// Its size.
    pub size: u64,
    /// Its digest, where known.
    pub sha256: Option<Sha256>,
    /// The provider's version of it, where it keeps any.
    pub version: Option<String>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all answers are the large ones"
)]
pub enum Answer {
    /// To [`ReadRequest::Get`].
    Item(Option<Item>),
    /// To [`ReadRequest::Scan`] and [`ReadRequest::List`].
    Page(Page),
    /// To [`ReadRequest::Stat`]; `None` when the object is not there.
    Stat(Option<Stat>),
    /// To [`ReadRequest::Token`]; `None` when the token proves nothing.
    Claims(Option<Claims>),
}

/// The answers so far.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    answers: BTreeMap<ReadRequest, Answer>,
    assembled: Option<Option<Stat>>,
}

/// A decision looked for an answer it had not asked for, or got one of another kind: a fault of
/// this program or its adapter, never of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fact was used that was not asked for")]
pub struct NotAsked;

/// Why a fact cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FactError {
    /// See [`NotAsked`].
    #[error(transparent)]
    NotAsked(#[from] NotAsked),
    /// The stored item is not what was written.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
}

impl Facts {
    /// Takes an answer in.
    pub fn insert(&mut self, read: ReadRequest, answer: Answer) {
        self.answers.insert(read, answer);
    }

    /// Whether there is an answer.
    #[must_use]
    pub fn has(&self, read: &ReadRequest) -> bool {
        self.answers.contains_key(read)
    }

    /// Whether all of these are answered.
    #[must_use]
    pub fn has_all(&self, reads: &[ReadRequest]) -> bool {
        reads.iter().all(|read| self.has(read))
    }

    /// The item under a key.
    ///
    /// # Errors
    /// [`NotAsked`].
    pub fn item(&self, key: &Key) -> Result<Option<&Item>, NotAsked> {
        match self.answers.get(&ReadRequest::Get(key.clone())) {
            Some(Answer::Item(item)) => Ok(item.as_ref()),
            _ => Err(NotAsked),
        }
    }

    /// The record under a key, deleted ones included.
    ///
    /// # Errors
    /// [`FactError`].
    pub fn record<B: Body>(&self, key: &Key) -> Result<Option<Record<B>>, FactError> {
        Ok(self.item(key)?.map(Record::decode).transpose()?)
    }

    /// The items of a range.
    ///
    /// # Errors
    /// [`NotAsked`].
    pub fn scan(&self, range: &Range) -> Result<&Page, NotAsked> {
        self.page(&ReadRequest::Scan(range.clone()))
    }

    /// The items of an index page.
    ///
    /// # Errors
    /// [`NotAsked`].
    pub fn list(&self, list: &List) -> Result<&Page, NotAsked> {
        self.page(&ReadRequest::List(list.clone()))
    }

    fn page(&self, read: &ReadRequest) -> Result<&Page, NotAsked> {
        match self.answers.get(read) {
            Some(Answer::Page(page)) => Ok(page),
            _ => Err(NotAsked),
        }
    }

    /// What is known of an object, by the very question that was asked.
    ///
    /// # Errors
    /// [`NotAsked`].
    pub fn stat(&self, read: &ReadRequest) -> Result<Option<&Stat>, NotAsked> {
        match self.answers.get(read) {
            Some(Answer::Stat(stat)) => Ok(stat.as_ref()),
            _ => Err(NotAsked),
        }
    }

    /// Takes in what became of the multipart upload that was put together; `None` when a part is missing.
    pub fn insert_assembled(&mut self, object: Option<Stat>) {
        self.assembled = Some(object);
    }

    /// The object that was put together, once that was tried; the inner `None` when a part is missing.
    #[must_use]
    pub fn assembled(&self) -> Option<Option<&Stat>> {
        self.assembled.as_ref().map(Option::as_ref)
    }

    /// What a token says; `None` when it proves nothing.
    ///
    /// # Errors
    /// [`NotAsked`].
    pub fn claims(&self, read: &ReadRequest) -> Result<Option<&Claims>, NotAsked> {
        match self.answers.get(read) {
            Some(Answer::Claims(claims)) => Ok(claims.as_ref()),
            _ => Err(NotAsked),
        }
    }
}
