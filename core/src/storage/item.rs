//! Items: the form in which databases store records.

use alloc::{
    format,
    string::{String, ToString},
};
use core::{fmt, str::FromStr};

use super::{Index, IndexKey, IndexKeys, Key};
use crate::value::{Invalid, Sha256, Timestamp};

/// The opaque tag of one state of one record: 32 hexadecimal digits over clock, checksum and
/// deletion. Databases use it in conditions. HTTP sends it in quotes as the `ETag`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ETag(String);

impl ETag {
    /// The tag of the state with this digest.
    #[must_use]
    pub fn new(state: Sha256) -> Self {
        let mut text = state.to_string();
        text.truncate(32);
        Self(text)
    }

    /// The 32 digits, without quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The header value: a strong tag in quotes (RFC 9110 section 8.8.3).
    #[must_use]
    pub fn header(&self) -> String {
        format!("\"{}\"", self.0)
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for ETag {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text.len() == 32
            && text
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        {
            Ok(Self(text.into()))
        } else {
            Err(Invalid("must be 32 lower-case hexadecimal digits"))
        }
    }
}

/// A record in the neutral form that every adapter stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Scope and sort key.
    pub key: Key,
    /// Positions in the listing indexes.
    pub index: IndexKeys,
    /// The tag of this state.
    pub etag: ETag,
    /// The envelope and body, as JSON text.
    pub body: String,
    /// The time after which the database may delete the item. It serves garbage collection only: no
    /// decision reads it.
    pub expires_at: Option<Timestamp>,
}

impl Item {
    /// The position in this index.
    #[must_use]
    pub fn row(&self, index: Index) -> Option<&IndexKey> {
        self.index.get(index.position())?.as_ref()
    }

    /// The size in bytes that counts towards the limit of a batch: body and keys.
    #[must_use]
    pub fn size(&self) -> usize {
        let index: usize = self
            .index
            .iter()
            .flatten()
            .map(|key| key.partition.len() + key.sort.len())
            .sum();
        self.body.len() + self.key.sort.as_str().len() + self.key.scope.to_string().len() + index
    }
}
