//! Items and batches for tests of the store.

use ulid::Ulid;
use wm_core::{
    operation::Batch,
    storage::{Condition, ETag, Item, Operation, Scope, Sort},
    value::{AccountId, CommitId, Sha256, id::Id},
};

/// The scope of the account with this number.
pub(crate) fn scope(number: u8) -> Scope {
    Scope::Account(AccountId::from_ulid(Ulid::from_parts(1, number.into())))
}

/// Equal numbers give equal ETags.
pub(crate) fn etag(number: u64) -> ETag {
    ETag::new(Sha256::of(&number.to_be_bytes()))
}

/// An item outside all indexes.
pub(crate) fn item(scope: Scope, sort: &str, mark: u64, body: impl Into<String>) -> Item {
    Item {
        key: scope.key(Sort::from_stored(sort.into())),
        index: Default::default(),
        etag: etag(mark),
        body: body.into(),
        expires_at: None,
    }
}

pub(crate) fn batch(scope: Scope, operations: Vec<Operation>) -> Batch {
    let commit_id = CommitId::from_ulid(Ulid::from_parts(2, 2));
    Batch::unchecked(scope, commit_id, operations)
}

pub(crate) fn creating(scope: Scope, items: impl IntoIterator<Item = Item>) -> Batch {
    batch(scope, creations(items).collect())
}

/// A batch that creates these items and overwrites the head of the scope, like every commit.
pub(crate) fn creating_under(
    scope: Scope,
    items: impl IntoIterator<Item = Item>,
    head: Item,
    condition: Condition,
) -> Batch {
    let head = Operation::Put(head, condition);
    batch(scope, creations(items).chain([head]).collect())
}

fn creations(items: impl IntoIterator<Item = Item>) -> impl Iterator<Item = Operation> {
    let create = |item| Operation::Put(item, Condition::Absent);
    items.into_iter().map(create)
}
