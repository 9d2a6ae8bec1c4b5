//! Reads, on several connections that see every commit.

use std::{
    ops::Bound,
    path::Path,
    sync::{Mutex, PoisonError},
};

use rusqlite::{Connection, Error, OptionalExtension, Row, types::Type};
use wm_core::storage::{IndexKey, Item, Key, List, Page, Range, Scope, ScopePage, Sort};
use wm_core::value::Timestamp;
use wm_service::bounds::Bounds;

use super::{StoreError, schema};

/// The number of concurrent reads.
const CONNECTIONS: usize = 8;

const COLUMNS: &str = "pk, sk, etag, body, expires_at, \
    gsi1pk, gsi1sk, gsi2pk, gsi2sk, gsi3pk, gsi3sk, gsi4pk, gsi4sk";

/// The connection pool. A query runs on the calling thread, because it takes microseconds and a
/// change of threads takes longer. The decision record on the writer thread has the measurements.
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

    /// Runs a query on a free connection, or waits for one.
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

pub(super) fn get(connection: &Connection, key: &Key) -> rusqlite::Result<Option<Item>> {
    let sql = format!("SELECT {COLUMNS} FROM items WHERE pk = ?1 AND sk = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let place = (key.scope.to_string(), key.sort.as_str());
    statement.query_row(place, item).optional()
}

/// Reads consecutive items of a partition.
pub(super) fn scan(connection: &Connection, range: &Range) -> rusqlite::Result<Page> {
    let bounds = Bounds::new(&range.prefix, range.after.as_ref(), None);
    let partition = range.scope.to_string();
    page(connection, ["pk", "sk"], &partition, &bounds, range.limit)
}

/// Reads a page of an index.
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

/// The number of scopes that one page looks at.
const SCOPES: usize = 100;

/// Reads the scopes that have a head, after this one. The query jumps from scope to scope along the
/// index of the keys.
pub(super) fn scopes(connection: &Connection, after: Option<Scope>) -> rusqlite::Result<ScopePage> {
    let sql = "WITH RECURSIVE scopes(scope) AS ( \
            SELECT min(pk) FROM items WHERE pk > ?1 \
            UNION ALL \
            SELECT (SELECT min(pk) FROM items WHERE pk > scope) FROM scopes WHERE scope IS NOT NULL \
            LIMIT ?3 \
         ) SELECT scope, EXISTS (SELECT 1 FROM items WHERE pk = scope AND sk = ?2) FROM scopes \
         WHERE scope IS NOT NULL";
    let after = after.map(|scope| scope.to_string()).unwrap_or_default();
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map((after, Sort::head().as_str(), SCOPES as i64), |row| {
        Ok((parse(row, 0)?, row.get(1)?))
    })?;
    let visited = rows.collect::<rusqlite::Result<Vec<(Scope, bool)>>>()?;
    let last = visited.last().filter(|_| visited.len() == SCOPES);
    Ok(ScopePage {
        next: last.map(|(scope, _)| *scope),
        scopes: visited
            .into_iter()
            .filter_map(|(scope, has_head)| has_head.then_some(scope))
            .collect(),
    })
}

fn page(
    connection: &Connection,
    columns: [&str; 2],
    partition: &str,
    bounds: &Bounds,
    limit: Option<u32>,
) -> rusqlite::Result<Page> {
    let sql = page_sql(columns, bounds);
    let (from, to) = (operand(&bounds.lower), operand(&bounds.upper));
    // One more row than the limit shows whether there are more. -1 means no limit.
    let rows = limit.map_or(-1, |limit| i64::from(limit) + 1);
    let mut statement = connection.prepare_cached(&sql)?;
    let items = statement.query_map((partition, from, to, rows), item)?;
    let mut items = items.collect::<rusqlite::Result<Vec<_>>>()?;
    let limit = limit.map_or(usize::MAX, |limit| limit as usize);
    let more = items.len() > limit;
    items.truncate(limit);
    Ok(Page { items, more })
}

fn page_sql([pk, sk]: [&str; 2], bounds: &Bounds) -> String {
    let lower = match &bounds.lower {
        Bound::Excluded(_) => format!("{sk} > ?2"),
        _ => format!("{sk} >= ?2"),
    };
    let upper = match &bounds.upper {
        Bound::Included(_) => format!("{sk} <= ?3"),
        Bound::Excluded(_) => format!("{sk} < ?3"),
        Bound::Unbounded => "?3 IS NULL".into(),
    };
    format!(
        "SELECT {COLUMNS} FROM items WHERE {pk} = ?1 AND {lower} AND {upper} \
         ORDER BY {sk}, pk, sk LIMIT ?4"
    )
}

fn operand(bound: &Bound<String>) -> Option<&str> {
    match bound {
        Bound::Included(text) | Bound::Excluded(text) => Some(text),
        Bound::Unbounded => None,
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
    let body = row.get_ref(3)?.as_bytes()?;
    // Damaged bytes must reach the decoder. Its checksum error names the item.
    let damaged = |_| String::from_utf8_lossy(body).into_owned();
    let body = str::from_utf8(body).map_or_else(damaged, str::to_owned);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The query plan of SQLite for a page.
    fn plan(connection: &Connection, columns: [&str; 2], bounds: &Bounds) -> Vec<String> {
        let sql = format!("EXPLAIN QUERY PLAN {}", page_sql(columns, bounds));
        let mut statement = connection.prepare(&sql).unwrap();
        let details = statement.query_map(("P", "A", "B", 9), |row| row.get(3));
        details.unwrap().collect::<rusqlite::Result<_>>().unwrap()
    }

    #[test]
    fn every_page_is_one_index_scan() {
        let directory = tempfile::tempdir().unwrap();
        let connection = schema::open(&directory.path().join("workspace.sqlite")).unwrap();
        let until = "B".to_owned();
        let open_ended = Bounds::new("", None, None);
        for bounds in [&Bounds::new("A", None, Some(&until)), &open_ended] {
            let walked = plan(&connection, ["pk", "sk"], bounds);
            assert!(
                walked[0].contains("USING INDEX items_key (pk=? AND sk>?"),
                "{walked:?}"
            );
            assert_eq!(walked.len(), 1, "{walked:?}");
            let walked = plan(&connection, ["gsi3pk", "gsi3sk"], bounds);
            let index = "USING INDEX items_gsi3 (gsi3pk=? AND gsi3sk>?";
            assert!(walked[0].contains(index), "{walked:?}");
        }
    }
}
