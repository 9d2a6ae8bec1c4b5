//! Records as shown in answers.

use alloc::{string::String, vec, vec::Vec};

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    operation::{Context, Facts, PageRequest, Problem, Reply},
    record::{Author, Body, Record},
    storage::Key,
    value::{Timestamp, canonical},
};

/// The members that every record has.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Envelope<Id> {
    /// The id. It is never used again for another record.
    pub id: Id,
    /// How many times it was written, from 1.
    pub version: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// The person who created it, or `system`.
    pub created_by: Author,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The person who changed it last, or `system`.
    pub updated_by: Author,
}

impl<Id: Clone> Envelope<Id> {
    /// Copies the envelope of a record.
    #[must_use]
    pub fn of<B: Body<Id = Id>>(record: &Record<B>) -> Self {
        Self {
            id: record.id.clone(),
            version: record.version(),
            created_at: record.created_at,
            created_by: record.created_by,
            updated_at: record.updated_at,
            updated_by: record.updated_by,
        }
    }
}

/// Builds a 200 with one record.
#[must_use]
pub fn shown<B: Body>(record: &Record<B>, view: &impl Serialize) -> Reply {
    Reply {
        status: 200,
        body: Some(canonical::to_value(view)),
        etag: Some(record.etag()),
        records: vec![record.key()],
        ..Reply::default()
    }
}

/// Builds a 201 with the new record.
#[must_use]
pub fn created<B: Body>(record: &Record<B>, view: &impl Serialize) -> Reply {
    Reply {
        status: 201,
        ..shown(record, view)
    }
}

/// One page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}List")]
pub struct ListView<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The `cursor` of the next page. Null on the last page. A page may be short, even empty, before
    /// the last one.
    pub next_cursor: Option<String>,
}

/// Builds a 200 with a page. The next page begins after the key `last`. `None` on the last page.
#[must_use]
pub fn page<T: Serialize>(
    context: &Context<'_>,
    request: &PageRequest,
    items: Vec<T>,
    last: Option<&str>,
) -> Reply {
    let next_cursor = last.map(|last| request.next(context, last));
    Reply::ok(canonical::to_value(&ListView { items, next_cursor }))
}

/// Returns a record that the first request created, for a repetition. `position` counts the records
/// of that request.
///
/// # Errors
/// 409 if the record no longer exists.
pub fn replayed<B: Body>(
    facts: &Facts,
    records: &[Key],
    position: usize,
) -> Result<Record<B>, Problem> {
    let key = records
        .get(position)
        .ok_or_else(|| Problem::internal("a repetition lacks its records"))?;
    let record = facts
        .record(key)?
        .filter(|record: &Record<B>| !record.deleted);
    record.ok_or_else(|| no_longer_exists(key))
}

/// A 409 for a repetition of a request whose record no longer exists.
#[must_use]
pub fn no_longer_exists(key: &Key) -> Problem {
    let id = key.sort.as_str().rsplit('#').next().unwrap_or_default();
    Problem::conflict(alloc::format!(
        "this request was carried out before, and `{id}` was deleted since"
    ))
}
