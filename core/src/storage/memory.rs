//! The reference database: ordered maps that define the behaviour of every adapter.
//!
//! It is public, although no program uses it: implementers of the database port compare their
//! adapter with it, and the example of the ports runs over it.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};

use super::{Condition, Index, Item, Key, List, Operation, Page, Range, Scope, ScopePage, Sort};

/// A database in memory. Its indexes are always current, and it never deletes expired items.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    items: BTreeMap<(String, String), Item>,
}

/// A condition of a batch did not hold. The batch changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a condition of the batch does not hold")]
pub struct Conflict;

fn map_key(key: &Key) -> (String, String) {
    (key.scope.to_string(), key.sort.to_string())
}

impl Memory {
    /// Reads one item.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Item> {
        self.items.get(&map_key(key))
    }

    /// All items, ordered by key.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.values()
    }

    /// Reads consecutive items of one partition.
    #[must_use]
    pub fn scan(&self, range: &Range) -> Page {
        let partition = range.scope.to_string();
        let start = (partition.clone(), range.prefix.clone());
        let items = self
            .items
            .range(start..)
            .take_while(|((scope, sort), _)| *scope == partition && sort.starts_with(&range.prefix))
            .filter(|((_, sort), _)| range.after.as_ref().is_none_or(|after| sort > after))
            .map(|(_, item)| item);
        cut(items, range.limit)
    }

    /// Reads one page of an index partition.
    #[must_use]
    pub fn list(&self, list: &List) -> Page {
        let in_partition = self.items.values().filter_map(|item| {
            let key = index_key(item, list.index)?;
            (key.0 == &list.partition).then_some((key.1, item))
        });
        let in_range = |sort: &String| {
            sort.starts_with(&list.prefix)
                && list.after.as_ref().is_none_or(|after| sort > after)
                && list.until.as_ref().is_none_or(|until| sort <= until)
        };
        let mut rows: Vec<(&String, &Item)> =
            in_partition.filter(|(sort, _)| in_range(sort)).collect();
        rows.sort_by_key(|(sort, item)| (*sort, map_key(&item.key)));
        cut(rows.into_iter().map(|(_, item)| item), Some(list.limit))
    }

    /// Reads the scopes with a head after this one, at most `limit`.
    #[must_use]
    pub fn scopes(&self, after: Option<Scope>, limit: u32) -> ScopePage {
        let after = after.map(|scope| scope.to_string());
        let heads = self.items.values().filter(|item| {
            let scope = item.key.scope.to_string();
            item.key.sort == Sort::head() && after.as_ref().is_none_or(|after| scope > *after)
        });
        let Page { items, more } = cut(heads, Some(limit));
        let scopes: Vec<Scope> = items.iter().map(|head| head.key.scope).collect();
        let next = scopes.last().copied().filter(|_| more);
        ScopePage { scopes, next }
    }

    /// Applies the operations of one commit, all or none.
    ///
    /// # Errors
    /// [`Conflict`] if a condition does not hold.
    pub fn commit(&mut self, scope: Scope, operations: &[Operation]) -> Result<(), Conflict> {
        let holds = |sort: &Sort, condition: &Condition| {
            let stored = self.get(&scope.key(sort.clone()));
            match (condition, stored) {
                (Condition::Absent, None) => true,
                (Condition::Matches(etag), Some(item)) => item.etag == *etag,
                _ => false,
            }
        };
        let all = operations.iter().all(|operation| match operation {
            Operation::Put(item, condition) => {
                item.key.scope == scope && holds(&item.key.sort, condition)
            }
            Operation::Delete(sort, condition) => holds(sort, condition),
        });
        if !all {
            return Err(Conflict);
        }
        for operation in operations {
            match operation {
                Operation::Put(item, _) => {
                    self.items.insert(map_key(&item.key), item.clone());
                }
                Operation::Delete(sort, _) => {
                    self.items.remove(&map_key(&scope.key(sort.clone())));
                }
            }
        }
        Ok(())
    }
}

fn index_key(item: &Item, index: Index) -> Option<(&String, &String)> {
    let key = item.row(index)?;
    Some((&key.partition, &key.sort))
}

fn cut<'a>(items: impl Iterator<Item = &'a Item>, limit: Option<u32>) -> Page {
    let limit = limit.map_or(usize::MAX, |limit| limit as usize);
    let mut items: Vec<Item> = items.take(limit.saturating_add(1)).cloned().collect();
    let more = items.len() > limit;
    items.truncate(limit);
    Page { items, more }
}
