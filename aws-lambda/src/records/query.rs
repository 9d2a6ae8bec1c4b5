//! Queries for consecutive keys.

use aws_sdk_dynamodb::{
    Client,
    operation::{query::builders::QueryFluentBuilder, scan::builders::ScanFluentBuilder},
    types::AttributeValue,
};
use wm_core::storage::{List, Range, Scope, Sort};

use super::item::{LAYOUT, index_name, key};

/// Sorts after every character of a key, because keys are ASCII.
const LAST: char = char::MAX;

/// Consecutive sort keys of one partition, both bounds included.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selection {
    /// The name of the index. `None` for the table.
    index: Option<&'static str>,
    attributes: (&'static str, &'static str),
    partition: String,
    first: String,
    last: String,
}

impl Selection {
    pub(super) fn of_range(range: &Range) -> Self {
        Self {
            index: None,
            attributes: (LAYOUT.partition, LAYOUT.sort),
            partition: range.scope.to_string(),
            first: first(&range.prefix, range.after.as_deref()),
            last: last(&range.prefix),
        }
    }

    pub(super) fn of_list(list: &List) -> Self {
        let last = last(&list.prefix);
        Self {
            index: Some(index_name(list.index)),
            attributes: LAYOUT.index(list.index),
            partition: list.partition.clone(),
            first: first(&list.prefix, list.after.as_deref()),
            last: match &list.until {
                Some(until) => until.clone().min(last),
                None => last,
            },
        }
    }

    /// The query. `None` for an empty interval, which DynamoDB would refuse.
    pub(super) fn query(&self, client: &Client, table: &str) -> Option<QueryFluentBuilder> {
        if self.first > self.last {
            return None;
        }
        let value = |text: &str| AttributeValue::S(text.to_owned());
        let (partition, sort) = self.attributes;
        let query = client
            .query()
            .table_name(table)
            .set_index_name(self.index.map(str::to_owned))
            .key_condition_expression("#p = :p AND #s BETWEEN :first AND :last")
            .expression_attribute_names("#p", partition)
            .expression_attribute_names("#s", sort)
            .expression_attribute_values(":p", value(&self.partition))
            .expression_attribute_values(":first", value(&self.first))
            .expression_attribute_values(":last", value(&self.last));
        // Consistent reads are not available for an index.
        Some(query.set_consistent_read(self.index.is_none().then_some(true)))
    }
}

/// The number of items that one page of a scan looks at. A scan pays for each of them, and a large
/// scope has one head only.
const SCANNED: i32 = 25;

/// A page of the scopes with a head, after this one. A scan visits the partitions in an order of its
/// own, and the items of each by sort key. A head is the first item of its partition, so each page
/// begins after the last possible item of a partition.
pub(super) fn scopes(client: &Client, table: &str, after: Option<Scope>) -> ScanFluentBuilder {
    let begin = after.map(|scope| key(scope, &Sort::from_stored(LAST.into())));
    client
        .scan()
        .table_name(table)
        .filter_expression("#s = :head")
        .projection_expression("#p")
        .expression_attribute_names("#p", LAYOUT.partition)
        .expression_attribute_names("#s", LAYOUT.sort)
        .expression_attribute_values(":head", AttributeValue::S(Sort::head().to_string()))
        .set_exclusive_start_key(begin)
        .limit(SCANNED)
}

/// The smallest key of the interval: the prefix, or the key right after `after`. Keys are never
/// empty, so a space, which sorts before every key, means no lower bound.
fn first(prefix: &str, after: Option<&str>) -> String {
    let next = after.map(|after| format!("{after}\0"));
    let first = next.unwrap_or_default().max(prefix.to_owned());
    if first.is_empty() {
        " ".to_owned()
    } else {
        first
    }
}

/// The greatest key with the prefix. DynamoDB compares with both ends included.
fn last(prefix: &str) -> String {
    format!("{prefix}{LAST}")
}

#[cfg(test)]
mod tests {
    use wm_core::{storage::Index, value::Sha256};

    use super::*;

    fn range(prefix: &str, after: Option<&str>) -> (String, String) {
        let range = Range {
            scope: Scope::Identity(Sha256::of(b"")),
            prefix: prefix.into(),
            after: after.map(str::to_owned),
            limit: None,
        };
        let Selection { first, last, .. } = Selection::of_range(&range);
        (first, last)
    }

    #[test]
    fn range_begins_after_the_last_key_seen() {
        assert_eq!(range("A#", None), ("A#".into(), format!("A#{LAST}")));
        assert_eq!(range("A#", Some("A#1")).0, "A#1\0");
        assert_eq!(range("A#", Some("0")).0, "A#");
        assert_eq!(range("", None), (" ".into(), LAST.to_string()));
    }

    #[test]
    fn list_ends_at_its_bound() {
        let mut list = List {
            index: Index::Gsi1,
            partition: "WORK#0".into(),
            prefix: String::new(),
            after: None,
            until: Some("5~".into()),
            limit: 1,
        };
        assert_eq!(Selection::of_list(&list).last, "5~");
        list.prefix = "4".into();
        assert_eq!(Selection::of_list(&list).last, format!("4{LAST}"));
    }
}
