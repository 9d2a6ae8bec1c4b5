//! The envelope around every body, and its codec.

use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

use super::{Clock, Family, PermissionFacts};
use crate::{
    storage::{ETag, IndexKeys, Item, Key},
    value::{Invalid, Sha256, Timestamp, UserId, canonical, string_value},
};

/// The body of one family: what makes its key, its index rows and its text.
pub trait Body: Clone + Serialize + DeserializeOwned {
    /// The family.
    const FAMILY: Family;
    /// The number of the body's present form. Raised with every change that older code would misread.
    const SCHEMA: u16 = 1;
    /// Whether superseded states are kept in `HISTORY#`, because access at a past time reads them.
    const KEEPS_HISTORY: bool = false;
    /// The id of a record of this family.
    type Id: Clone + fmt::Display + FromStr<Err = Invalid>;

    /// Where the record is.
    fn key(&self, id: &Self::Id) -> Key;

    /// Where listings show it; not asked for deleted records, which leave all indexes.
    fn index(&self, _id: &Self::Id, _envelope: &Times) -> IndexKeys {
        IndexKeys::default()
    }

    /// When a database may forget the record.
    fn garbage_after(&self) -> Option<Timestamp> {
        None
    }

    /// What the journal notes of a permission record, beside its key and version.
    fn permission_facts(&self) -> Option<PermissionFacts> {
        None
    }

    /// The place its superseded states are kept under; see [`crate::storage::Sort::superseded`].
    fn history_place(&self, id: &Self::Id) -> String {
        self.key(id).sort.to_string()
    }

    /// Brings a body of an older schema into the present form, without touching what is stored.
    ///
    /// # Errors
    /// When the body is not of that schema.
    fn upgrade(schema: u16, _body: Value) -> Result<Value, Invalid> {
        let _ = schema;
        Err(Invalid("no older schema of this family is known"))
    }
}

/// The times of an envelope, for index keys.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// When the record was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Who wrote a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Author {
    /// A person.
    User(UserId),
    /// The system itself: an expiry, a verification, a finished step.
    System,
}

impl fmt::Display for Author {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => user.fmt(formatter),
            Self::System => formatter.write_str("system"),
        }
    }
}

impl FromStr for Author {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text == "system" {
            Ok(Self::System)
        } else {
            text.parse().map(Self::User)
        }
    }
}

string_value!(Author, {});

/// A record: its envelope and its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<B: Body> {
    /// The id.
    pub id: B::Id,
    /// What it says.
    pub body: B,
    /// How many changes it has seen, from 1.
    pub version: u64,
    /// Which surfaces' writes it has seen.
    pub clock: Clock,
    /// When it was created.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Author,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// By whom.
    pub updated_by: Author,
    /// Whether it is marked deleted.
    pub deleted: bool,
    /// SHA-256 over schema number and canonical body, as stored.
    pub checksum: Sha256,
}

/// Why a stored item is not the record it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Corrupt {
    /// Its text, family, checksum or mark do not fit: storage damaged or changed it.
    #[error("the item `{0}` is damaged: {1}")]
    Damaged(String, &'static str),
    /// A newer program wrote it.
    #[error("the item `{0}` has schema {1}, newer than this program knows: upgrade the program")]
    Newer(String, u16),
}

#[derive(Serialize, Deserialize)]
struct Envelope<'a> {
    family: Family,
    id: String,
    schema: u16,
    version: u64,
    clock: Clock,
    checksum: Sha256,
    created_at: Timestamp,
    created_by: Author,
    updated_at: Timestamp,
    updated_by: Author,
    deleted: bool,
    #[serde(borrow)]
    body: &'a RawValue,
}

fn checksum(schema: u16, canonical_body: &str) -> Sha256 {
    let mut hasher = crate::value::digest::Hasher::default();
    hasher.update(schema.to_string().as_bytes());
    hasher.update(b":");
    hasher.update(canonical_body.as_bytes());
    hasher.finish()
}

fn mark(clock: &Clock, checksum: Sha256, deleted: bool) -> ETag {
    let clock = canonical::canonical(&canonical::to_value(clock));
    ETag::new(Sha256::keyed(
        b"etag",
        &[clock.as_bytes(), checksum.as_bytes(), &[u8::from(deleted)]],
    ))
}

impl<B: Body> Record<B> {
    /// A new record: version 1. Its clock is set when a commit takes it in.
    #[must_use]
    pub fn new(id: B::Id, body: B, clock: Clock, at: Timestamp, by: Author) -> Self {
        let checksum = checksum(
            B::SCHEMA,
            &canonical::canonical(&canonical::to_value(&body)),
        );
        Self {
            id,
            body,
            version: 1,
            clock,
            created_at: at,
            created_by: by,
            updated_at: at,
            updated_by: by,
            deleted: false,
            checksum,
        }
    }

    /// The next state of this record.
    #[must_use]
    pub fn next(&self, body: B, deleted: bool, clock: Clock, at: Timestamp, by: Author) -> Self {
        let next = Self::new(self.id.clone(), body, clock, at, by);
        let version = self.version.saturating_add(1);
        Self {
            version,
            created_at: self.created_at,
            created_by: self.created_by,
            deleted,
            ..next
        }
    }

    /// Where it is.
    #[must_use]
    pub fn key(&self) -> Key {
        self.body.key(&self.id)
    }

    /// The mark of this state.
    #[must_use]
    pub fn etag(&self) -> ETag {
        mark(&self.clock, self.checksum, self.deleted)
    }

    /// The neutral form that is stored.
    #[must_use]
    pub fn encode(&self) -> Item {
        let times = Times {
            created_at: self.created_at,
            updated_at: self.updated_at,
        };
        let index = if self.deleted {
            IndexKeys::default()
        } else {
            self.body.index(&self.id, &times)
        };
        self.encode_at(self.key(), index)
    }

    /// The same state under another key and outside all indexes, for `HISTORY#`.
    #[must_use]
    pub fn encode_at(&self, key: Key, index: IndexKeys) -> Item {
        let text = canonical::canonical(&canonical::to_value(&self.body));
        let raw = RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned());
        let envelope = Envelope {
            family: B::FAMILY,
            id: self.id.to_string(),
            schema: B::SCHEMA,
            version: self.version,
            clock: self.clock.clone(),
            checksum: self.checksum,
            created_at: self.created_at,
            created_by: self.created_by,
            updated_at: self.updated_at,
            updated_by: self.updated_by,
            deleted: self.deleted,
            body: &raw,
        };
        Item {
            key,
            index,
            etag: self.etag(),
            body: serde_json::to_string(&envelope).unwrap_or_default(),
            expires_at: self.body.garbage_after(),
        }
    }

    /// Reads a stored item back, checking that it is what was written.
    ///
    /// # Errors
    /// [`Corrupt`] when a bit was flipped, the item belongs to another family, or a newer program
    /// wrote it.
    pub fn decode(item: &Item) -> Result<Self, Corrupt> {
        let damaged = |what| Corrupt::Damaged(item.key.to_string(), what);
        let envelope: Envelope<'_> =
            serde_json::from_str(&item.body).map_err(|_| damaged("its envelope does not parse"))?;
        if envelope.family != B::FAMILY {
            return Err(damaged("it belongs to another family"));
        }
        if envelope.schema > B::SCHEMA {
            return Err(Corrupt::Newer(item.key.to_string(), envelope.schema));
        }
        if checksum(envelope.schema, envelope.body.get()) != envelope.checksum {
            return Err(damaged("its body does not match its checksum"));
        }
        if mark(&envelope.clock, envelope.checksum, envelope.deleted) != item.etag {
            return Err(damaged("its envelope does not match its mark"));
        }
        let body = if envelope.schema == B::SCHEMA {
            serde_json::from_str(envelope.body.get())
        } else {
            serde_json::from_str(envelope.body.get())
                .and_then(|body| {
                    B::upgrade(envelope.schema, body)
                        .map_err(<serde_json::Error as serde::de::Error>::custom)
                })
                .and_then(serde_json::from_value)
        };
        Ok(Self {
            id: envelope
                .id
                .parse()
                .map_err(|_| damaged("its id does not parse"))?,
            body: body.map_err(|_| damaged("its body does not parse"))?,
            version: envelope.version,
            clock: envelope.clock,
            created_at: envelope.created_at,
            created_by: envelope.created_by,
            updated_at: envelope.updated_at,
            updated_by: envelope.updated_by,
            deleted: envelope.deleted,
            checksum: envelope.checksum,
        })
    }

    /// Reads several items back.
    ///
    /// # Errors
    /// The first that is [`Corrupt`].
    pub fn decode_all(items: &[Item]) -> Result<Vec<Self>, Corrupt> {
        items.iter().map(Self::decode).collect()
    }
}
