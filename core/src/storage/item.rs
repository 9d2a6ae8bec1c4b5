//! Items: what a database holds.

use alloc::{
    format,
    string::{String, ToString},
};
use core::{fmt, str::FromStr};

use super::{IndexKeys, Key};
use crate::value::{Invalid, Sha256, Timestamp};

/// The opaque mark of one state of one record: 32 hexadecimal digits over its clock, checksum and
/// deletion. Databases condition on it, and HTTP shows it in quotes as the `ETag`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ETag(String);

impl ETag {
    /// The mark of the state that hashes to this digest.
    #[must_use]
    pub fn new(state: Sha256) -> Self {
        let mut text = state.to_string();
        text.truncate(32);
        Self(text)
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The header value (RFC 9110 section 8.8.3): a strong tag, in quotes.
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

/// A record in the neutral form every adapter stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Where it is.
    pub key: Key,
    /// Where the listing indexes show it.
    pub index: IndexKeys,
    /// The mark of this state.
    pub etag: ETag,
    /// The envelope and body, as JSON text.
    pub body: String,
    /// When the database may forget it. Collects garbage only: no decision relies on it.
    pub expires_at: Option<Timestamp>,
}

impl Item {
    /// Bytes it counts for in a batch: body and keys.
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
