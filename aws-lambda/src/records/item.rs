//! Items as attributes of the table.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use wm_core::storage::{Index, Item, Scope, Sort};
use wm_service::layout::{Layout, Malformed};

pub type Attributes = HashMap<String, AttributeValue>;

/// The names of the attributes. Conditions compare the ETag.
pub(super) const LAYOUT: Layout = Layout {
    store: "table",
    partition: "PK",
    sort: "SK",
    etag: "etag",
    body: "body",
    expires_at: "expires_at",
    index: [
        ("GSI1PK", "GSI1SK"),
        ("GSI2PK", "GSI2SK"),
        ("GSI3PK", "GSI3SK"),
        ("GSI4PK", "GSI4SK"),
    ],
};
/// Seconds since 1970, for DynamoDB's own collection of garbage.
const TTL: &str = "ttl";

/// The index's name.
pub(super) fn index_name(index: Index) -> &'static str {
    match index {
        Index::Gsi1 => "GSI1",
        Index::Gsi2 => "GSI2",
        Index::Gsi3 => "GSI3",
        Index::Gsi4 => "GSI4",
    }
}

/// The primary key.
pub(super) fn key(scope: Scope, sort: &Sort) -> Attributes {
    let text = |text: String| AttributeValue::S(text);
    HashMap::from([
        (LAYOUT.partition.to_owned(), text(scope.to_string())),
        (LAYOUT.sort.to_owned(), text(sort.as_str().to_owned())),
    ])
}

/// The scope of an item or of a primary key.
pub(super) fn scope(key: &Attributes) -> Result<Scope, Malformed> {
    let text = key
        .get(LAYOUT.partition)
        .and_then(|value| value.as_s().ok());
    let scope = text.and_then(|text| text.parse().ok());
    scope.ok_or(LAYOUT.malformed(LAYOUT.partition))
}

#[must_use]
pub fn to_attributes(item: &Item) -> Attributes {
    let mut attributes = key(item.key.scope, &item.key.sort);
    let mut put = |name: &str, value| {
        attributes.insert(name.to_owned(), value);
    };
    for (name, text) in LAYOUT.texts(item) {
        put(name, AttributeValue::S(text.to_owned()));
    }
    if let Some(expires_at) = item.expires_at {
        let millis = expires_at.millis();
        // Rounded up, so that no item is deleted before its time.
        let seconds = millis.saturating_add(999).div_euclid(1000);
        put(LAYOUT.expires_at, AttributeValue::N(millis.to_string()));
        put(TTL, AttributeValue::N(seconds.to_string()));
    }
    attributes
}

/// Decodes an item from its attributes.
///
/// # Errors
/// [`Malformed`] if another program wrote them.
pub fn from_attributes(attributes: &Attributes) -> Result<Item, Malformed> {
    let text = |name| {
        let text = attributes.get(name)?.as_s().ok()?;
        Some(text.as_str())
    };
    let expires_at = attributes.get(LAYOUT.expires_at);
    let millis = expires_at.map(|value| value.as_n().ok()?.parse().ok());
    LAYOUT.item(text, millis)
}

#[cfg(test)]
mod tests {
    use wm_core::{
        storage::{ETag, IndexKey, IndexKeys},
        value::{Sha256, Timestamp},
    };

    use super::*;

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
            assert_eq!(from_attributes(&to_attributes(&item)).unwrap(), item);
        }
    }

    #[test]
    fn time_to_live_is_rounded_up() {
        let attributes = to_attributes(&item());
        assert_eq!(attributes[TTL], AttributeValue::N("1700000001".into()));
    }

    #[test]
    fn malformed_item_error_names_the_attribute() {
        for name in [LAYOUT.partition, LAYOUT.sort, LAYOUT.etag, LAYOUT.body] {
            let mut attributes = to_attributes(&item());
            attributes.remove(name);
            let error = from_attributes(&attributes).unwrap_err().to_string();
            assert!(error.contains(&format!("`{name}`")), "{error}");
        }
        let mut attributes = to_attributes(&item());
        attributes.insert(LAYOUT.expires_at.into(), AttributeValue::Bool(true));
        assert!(from_attributes(&attributes).is_err());
    }
}
