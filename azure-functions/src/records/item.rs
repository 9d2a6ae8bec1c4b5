//! Items as documents of the container.

use azure_core::http::Etag;
use serde_json::{Map, Value};
use wm_core::{
    storage::{Item, Sort},
    value::Timestamp,
};
use wm_service::layout::{Layout, Malformed};

pub type Document = Map<String, Value>;

/// The id of the item in its partition.
const ID: &str = "id";
/// The names of the properties. The ETag is ours, not the one that conditions compare.
pub(super) const LAYOUT: Layout = Layout {
    store: "container",
    partition: "pk",
    sort: "sk",
    etag: "etag",
    body: "body",
    expires_at: "expires_at",
    index: [
        ("gsi1pk", "gsi1sk"),
        ("gsi2pk", "gsi2sk"),
        ("gsi3pk", "gsi3sk"),
        ("gsi4pk", "gsi4sk"),
    ],
};
/// The service's own mark, which its conditions compare.
const SERVICE_ETAG: &str = "_etag";
/// Seconds from the moment the item was written, for Cosmos DB's own collection of garbage.
const TTL: &str = "ttl";

/// The additional lifetime of an item, in seconds. The service counts whole seconds on its own
/// clock.
const GRACE: i64 = 60;
/// The maximum time to live of the service, in seconds.
const LONGEST: i64 = i32::MAX as i64;

/// The sort key as the name of an item, where `/`, `\`, `?` and `#` may not stand
/// (<https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-item-limits>). Letters, digits, `_` and
/// `-` stand for themselves and `:` for `#`; any other byte is written `~` and two digits.
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
    put(LAYOUT.partition, item.key.scope.to_string().into());
    for (name, text) in LAYOUT.texts(item) {
        put(name, text.into());
    }
    if let Some(expires_at) = item.expires_at {
        put(LAYOUT.expires_at, expires_at.millis().into());
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
    let expires_at = document.get(LAYOUT.expires_at);
    LAYOUT.item(text, expires_at.map(Value::as_i64))
}

/// The ETag that the service gave this state.
pub(super) fn service_etag(document: &Document) -> Result<Etag, Malformed> {
    let text = document.get(SERVICE_ETAG).and_then(Value::as_str);
    text.map(Etag::from).ok_or(LAYOUT.malformed(SERVICE_ETAG))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use wm_core::{
        storage::{ETag, Index, IndexKey, IndexKeys, Scope},
        value::Sha256,
    };

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn item() -> Item {
        let mut index = IndexKeys::default();
        let index_key = |name: &str| IndexKey {
            partition: format!("{name}#1"),
            sort: format!("{name}#2"),
        };
        Index::Gsi1.put(&mut index, index_key("WORK"));
        Index::Gsi4.put(&mut index, index_key("PROJECT"));
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
    fn malformed_item_error_names_the_attribute() {
        for name in [LAYOUT.partition, LAYOUT.sort, LAYOUT.etag, LAYOUT.body] {
            let mut document = to_document(&item(), NOW);
            document.remove(name);
            let error = from_document(&document).unwrap_err().to_string();
            assert!(error.contains(&format!("`{name}`")), "{error}");
        }
        let mut document = to_document(&item(), NOW);
        document.insert(LAYOUT.expires_at.into(), true.into());
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
