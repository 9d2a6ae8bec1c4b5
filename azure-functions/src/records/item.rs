//! Items as documents of the container.

use azure_core::http::Etag;
use serde_json::{Map, Value};
use wm_core::{
    storage::{ETag, Index, IndexKey, IndexKeys, Item, Scope, Sort},
    value::Timestamp,
};

pub type Document = Map<String, Value>;

/// The id of the item in its partition.
const ID: &str = "id";
pub(super) const PARTITION: &str = "pk";
/// The sort key.
pub(super) const SORT: &str = "sk";
/// The item's own ETag.
const ETAG: &str = "etag";
/// The service's ETag, which its conditions compare.
const SERVICE_ETAG: &str = "_etag";
const BODY: &str = "body";
/// In milliseconds since 1970.
const EXPIRES_AT: &str = "expires_at";
/// In seconds since the write of the item, for the time to live of Cosmos DB.
const TTL: &str = "ttl";

/// The additional lifetime of an item, in seconds. The service counts whole seconds on its own
/// clock.
const GRACE: i64 = 60;
/// The maximum time to live of the service, in seconds.
const LONGEST: i64 = i32::MAX as i64;

/// An item in the container that another program wrote.
#[derive(Debug, thiserror::Error)]
#[error("an item of the container has no valid `{0}`: another program wrote it")]
pub struct Malformed(&'static str);

/// The properties of the index's partition and sort key.
pub(super) fn index_properties(index: Index) -> (&'static str, &'static str) {
    match index {
        Index::Gsi1 => ("gsi1pk", "gsi1sk"),
        Index::Gsi2 => ("gsi2pk", "gsi2sk"),
        Index::Gsi3 => ("gsi3pk", "gsi3sk"),
        Index::Gsi4 => ("gsi4pk", "gsi4sk"),
    }
}

/// The sort key as the id of an item. An id cannot contain `/`, `\`, `?` and `#`
/// (<https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-item-limits>). Letters,
/// digits, `_` and `-` stay, and `#` becomes `:`. Any other byte becomes `~` with two digits.
pub(super) fn id(sort: &Sort) -> String {
    let mut id = String::with_capacity(sort.as_str().len());
    for byte in sort.as_str().bytes() {
        match byte {
            b'#' => id.push(':'),
            b'_' | b'-' => id.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => id.push(char::from(byte)),
            _ => {
                id.push('~');
                id.extend(format!("{byte:02X}").chars());
            }
        }
    }
    id
}

/// The document for an item that is written now.
#[must_use]
pub fn to_document(item: &Item, now: Timestamp) -> Document {
    let mut document = Document::new();
    let mut put = |name: &str, value: Value| {
        document.insert(name.to_owned(), value);
    };
    put(ID, id(&item.key.sort).into());
    put(PARTITION, item.key.scope.to_string().into());
    put(SORT, item.key.sort.as_str().into());
    put(ETAG, item.etag.as_str().into());
    put(BODY, item.body.as_str().into());
    for (index, place) in Index::ALL.into_iter().zip(&item.index) {
        let Some(IndexKey { partition, sort }) = place else {
            continue;
        };
        let (partition_name, sort_name) = index_properties(index);
        put(partition_name, partition.as_str().into());
        put(sort_name, sort.as_str().into());
    }
    if let Some(expires_at) = item.expires_at {
        put(EXPIRES_AT, expires_at.millis().into());
        put(TTL, time_to_live(expires_at, now).into());
    }
    document
}

/// Rounded up, so that no item is deleted before its time.
fn time_to_live(expires_at: Timestamp, now: Timestamp) -> i64 {
    let millis = expires_at.millis().saturating_sub(now.millis()).max(0);
    let seconds = millis.saturating_add(999).div_euclid(1000);
    seconds.saturating_add(GRACE).min(LONGEST)
}

/// Decodes an item from a document of a read or of the change feed.
///
/// # Errors
/// [`Malformed`] if another program wrote it.
pub fn from_document(document: &Document) -> Result<Item, Malformed> {
    let text = |name| document.get(name).and_then(Value::as_str);
    let required = |name| text(name).ok_or(Malformed(name));
    let scope: Scope = required(PARTITION)?
        .parse()
        .map_err(|_| Malformed(PARTITION))?;
    let etag: ETag = required(ETAG)?.parse().map_err(|_| Malformed(ETAG))?;
    let mut index = IndexKeys::default();
    for place in Index::ALL {
        let (partition, sort) = index_properties(place);
        if let (Some(partition), Some(sort)) = (text(partition), text(sort)) {
            let (partition, sort) = (partition.to_owned(), sort.to_owned());
            place.put(&mut index, IndexKey { partition, sort });
        }
    }
    Ok(Item {
        key: scope.key(Sort::from_stored(required(SORT)?.to_owned())),
        index,
        etag,
        body: required(BODY)?.to_owned(),
        expires_at: document.get(EXPIRES_AT).map(millis).transpose()?,
    })
}

fn millis(value: &Value) -> Result<Timestamp, Malformed> {
    let number = value.as_i64().map(Timestamp::from_millis);
    number.ok_or(Malformed(EXPIRES_AT))
}

/// The service's ETag of this state.
pub(super) fn service_etag(document: &Document) -> Result<Etag, Malformed> {
    let text = document.get(SERVICE_ETAG).and_then(Value::as_str);
    text.map(Etag::from).ok_or(Malformed(SERVICE_ETAG))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use wm_core::value::Sha256;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn item() -> Item {
        let mut index = IndexKeys::default();
        let place = |name: &str| IndexKey {
            partition: format!("{name}#1"),
            sort: format!("{name}#2"),
        };
        Index::Gsi1.put(&mut index, place("WORK"));
        Index::Gsi4.put(&mut index, place("PROJECT"));
        Item {
            key: Scope::Email(Sha256::of(b"key")).key(Sort::link()),
            index,
            etag: ETag::new(Sha256::of(b"state")),
            body: "{\"name\":\"Ærø\"}".into(),
            expires_at: Some(Timestamp::from_millis(1_700_000_000_001)),
        }
    }

    #[test]
    fn item_round_trips() {
        for expires_at in [item().expires_at, None] {
            let item = Item {
                expires_at,
                ..item()
            };
            let mut document = to_document(&item, NOW);
            for system in ["_rid", "_self", "_etag", "_attachments", "_lsn"] {
                document.insert(system.into(), "of the service".into());
            }
            document.insert("_ts".into(), 1_700_000_000.into());
            assert_eq!(from_document(&document).unwrap(), item);
        }
    }

    #[test]
    fn time_to_live_is_rounded_up() {
        let lives = |millis| {
            let expires_at = Timestamp::from_millis(NOW.millis() + millis);
            time_to_live(expires_at, NOW)
        };
        assert_eq!([lives(1), lives(1000), lives(1001)], [61, 61, 62]);
        // Expired items are deleted soon. The minimum of the service is one second.
        assert_eq!(lives(-5000), 60);
        assert_eq!(lives(i64::from(i32::MAX) * 1000), i64::from(i32::MAX));
        assert_eq!(to_document(&item(), NOW)[TTL], 61);
    }

    #[test]
    fn malformed_item_error_names_the_property() {
        for name in [PARTITION, SORT, ETAG, BODY] {
            let mut document = to_document(&item(), NOW);
            document.remove(name);
            let error = from_document(&document).unwrap_err().to_string();
            assert!(error.contains(&format!("`{name}`")), "{error}");
        }
        let mut document = to_document(&item(), NOW);
        document.insert(EXPIRES_AT.into(), true.into());
        assert!(from_document(&document).is_err());
        assert!(service_etag(&document).is_err());
    }

    #[test]
    fn item_ids_of_sort_keys_are_unique() {
        let keys = (0..=0x2FF_u32)
            .filter_map(char::from_u32)
            .flat_map(|character| [format!("A{character}"), character.to_string()])
            .chain([
                "#".into(),
                "##".into(),
                ":".into(),
                "~23".into(),
                "😀".into(),
            ]);
        let mut ids = BTreeSet::new();
        for key in keys.collect::<BTreeSet<String>>() {
            let id = id(&Sort::from_stored(key.clone()));
            assert_eq!(sort(&id), key);
            assert!(!id.contains(['/', '\\', '?', '#', '%', '.', ' ']), "{id}");
            assert!(ids.insert(id));
        }
        assert_eq!(id(&Sort::from_stored("#0HEAD".into())), ":0HEAD");
    }

    /// The sort key of an id.
    fn sort(id: &str) -> String {
        let mut bytes = Vec::new();
        let mut rest = id.bytes();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b':' => b'#',
                b'~' => {
                    let digits: Vec<u8> = rest.by_ref().take(2).collect();
                    u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                other => other,
            });
        }
        String::from_utf8(bytes).unwrap()
    }
}
