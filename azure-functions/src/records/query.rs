//! Queries for consecutive keys.

use std::{num::NonZeroU32, ops::Bound};

use azure_data_cosmos::{
    CosmosError, FeedScope, Query,
    options::{MaxItemCountHint, OperationOptions, QueryOptions},
};
use wm_core::storage::{List, Range, Scope, Sort};
use wm_service::bounds::Bounds;

use super::{connect, item::LAYOUT};

/// A query with its options.
pub(super) struct Selection {
    pub(super) query: Query,
    pub(super) scope: FeedScope,
    pub(super) options: QueryOptions,
    /// Whether the result is strongly consistent, so that its ETags can be cached.
    pub(super) strong: bool,
}

impl Selection {
    pub(super) fn of_range(range: &Range) -> Result<Self, CosmosError> {
        let partition = range.scope.to_string();
        let bounds = Bounds::new(&range.prefix, range.after.as_ref(), None);
        Ok(Self {
            query: query((LAYOUT.partition, LAYOUT.sort), &partition, &bounds)?,
            scope: FeedScope::partition(partition),
            options: options(connect::for_decisions(), range.limit),
            strong: true,
        })
    }

    pub(super) fn of_list(list: &List) -> Result<Self, CosmosError> {
        let bounds = Bounds::new(&list.prefix, list.after.as_ref(), list.until.as_ref());
        Ok(Self {
            query: query(LAYOUT.index(list.index), &list.partition, &bounds)?,
            scope: FeedScope::full_container(),
            options: options(connect::for_lists(), Some(list.limit)),
            strong: false,
        })
    }
}

/// The number of scopes of one page.
pub(super) const SCOPES: u32 = 100;

impl Selection {
    /// The heads of the scopes after this one, by scope.
    pub(super) fn of_scopes(after: Option<Scope>) -> Result<Self, CosmosError> {
        let (pk, sk) = (LAYOUT.partition, LAYOUT.sort);
        let text =
            format!("SELECT * FROM c WHERE c.{sk} = @head AND c.{pk} > @after ORDER BY c.{pk}");
        let after = after.map(|scope| scope.to_string()).unwrap_or_default();
        Ok(Self {
            query: Query::from(text)
                .with_parameter("@head", Sort::head().as_str())?
                .with_parameter("@after", after)?,
            scope: FeedScope::full_container(),
            options: options(connect::for_lists(), Some(SCOPES)),
            strong: false,
        })
    }
}

/// One more item than the limit shows whether there are more.
fn options(operation: OperationOptions, limit: Option<u32>) -> QueryOptions {
    let wanted = limit.and_then(|limit| NonZeroU32::new(limit.saturating_add(1)));
    let page = wanted.map_or(MaxItemCountHint::ServerDecides, MaxItemCountHint::Limit);
    QueryOptions::default()
        .with_operation_options(operation)
        .with_max_item_count(page)
}

/// Equality on one property and a range on the other, in this order: a composite index over both
/// answers the query alone
/// (<https://learn.microsoft.com/azure/cosmos-db/index-policy#composite-indexes>).
fn query(properties: (&str, &str), partition: &str, bounds: &Bounds) -> Result<Query, CosmosError> {
    let (pk, sk) = properties;
    let mut text = format!("SELECT * FROM c WHERE c.{pk} = @partition");
    let mut ends = Vec::new();
    let mut end = |name, than, bound: &Bound<String>| {
        let (than, value) = match bound {
            Bound::Included(value) => (format!("{than}="), value.clone()),
            Bound::Excluded(value) => (String::from(than), value.clone()),
            Bound::Unbounded => return,
        };
        text.push_str(&format!(" AND c.{sk} {than} {name}"));
        ends.push((name, value));
    };
    end("@lower", ">", &bounds.lower);
    end("@upper", "<", &bounds.upper);
    text.push_str(&format!(" ORDER BY c.{pk}, c.{sk}"));
    let query = Query::from(text).with_parameter("@partition", partition)?;
    ends.into_iter().try_fold(query, |query, (name, value)| {
        query.with_parameter(name, value)
    })
}

#[cfg(test)]
mod tests {
    use wm_core::{storage::Index, value::Sha256};

    use super::*;

    fn asked(selection: Selection) -> serde_json::Value {
        serde_json::to_value(selection.query).unwrap()
    }

    #[test]
    fn range_begins_after_the_last_key_seen() {
        let scope = Scope::Identity(Sha256::of(b""));
        let range = Range {
            after: Some("A#1".into()),
            ..Range::all(scope, "A#")
        };
        assert_eq!(
            asked(Selection::of_range(&range).unwrap()),
            serde_json::json!({
                "query": "SELECT * FROM c WHERE c.pk = @partition AND c.sk > @lower AND c.sk < @upper \
                          ORDER BY c.pk, c.sk",
                "parameters": [
                    { "name": "@partition", "value": scope.to_string() },
                    { "name": "@lower", "value": "A#1" },
                    { "name": "@upper", "value": "A$" },
                ],
            })
        );
    }

    #[test]
    fn list_ends_at_its_bound() {
        let list = List {
            index: Index::Gsi3,
            partition: "WORK#0".into(),
            prefix: String::new(),
            after: None,
            until: Some("5~".into()),
            limit: 1,
        };
        assert_eq!(
            asked(Selection::of_list(&list).unwrap())["query"],
            "SELECT * FROM c WHERE c.gsi3pk = @partition AND c.gsi3sk >= @lower AND c.gsi3sk <= @upper \
             ORDER BY c.gsi3pk, c.gsi3sk"
        );
    }
}
