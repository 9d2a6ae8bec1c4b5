//! Reads from outside core and their answers, as facts for a decision.

use alloc::{collections::BTreeMap, string::String};

use crate::{
    record::{Body, Claims, Corrupt, Record},
    storage::{Item, Key, List, ObjectPath, Page, Range},
    value::Sha256,
};

/// One read. Equal reads of one request are carried out once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReadRequest {
    /// One item. Strongly consistent.
    Get(Key),
    /// Consecutive items of one partition. Strongly consistent.
    Scan(Range),
    /// A page of an index. Eventually consistent.
    List(List),
    /// The existence and size of an object, and its digest if `hash` is set or the provider knows
    /// it.
    Stat {
        /// The path of the object in the object store.
        path: ObjectPath,
        /// Whether to read and hash the object if the provider does not know its digest.
        hash: bool,
    },
    /// The claims of a token, if it is genuine and issued for this surface.
    Token {
        /// The token as sent.
        token: String,
        /// The required use of the token.
        usage: TokenUsage,
    },
}

/// One uploaded part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// The number, from 1.
    pub number: u16,
    /// The ETag from the provider's answer to the PUT.
    pub etag: String,
}

/// The use of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenUsage {
    /// Calling the API.
    Access,
    /// Identifying a person.
    Id,
}

/// The properties of a stored object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// The size in bytes.
    pub size: u64,
    /// The digest, if known.
    pub sha256: Option<Sha256>,
    /// The provider's version id, if the provider keeps versions.
    pub version: Option<String>,
}

/// The answer to one read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all answers are the large ones"
)]
pub enum Answer {
    /// The answer to [`ReadRequest::Get`].
    Item(Option<Item>),
    /// The answer to [`ReadRequest::Scan`] and [`ReadRequest::List`].
    Page(Page),
    /// The answer to [`ReadRequest::Stat`]. `None` if the object does not exist.
    Stat(Option<Stat>),
    /// The answer to [`ReadRequest::Token`]. `None` if the token is not valid.
    Claims(Option<Claims>),
}

/// The answers so far, by read.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    answers: BTreeMap<ReadRequest, Answer>,
    assembled: Option<Option<Stat>>,
}

/// A decision used a fact that was not read, or the answer has the wrong type. Both are faults of
/// this program or its adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fact was used that was not read")]
pub struct FactNotRead;

/// The reason why a fact cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FactError {
    /// See [`FactNotRead`].
    #[error(transparent)]
    FactNotRead(#[from] FactNotRead),
    /// The stored item cannot be decoded.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
}

impl Facts {
    /// Adds an answer.
    pub fn insert(&mut self, read: ReadRequest, answer: Answer) {
        self.answers.insert(read, answer);
    }

    /// Whether the read was answered.
    #[must_use]
    pub fn has(&self, read: &ReadRequest) -> bool {
        self.answers.contains_key(read)
    }

    /// Whether all reads were answered.
    #[must_use]
    pub fn has_all(&self, reads: &[ReadRequest]) -> bool {
        reads.iter().all(|read| self.has(read))
    }

    /// The item with this key.
    ///
    /// # Errors
    /// [`FactNotRead`].
    pub fn item(&self, key: &Key) -> Result<Option<&Item>, FactNotRead> {
        match self.answers.get(&ReadRequest::Get(key.clone())) {
            Some(Answer::Item(item)) => Ok(item.as_ref()),
            _ => Err(FactNotRead),
        }
    }

    /// The record with this key. Includes deleted records.
    ///
    /// # Errors
    /// [`FactError`].
    pub fn record<B: Body>(&self, key: &Key) -> Result<Option<Record<B>>, FactError> {
        Ok(self.item(key)?.map(Record::decode).transpose()?)
    }

    /// The items of a range.
    ///
    /// # Errors
    /// [`FactNotRead`].
    pub fn scan(&self, range: &Range) -> Result<&Page, FactNotRead> {
        self.page(&ReadRequest::Scan(range.clone()))
    }

    /// The items of an index page.
    ///
    /// # Errors
    /// [`FactNotRead`].
    pub fn list(&self, list: &List) -> Result<&Page, FactNotRead> {
        self.page(&ReadRequest::List(list.clone()))
    }

    fn page(&self, read: &ReadRequest) -> Result<&Page, FactNotRead> {
        match self.answers.get(read) {
            Some(Answer::Page(page)) => Ok(page),
            _ => Err(FactNotRead),
        }
    }

    /// The properties of an object. `read` must equal the read that was sent.
    ///
    /// # Errors
    /// [`FactNotRead`].
    pub fn stat(&self, read: &ReadRequest) -> Result<Option<&Stat>, FactNotRead> {
        match self.answers.get(read) {
            Some(Answer::Stat(stat)) => Ok(stat.as_ref()),
            _ => Err(FactNotRead),
        }
    }

    /// Adds the result of the assembly. `None` if a part is missing.
    pub fn insert_assembled(&mut self, object: Option<Stat>) {
        self.assembled = Some(object);
    }

    /// The result of the assembly, if it was attempted. The inner `None` means that a part is
    /// missing.
    #[must_use]
    pub fn assembled(&self) -> Option<Option<&Stat>> {
        self.assembled.as_ref().map(Option::as_ref)
    }

    /// The claims of a token. `None` if the token is not valid.
    ///
    /// # Errors
    /// [`FactNotRead`].
    pub fn claims(&self, read: &ReadRequest) -> Result<Option<&Claims>, FactNotRead> {
        match self.answers.get(read) {
            Some(Answer::Claims(claims)) => Ok(claims.as_ref()),
            _ => Err(FactNotRead),
        }
    }
}
