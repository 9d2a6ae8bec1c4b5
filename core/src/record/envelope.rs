//! The envelope of records, and their encoding.

use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
    vec,
    vec::Vec,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use super::{Author, Body, Clock, Family, IndexContext, Usage, local};
use crate::{
    storage::{ETag, IndexKeys, Item, Key, WorkPartitions},
    value::{Invalid, Sha256, Timestamp, canonical},
};

/// A record: its envelope and its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<B: Body> {
    /// Identifies the record among those of its family.
    pub id: B::Id,
    /// The content.
    pub body: B,
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
    /// The clock of this surface when it stored the current state, if it differs from
    /// `updated_at`. Commits set it.
    pub(crate) applied_at: Option<Timestamp>,
    /// Whether the record is marked as deleted.
    pub deleted: bool,
    /// SHA-256 over schema number and canonical shared part of the body, as stored.
    pub checksum: Sha256,
    /// The canonical local part of the body. `None` if it has no members.
    pub(crate) local: Option<String>,
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
    /// The item is intact, but a newer program added members to its body.
    #[error("the item `{0}` has members that this program does not know: upgrade the program")]
    Unknown(String),
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    applied_at: Option<Timestamp>,
    deleted: bool,
    #[serde(borrow)]
    body: &'a RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    local: Option<&'a RawValue>,
}

fn checksum(schema: u16, canonical_body: &str) -> Sha256 {
    let mut hasher = crate::value::digest::Hasher::default();
    hasher.update(schema.to_string().as_bytes());
    hasher.update(b":");
    hasher.update(canonical_body.as_bytes());
    hasher.finish()
}

fn etag_of(clock: &Clock, checksum: Sha256, deleted: bool, local: Option<&str>) -> ETag {
    let clock = canonical::canonical(&canonical::to_value(clock));
    let deleted = [u8::from(deleted)];
    let mut parts = vec![clock.as_bytes(), checksum.as_bytes(), deleted.as_slice()];
    parts.extend(local.map(str::as_bytes));
    ETag::new(Sha256::keyed(b"etag", &parts))
}

/// The canonical shared and local part of a body.
fn parts<B: Body>(body: &B) -> (String, Option<String>) {
    let mut shared = canonical::to_value(body);
    let local = local::split(&mut shared, B::LOCAL);
    (canonical::canonical(&shared), local)
}

/// Reads a body from its two parts.
fn read_parts<B: Body>(shared: &str, local: Option<&str>) -> Result<B, Invalid> {
    let wrong = |_| Invalid("must be a body of its family");
    if B::LOCAL.is_empty() && local.is_none() {
        return serde_json::from_str(shared).map_err(wrong);
    }
    let mut body = serde_json::from_str(shared).map_err(wrong)?;
    local::join(&mut body, local, B::LOCAL)?;
    read(body)
}

fn read<B: Body>(body: Value) -> Result<B, Invalid> {
    serde_json::from_value(body).map_err(|_| Invalid("must be a body of its family"))
}

impl<B: Body> Record<B> {
    /// A new record. The commit sets its clock.
    #[must_use]
    pub fn new(id: B::Id, body: B, clock: Clock, at: Timestamp, by: Author) -> Self {
        let (shared, local) = parts(&body);
        let checksum = checksum(B::SCHEMA, &shared);
        Self {
            id,
            body,
            clock,
            created_at: at,
            created_by: by,
            updated_at: at,
            updated_by: by,
            applied_at: None,
            deleted: false,
            checksum,
            local,
            older: None,
        }
    }

    /// The next state of this record.
    #[must_use]
    pub fn next(&self, body: B, deleted: bool, clock: Clock, at: Timestamp, by: Author) -> Self {
        let next = Self::new(self.id.clone(), body, clock, at, by);
        Self {
            created_at: self.created_at,
            created_by: self.created_by,
            deleted,
            ..next
        }
    }

    /// The same state of the same change, with this body.
    #[must_use]
    pub(crate) fn with_body(&self, body: B) -> Self {
        let (clock, at, by) = (self.clock.clone(), self.updated_at, self.updated_by);
        Self {
            applied_at: self.applied_at,
            ..self.next(body, self.deleted, clock, at, by)
        }
    }

    /// The same state, stored at this time of the surface's clock. It differs from `updated_at` if
    /// the clock went back since the last commit of the scope.
    #[must_use]
    pub fn applied(self, at: Timestamp) -> Self {
        Self {
            applied_at: (at != self.updated_at).then_some(at),
            ..self
        }
    }

    /// The clock of this surface when it stored this state. Unlike `updated_at`, it is not
    /// monotonic, so it says what was in effect at a time, and when work is due.
    #[must_use]
    pub fn applied_at(&self) -> Timestamp {
        self.applied_at.unwrap_or(self.updated_at)
    }

    /// The number of changes on all surfaces, starting at 1.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.clock.sum()
    }

    /// What this record adds to the usage of its scope.
    #[must_use]
    pub fn usage(&self) -> Usage {
        if self.deleted {
            Usage::default()
        } else {
            self.body.usage()
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
        etag_of(
            &self.clock,
            self.checksum,
            self.deleted,
            self.local.as_deref(),
        )
    }

    /// The neutral form that databases store.
    #[must_use]
    pub fn encode(&self) -> Item {
        self.encode_with(WorkPartitions::default())
    }

    /// The neutral form, with its row of unfinished work in one of these partitions.
    #[must_use]
    pub fn encode_with(&self, work: WorkPartitions) -> Item {
        let context = IndexContext {
            created_at: self.created_at,
            updated_at: self.updated_at,
            applied_at: self.applied_at(),
            work,
        };
        let index = if self.deleted {
            IndexKeys::default()
        } else {
            self.body.index(&self.id, &context)
        };
        self.encode_at(self.key(), index)
    }

    /// The same state under another key, for `HISTORY#`.
    #[must_use]
    pub fn encode_at(&self, key: Key, index: IndexKeys) -> Item {
        let (schema, text) = match &self.older {
            Some(older) => (older.schema, older.text.clone()),
            None => (B::SCHEMA, parts(&self.body).0),
        };
        let raw = |text| RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned());
        let (body, local) = (raw(text), self.local.clone().map(raw));
        let envelope = Envelope {
            family: B::FAMILY,
            id: self.id.to_string(),
            schema,
            version: self.version(),
            clock: self.clock.clone(),
            checksum: self.checksum,
            created_at: self.created_at,
            created_by: self.created_by,
            updated_at: self.updated_at,
            updated_by: self.updated_by,
            applied_at: self.applied_at,
            deleted: self.deleted,
            body: &body,
            local: local.as_deref(),
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
        if envelope.version != envelope.clock.sum() {
            return Err(damaged("its version is not the sum of its clock"));
        }
        if checksum(envelope.schema, envelope.body.get()) != envelope.checksum {
            return Err(damaged("its body does not match its checksum"));
        }
        let local = envelope.local.map(RawValue::get);
        if etag_of(&envelope.clock, envelope.checksum, envelope.deleted, local) != item.etag {
            return Err(damaged("its envelope does not match its ETag"));
        }
        let text = envelope.body.get();
        let is_current = envelope.schema == B::SCHEMA;
        let read = if is_current {
            read_parts(text, local).map(|body| (envelope.id, body))
        } else {
            serde_json::from_str(text)
                .map_err(|_| Invalid("must be JSON"))
                .and_then(|body| B::upgrade(envelope.schema, &envelope.id, body))
                .and_then(|(id, body)| Ok((id, read(body)?)))
        };
        let older = (!is_current).then(|| OlderBody {
            schema: envelope.schema,
            text: text.to_owned(),
        });
        // The checksum shows that the text is as it was written.
        let unknown = |_| Corrupt::Unknown(item.key.to_string());
        let (id, body) = read.map_err(unknown)?;
        Ok(Self {
            id: id.parse().map_err(unknown)?,
            body,
            clock: envelope.clock,
            created_at: envelope.created_at,
            created_by: envelope.created_by,
            updated_at: envelope.updated_at,
            updated_by: envelope.updated_by,
            applied_at: envelope.applied_at,
            deleted: envelope.deleted,
            checksum: envelope.checksum,
            local: local.map(str::to_owned),
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

        fn upgrade(schema: u16, id: &str, body: Value) -> Result<(String, Value), Invalid> {
            assert_eq!(schema, 1);
            Ok((id.into(), json!({ "name": body["title"] })))
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

    fn stored_as_second() -> Item {
        let read = Record::<Second>::decode(&stored()).unwrap();
        let (id, body, at) = (read.id, read.body, read.created_at);
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
    fn body_with_an_unknown_member_asks_for_an_upgrade() {
        /// The body of a later release, which added an optional member.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        struct Later {
            name: String,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            added: Option<u8>,
        }
        impl Body for Later {
            const FAMILY: Family = Family::Project;
            const SCHEMA: u16 = 2;
            type Id = ProjectId;
            fn key(&self, id: &ProjectId) -> Key {
                key(*id)
            }
        }
        let before = Record::<Later>::decode(&stored_as_second()).unwrap();
        assert_eq!(before.encode(), stored_as_second());
        let body = Later {
            added: Some(1),
            ..before.body.clone()
        };
        let later = Record::new(
            before.id,
            body,
            Clock::default(),
            before.created_at,
            before.created_by,
        );
        let refused = Record::<Second>::decode(&later.encode()).unwrap_err();
        assert!(
            refused.to_string().contains("upgrade the program"),
            "{refused}"
        );
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
