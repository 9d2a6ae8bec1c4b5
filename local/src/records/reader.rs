//! Reading: a few connections that see whatever is committed.

use std::{
    ops::Bound,
    path::Path,
    sync::{Mutex, PoisonError},
};

use rusqlite::{Connection, Error, OptionalExtension, Row, types::Type};
use wm_core::storage::{IndexKey, Item, Key, List, Page, Range, Sort};
use wm_core::value::Timestamp;

use super::{StoreError, bounds::Bounds, schema};

/// How many reads run side by side.
const CONNECTIONS: usize = 8;

const COLUMNS: &str = "pk, sk, etag, body, expires_at, \
    gsi1pk, gsi1sk, gsi2pk, gsi2sk, gsi3pk, gsi3sk, gsi4pk, gsi4sk";

/// The pool. A query runs on the thread that asks: it takes microseconds, a change of threads more
/// (measured; see the decision on the writer thread).
pub(super) struct Readers([Mutex<Connection>; CONNECTIONS]);

impl Readers {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let mut connections = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            connections.push(Mutex::new(schema::open_reader(path)?));
        }
        connections
            .try_into()
            .map(Self)
            .map_err(|_| StoreError::Closing)
    }

    /// Runs a query on a free connection, or waits for the first.
    pub(super) fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let free = self
            .0
            .iter()
            .find_map(|connection| connection.try_lock().ok());
        let [first, ..] = &self.0;
        query(&free.unwrap_or_else(|| first.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// The item under a key.
pub(super) fn get(connection: &Connection, key: &Key) -> rusqlite::Result<Option<Item>> {
    let sql = format!("SELECT {COLUMNS} FROM items WHERE pk = ?1 AND sk = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let place = (key.scope.to_string(), key.sort.as_str());
    statement.query_row(place, item).optional()
}

/// Consecutive items of a partition.
pub(super) fn scan(connection: &Connection, range: &Range) -> rusqlite::Result<Page> {
    let bounds = Bounds::new(&range.prefix, range.after.as_ref(), None);
    let partition = range.scope.to_string();
    page(connection, ["pk", "sk"], &partition, &bounds, range.limit)
}

/// A page of an index.
pub(super) fn list(connection: &Connection, list: &List) -> rusqlite::Result<Page> {
    let number = list.index.position() + 1;
    let columns = [format!("gsi{number}pk"), format!("gsi{number}sk")];
    let columns = columns.each_ref().map(String::as_str);
    let bounds = Bounds::new(&list.prefix, list.after.as_ref(), list.until.as_ref());
    page(
        connection,
        columns,
        &list.partition,
        &bounds,
        Some(list.limit),
    )
}

fn page(
    connection: &Connection,
    columns: [&str; 2],
    partition: &str,
    bounds: &Bounds,
    limit: Option<u32>,
) -> rusqlite::Result<Page> {
    let (lower, from) = lower(&bounds.lower);
    let (upper, to) = upper(&bounds.upper);
    let [pk, sk] = columns;
    let sql = format!(
        "SELECT {COLUMNS} FROM items WHERE {pk} = ?1 AND {sk} {lower} ?2 AND {} ORDER BY {sk}, pk, sk LIMIT ?4",
        upper.map_or("?3 IS NULL".into(), |upper| format!("{sk} {upper} ?3"))
    );
    // One row more than asked for tells whether there are more; -1 is no limit.
    let rows = limit.map_or(-1, |limit| i64::from(limit) + 1);
    let mut statement = connection.prepare_cached(&sql)?;
    let items = statement.query_map((partition, from, to, rows), item)?;
    let mut items = items.collect::<rusqlite::Result<Vec<_>>>()?;
    let limit = limit.map_or(usize::MAX, |limit| limit as usize);
    let more = items.len() > limit;
    items.truncate(limit);
    Ok(Page { items, more })
}

fn lower(bound: &Bound<String>) -> (&'static str, &str) {
    match bound {
        Bound::Included(text) => (">=", text),
        Bound::Excluded(text) => (">", text),
        Bound::Unbounded => (">=", ""),
    }
}

fn upper(bound: &Bound<String>) -> (Option<&'static str>, Option<&str>) {
    match bound {
        Bound::Included(text) => (Some("<="), Some(text)),
        Bound::Excluded(text) => (Some("<"), Some(text)),
        Bound::Unbounded => (None, None),
    }
}

fn item(row: &Row<'_>) -> rusqlite::Result<Item> {
    let index = |number: usize| -> rusqlite::Result<Option<IndexKey>> {
        let partition: Option<String> = row.get(5 + 2 * number)?;
        let Some(partition) = partition else {
            return Ok(None);
        };
        let sort = row.get(6 + 2 * number)?;
        Ok(Some(IndexKey { partition, sort }))
    };
    let scope = parse(row, 0)?;
    // A damaged byte must reach the decoder, whose checksum then names the item.
    let body = String::from_utf8_lossy(row.get_ref(3)?.as_bytes()?).into_owned();
    let expires_at: Option<i64> = row.get(4)?;
    Ok(Item {
        key: Key {
            scope,
            sort: Sort::from_stored(row.get(1)?),
        },
        index: [index(0)?, index(1)?, index(2)?, index(3)?],
        etag: parse(row, 2)?,
        body,
        expires_at: expires_at.map(Timestamp::from_millis),
    })
}

fn parse<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text = row.get_ref(column)?.as_str()?;
    text.parse()
        .map_err(|error| Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}
