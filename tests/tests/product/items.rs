//! Stored items: their exact form, and equality of written and read records.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;
use wm_core::{record::Record, storage::Item};
use wm_test_results::Recording;
use wm_tests::{
    bodies::{self, Comparable, Visitor},
    golden,
    random_source::{Seeded, tapes},
};

/// The documents of each family's items.
#[derive(Default)]
struct Documents(BTreeMap<String, Vec<String>>);

impl Visitor for Documents {
    fn visit<B: Comparable>(&mut self, record: &Record<B>) {
        let document = bodies::document(&record.encode());
        let parsed: Value = serde_json::from_str(&document).unwrap();
        assert_eq!(parsed["item"]["schema"], B::SCHEMA);
        let name = format!("{}.json", bodies::family_name(B::FAMILY));
        self.0.entry(name).or_default().push(document);
    }
}

#[test]
fn every_family_is_stored_in_the_golden_format() {
    let _recording = Recording::start();
    let mut found = Documents::default();
    for seed in 1..=3 {
        bodies::each_family(|| Seeded::new(seed), &mut found);
    }
    assert_eq!(found.0.len(), bodies::FAMILIES);
    for (name, documents) in &found.0 {
        golden::check(
            &format!("items/{name}"),
            &format!("[{}]\n", documents.join(", ")),
        );
    }
    let names: Vec<String> = found.0.into_keys().collect();
    assert_eq!(
        names,
        golden::names("items"),
        "a golden belongs to no family"
    );
}

/// Asserts that a record is read as it was written.
struct RoundTrip;

impl Visitor for RoundTrip {
    fn visit<B: Comparable>(&mut self, record: &Record<B>) {
        let item = record.encode();
        assert_eq!(Record::<B>::decode(&item).as_ref(), Ok(record));
        assert_eq!(record.encode(), item, "encoding is not a function");
        assert_eq!(
            item.index.iter().flatten().count() * usize::from(record.deleted),
            0
        );
        let moved = record.encode_at(item.key.clone(), item.index.clone());
        assert_eq!(moved, item);
    }
}

/// Asserts that any damage to an item is detected.
#[derive(Default)]
struct Damage(usize);

/// The envelope members that neither checksum nor ETag covers. A change of one, where possible, is
/// detected by comparing the record with the journal, except for `applied_at`.
const OUTSIDE_THE_ETAG: [&str; 6] = [
    "id",
    "applied_at",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
];

impl Visitor for Damage {
    fn visit<B: Comparable>(&mut self, record: &Record<B>) {
        let item = record.encode();
        for position in 0..item.body.len() {
            for bit in 0..7 {
                let mut bytes = item.body.clone().into_bytes();
                bytes[position] ^= 1 << bit;
                let Ok(body) = String::from_utf8(bytes) else {
                    continue;
                };
                let damaged = Item {
                    body,
                    ..item.clone()
                };
                let Ok(read) = Record::<B>::decode(&damaged) else {
                    continue;
                };
                assert_eq!(
                    read.body, record.body,
                    "byte {position}, bit {bit} of {}",
                    item.body
                );
                assert_eq!((&read.clock, read.deleted), (&record.clock, record.deleted));
                let whole: [Value; 2] =
                    [&damaged, &item].map(|item| serde_json::from_str(&item.body).unwrap());
                for (name, value) in whole[1].as_object().unwrap() {
                    let same = whole[0].get(name) == Some(value);
                    assert!(
                        same || OUTSIDE_THE_ETAG.contains(&name.as_str()),
                        "{name} was changed"
                    );
                }
                self.0 += 1;
            }
        }
    }
}

#[test]
fn case_65_flipped_bit_of_a_body_is_detected() {
    let mut damage = Damage::default();
    bodies::each_family(|| Seeded::new(65), &mut damage);
    assert!(damage.0 > 0, "flips outside the ETag can be read");
}

#[test]
fn item_of_another_family_or_time_is_refused() {
    struct Stranger(Vec<Item>);
    impl Visitor for Stranger {
        fn visit<B: Comparable>(&mut self, record: &Record<B>) {
            for other in &self.0 {
                assert!(Record::<B>::decode(other).is_err(), "{}", other.body);
            }
            let item = record.encode();
            let schema = |number: u16| format!("\"schema\":{number}");
            let (own, next) = (schema(B::SCHEMA), schema(B::SCHEMA + 1));
            let newer = item.body.replacen(&own, &next, 1);
            let newer = Item {
                body: newer,
                ..item.clone()
            };
            let error = Record::<B>::decode(&newer).unwrap_err();
            assert!(error.to_string().contains("upgrade the program"), "{error}");
            self.0.push(item);
        }
    }
    bodies::each_family(|| Seeded::new(3), &mut Stranger(Vec::new()));
}

#[test]
fn written_items_are_read_back() {
    let _recording = Recording::start();
    let config = ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(tape in tapes(200))| {
        bodies::each_family(|| tape.clone(), &mut RoundTrip);
    });
}
