//! The envelope of records, and their encoding.

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

/// The body of one family of records. It defines their key, index rows and text form.
pub trait Body: Clone + Serialize + DeserializeOwned {
    /// The family of these records.
    const FAMILY: Family;
    /// The current schema number. Raise it with every change that older code would misread.
    const SCHEMA: u16 = 1;
    /// Whether superseded states are kept under `HISTORY#`. Queries about access in the past read
    /// them.
    const KEEPS_HISTORY: bool = false;
    /// The id of a record of this family.
    type Id: Clone + fmt::Display + FromStr<Err = Invalid>;

    /// The key of the record with this id.
    fn key(&self, id: &Self::Id) -> Key;

    /// The index rows. Not called for deleted records, which leave all indexes.
    fn index(&self, _id: &Self::Id, _envelope: &Times) -> IndexKeys {
        IndexKeys::default()
    }

    /// The time after which a database may delete the record. Default: never.
    fn garbage_after(&self) -> Option<Timestamp> {
        None
    }

    /// The permission facts that the journal repeats, besides key and version. Default: none.
    fn permission_facts(&self) -> Option<PermissionFacts> {
        None
    }

    /// The key under which superseded states are kept. See [`crate::storage::Sort::superseded`].
    fn history_key(&self, id: &Self::Id) -> String {
        self.key(id).sort.to_string()
    }

    /// Converts a body of an older schema to the current form. The stored item stays unchanged.
    ///
    /// # Errors
    /// [`Invalid`] if the body does not have that schema.
    fn upgrade(schema: u16, _body: Value) -> Result<Value, Invalid> {
        let _ = schema;
        Err(Invalid("no older schema of this family is known"))
    }
}

/// The times of an envelope, for index keys.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// The time of creation.
    pub created_at: Timestamp,
    /// The time of the last change.
    pub updated_at: Timestamp,
}

/// The author of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Author {
    /// A person.
    User(UserId),
    /// The system: an expiry, a verification or a step that finishes interrupted work.
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
    /// Identifies the record among those of its family.
    pub id: B::Id,
    /// The content.
    pub body: B,
    /// The number of states, starting at 1.
    pub version: u64,
    /// The number of writes of each surface.
    pub clock: Clock,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The author of the first state.
    pub created_by: Author,
    /// The time of the last change.
    pub updated_at: Timestamp,
    /// The author of the current state.
    pub updated_by: Author,
    /// Whether the record is marked as deleted.
    pub deleted: bool,
    /// SHA-256 over schema number and canonical body, as stored.
    pub checksum: Sha256,
    /// The stored body, if its schema is older than [`Body::SCHEMA`]. Copies of the record keep it,
    /// because `checksum` is that of this text.
    pub(crate) older: Option<OlderBody>,
}

/// A body of an older schema, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OlderBody {
    schema: u16,
    /// The canonical JSON text.
    text: String,
}

/// The reason why a stored item cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Corrupt {
    /// Text, family, checksum or ETag do not match. The storage damaged or changed the item.
    #[error("the item `{0}` is damaged: {1}")]
    Damaged(String, &'static str),
    /// A newer program wrote the item.
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

fn etag_of(clock: &Clock, checksum: Sha256, deleted: bool) -> ETag {
    let clock = canonical::canonical(&canonical::to_value(clock));
    ETag::new(Sha256::keyed(
        b"etag",
        &[clock.as_bytes(), checksum.as_bytes(), &[u8::from(deleted)]],
    ))
}

impl<B: Body> Record<B> {
    /// A new record with version 1. The commit sets its clock.
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
            older: None,
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

    /// The key of this record.
    #[must_use]
    pub fn key(&self) -> Key {
        self.body.key(&self.id)
    }

    /// The ETag of this state.
    #[must_use]
    pub fn etag(&self) -> ETag {
        etag_of(&self.clock, self.checksum, self.deleted)
    }

    /// The neutral form that databases store.
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

    /// The same state under another key, for `HISTORY#`.
    #[must_use]
    pub fn encode_at(&self, key: Key, index: IndexKeys) -> Item {
        let (schema, text) = match &self.older {
            Some(older) => (older.schema, older.text.clone()),
            None => (
                B::SCHEMA,
                canonical::canonical(&canonical::to_value(&self.body)),
            ),
        };
        let raw = RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned());
        let envelope = Envelope {
            family: B::FAMILY,
            id: self.id.to_string(),
            schema,
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

    /// Decodes a stored item and verifies its checksum and ETag.
    ///
    /// # Errors
    /// [`Corrupt`] if the item is damaged, belongs to another family, or was written by a newer
    /// program.
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
        if etag_of(&envelope.clock, envelope.checksum, envelope.deleted) != item.etag {
            return Err(damaged("its envelope does not match its ETag"));
        }
        let text = envelope.body.get();
        let (body, older) = if envelope.schema == B::SCHEMA {
            (serde_json::from_str(text), None)
        } else {
            let older = OlderBody {
                schema: envelope.schema,
                text: text.to_owned(),
            };
            let body = serde_json::from_str(text)
                .and_then(|body| {
                    B::upgrade(envelope.schema, body)
                        .map_err(<serde_json::Error as serde::de::Error>::custom)
                })
                .and_then(serde_json::from_value);
            (body, Some(older))
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
            older,
        })
    }

    /// Decodes several items.
    ///
    /// # Errors
    /// The first [`Corrupt`] item.
    pub fn decode_all(items: &[Item]) -> Result<Vec<Self>, Corrupt> {
        items.iter().map(Self::decode).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use ulid::Ulid;

    use super::*;
    use crate::{
        storage::{Scope, Sort},
        value::{ProjectId, id::Id},
    };

    /// A body as the first release stores it.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct First {
        title: String,
    }

    /// The same body after its schema was raised.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Second {
        name: String,
    }

    fn key(id: ProjectId) -> Key {
        Scope::Project(id).key(Sort::project())
    }

    impl Body for First {
        const FAMILY: Family = Family::Project;
        type Id = ProjectId;

        fn key(&self, id: &ProjectId) -> Key {
            key(*id)
        }
    }

    impl Body for Second {
        const FAMILY: Family = Family::Project;
        const SCHEMA: u16 = 2;
        type Id = ProjectId;

        fn key(&self, id: &ProjectId) -> Key {
            key(*id)
        }

        fn upgrade(schema: u16, body: Value) -> Result<Value, Invalid> {
            assert_eq!(schema, 1);
            Ok(json!({ "name": body["title"] }))
        }
    }

    fn stored() -> Item {
        let id = ProjectId::new(
            Id::from_ulid(Ulid::from_parts(1, 1)),
            Ulid::from_parts(1, 1),
        );
        let body = First {
            title: "Survey".into(),
        };
        let at = Timestamp::from_millis(1_000);
        Record::new(id, body, Clock::default(), at, Author::System).encode()
    }

    #[test]
    fn copy_of_an_upgraded_record_has_the_stored_text() {
        let item = stored();
        let record = Record::<Second>::decode(&item).unwrap();
        assert_eq!(record.body.name, "Survey");
        let history = item.key.scope.key(Sort::superseded("PROJECT", 1));
        let copy = record.encode_at(history, IndexKeys::default());
        assert_eq!((&copy.body, &copy.etag), (&item.body, &item.etag));
        assert_eq!(Record::decode(&copy), Ok(record));
    }

    #[test]
    fn change_of_an_upgraded_record_raises_its_schema() {
        let record = Record::<Second>::decode(&stored()).unwrap();
        let at = Timestamp::from_millis(2_000);
        let next = record.next(
            record.body.clone(),
            false,
            Clock::default(),
            at,
            Author::System,
        );
        let item = next.encode();
        assert!(item.body.contains("\"schema\":2"), "{}", item.body);
        assert_eq!(Record::decode(&item), Ok(next));
    }
}
