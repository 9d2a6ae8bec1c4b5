//! Items as attributes of the table.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use wm_core::{
    storage::{ETag, Index, IndexKey, IndexKeys, Item, Scope, Sort},
    value::Timestamp,
};

pub type Attributes = HashMap<String, AttributeValue>;

pub(super) const PARTITION: &str = "PK";
pub(super) const SORT: &str = "SK";
/// The ETag of the item's state, which conditions compare.
pub(super) const ETAG: &str = "etag";
const BODY: &str = "body";
/// In milliseconds since 1970.
const EXPIRES_AT: &str = "expires_at";
/// In seconds since 1970, for the time to live of DynamoDB.
const TTL: &str = "ttl";

/// An item in the table that another program wrote.
#[derive(Debug, thiserror::Error)]
#[error("an item of the table has no valid `{0}`: another program wrote it")]
pub struct Malformed(&'static str);

pub(super) fn index_name(index: Index) -> &'static str {
    match index {
        Index::Gsi1 => "GSI1",
        Index::Gsi2 => "GSI2",
        Index::Gsi3 => "GSI3",
        Index::Gsi4 => "GSI4",
    }
}

/// The attributes of the index's partition and sort key.
pub(super) fn index_attributes(index: Index) -> (&'static str, &'static str) {
    match index {
        Index::Gsi1 => ("GSI1PK", "GSI1SK"),
        Index::Gsi2 => ("GSI2PK", "GSI2SK"),
        Index::Gsi3 => ("GSI3PK", "GSI3SK"),
        Index::Gsi4 => ("GSI4PK", "GSI4SK"),
    }
}

pub(super) fn key(scope: Scope, sort: &Sort) -> Attributes {
    let text = |text: String| AttributeValue::S(text);
    HashMap::from([
        (PARTITION.to_owned(), text(scope.to_string())),
        (SORT.to_owned(), text(sort.as_str().to_owned())),
    ])
}

#[must_use]
pub fn to_attributes(item: &Item) -> Attributes {
    let mut attributes = key(item.key.scope, &item.key.sort);
    let mut put = |name: &str, value| {
        attributes.insert(name.to_owned(), value);
    };
    put(ETAG, AttributeValue::S(item.etag.as_str().to_owned()));
    put(BODY, AttributeValue::S(item.body.clone()));
    for (index, place) in Index::ALL.into_iter().zip(&item.index) {
        let Some(IndexKey { partition, sort }) = place else {
            continue;
        };
        let (partition_name, sort_name) = index_attributes(index);
        put(partition_name, AttributeValue::S(partition.clone()));
        put(sort_name, AttributeValue::S(sort.clone()));
    }
    if let Some(expires_at) = item.expires_at {
        let millis = expires_at.millis();
        // Rounded up, so that no item is deleted before its time.
        let seconds = millis.saturating_add(999).div_euclid(1000);
        put(EXPIRES_AT, AttributeValue::N(millis.to_string()));
        put(TTL, AttributeValue::N(seconds.to_string()));
    }
    attributes
}

/// Decodes an item from its attributes.
///
/// # Errors
/// [`Malformed`] if another program wrote them.
pub fn from_attributes(attributes: &Attributes) -> Result<Item, Malformed> {
    let text = |name| attributes.get(name).and_then(|value| value.as_s().ok());
    let required = |name| text(name).ok_or(Malformed(name));
    let scope: Scope = required(PARTITION)?
        .parse()
        .map_err(|_| Malformed(PARTITION))?;
    let etag: ETag = required(ETAG)?.parse().map_err(|_| Malformed(ETAG))?;
    let mut index = IndexKeys::default();
    for place in Index::ALL {
        let (partition, sort) = index_attributes(place);
        if let (Some(partition), Some(sort)) = (text(partition), text(sort)) {
            let (partition, sort) = (partition.clone(), sort.clone());
            place.put(&mut index, IndexKey { partition, sort });
        }
    }
    Ok(Item {
        key: scope.key(Sort::from_stored(required(SORT)?.clone())),
        index,
        etag,
        body: required(BODY)?.clone(),
        expires_at: attributes.get(EXPIRES_AT).map(millis).transpose()?,
    })
}

fn millis(value: &AttributeValue) -> Result<Timestamp, Malformed> {
    let number = value.as_n().ok().and_then(|digits| digits.parse().ok());
    number
        .map(Timestamp::from_millis)
        .ok_or(Malformed(EXPIRES_AT))
}

#[cfg(test)]
mod tests {
    use wm_core::value::Sha256;

    use super::*;

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
        for name in [PARTITION, SORT, ETAG, BODY] {
            let mut attributes = to_attributes(&item());
            attributes.remove(name);
            let error = from_attributes(&attributes).unwrap_err().to_string();
            assert!(error.contains(&format!("`{name}`")), "{error}");
        }
        let mut attributes = to_attributes(&item());
        attributes.insert(EXPIRES_AT.into(), AttributeValue::Bool(true));
        assert!(from_attributes(&attributes).is_err());
    }
}
