//! The format of the database file, and opening it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::StoreError;

/// Identifies the file: `WMws`, the application id in the header (SQLite file format, section 1.3).
const APPLICATION: i32 = i32::from_be_bytes(*b"WMws");

/// The format that this program writes, stored as `user_version`. It also reads all older ones, from
/// 1. Formats 1 and 2 differ in the bodies of the items only.
///
/// Opening a file for writing raises its format, so that an older program refuses it from then on.
/// It could not read what this one writes.
pub(crate) const FORMAT: i32 = 2;

/// The time one connection waits for another. Waiting occurs only during a backup or a recovery.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A rowid table. With the body in the leaf of a `WITHOUT ROWID` key, SQLite would move records of
/// a kilobyte whenever a page splits.
const CREATE: &str = "
CREATE TABLE items (
    pk TEXT NOT NULL, sk TEXT NOT NULL, etag TEXT NOT NULL, body TEXT NOT NULL, expires_at INTEGER,
    gsi1pk TEXT, gsi1sk TEXT, gsi2pk TEXT, gsi2sk TEXT,
    gsi3pk TEXT, gsi3sk TEXT, gsi4pk TEXT, gsi4sk TEXT
) STRICT;
CREATE UNIQUE INDEX items_key ON items (pk, sk);
CREATE INDEX items_gsi1 ON items (gsi1pk, gsi1sk) WHERE gsi1pk IS NOT NULL;
CREATE INDEX items_gsi2 ON items (gsi2pk, gsi2sk) WHERE gsi2pk IS NOT NULL;
CREATE INDEX items_gsi3 ON items (gsi3pk, gsi3sk) WHERE gsi3pk IS NOT NULL;
CREATE INDEX items_gsi4 ON items (gsi4pk, gsi4sk) WHERE gsi4pk IS NOT NULL;
CREATE INDEX items_expiry ON items (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE surface (id TEXT NOT NULL, file TEXT NOT NULL, openings INTEGER NOT NULL) STRICT;
";

/// Opens the database for writing. Creates a missing file.
///
/// A refused file is not changed.
pub(crate) fn open(path: &Path) -> Result<Connection, StoreError> {
    let extent = extent(path)?;
    if extent == Extent::Empty {
        create_file(path)?;
    }
    let failed = |error| StoreError::new(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(TIMEOUT).map_err(failed)?;
    // Closing must not write a log back into a file that turns out to be damaged or foreign.
    let fold_on_close = |connection: &Connection, fold: bool| {
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !fold)
    };
    fold_on_close(&connection, false).map_err(failed)?;
    if extent == Extent::Short && !(has_log(path) && is_sound(&connection)) {
        return Err(StoreError::Truncated(path.into()));
    }
    let format = format(&connection, path)?;
    configure(&connection).map_err(failed)?;
    match format {
        None => create(&mut connection),
        Some(FORMAT) => Ok(()),
        Some(_) => connection.pragma_update(None, "user_version", FORMAT),
    }
    .map_err(failed)?;
    fold_on_close(&connection, true).map_err(failed)?;
    Ok(connection)
}

/// Creates the empty file, accessible to the owner only. SQLite gives the log the same mode.
pub(crate) fn create_file(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o600);
    options.open(path).map(drop).map_err(|source| {
        let path = path.into();
        StoreError::File { path, source }
    })
}

/// Opens the database for reading committed data.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let failed = |error| StoreError::new(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(TIMEOUT).map_err(failed)?;
    if format(&connection, path)?.is_none() {
        return Err(StoreError::Foreign(path.into()));
    }
    configure_any(&connection).map_err(failed)?;
    Ok(connection)
}

/// Whether the file exists and is not empty.
pub(crate) fn exists(path: &Path) -> Result<bool, StoreError> {
    Ok(extent(path)? != Extent::Empty)
}

/// The format of a database that this program can read. `None` for an empty file.
fn format(connection: &Connection, path: &Path) -> Result<Option<i32>, StoreError> {
    let number = |sql: &str| {
        connection
            .query_row(sql, (), |row| row.get::<_, i32>(0))
            .map_err(|error| StoreError::new(path, error))
    };
    let application = number("PRAGMA application_id")?;
    let format = number("PRAGMA user_version")?;
    match (application, format) {
        (APPLICATION, found @ 1..=FORMAT) => Ok(Some(found)),
        (APPLICATION, found) if found > FORMAT => Err(StoreError::Newer {
            path: path.into(),
            found,
        }),
        (0, 0) if number("SELECT count(*) FROM sqlite_schema")? == 0 => Ok(None),
        _ => Err(StoreError::Foreign(path.into())),
    }
}

fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(CREATE)?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.commit()
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    configure_any(connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Every commit syncs the log once, before it is acknowledged.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Without these two, macOS keeps synced bytes in the cache of the drive. They have no effect on
    // other systems.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    // Reduces the log after a burst of writes.
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)
}

fn configure_any(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)
}

/// The length of a file compared with the length in its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// The file is missing or empty.
    Empty,
    /// The file is long enough for all pages.
    Whole,
    /// Bytes at the end are missing. That is valid only with a log, after a crash while the log was
    /// written back.
    Short,
}

fn extent(path: &Path) -> Result<Extent, StoreError> {
    let failed = |source| StoreError::File {
        path: path.into(),
        source,
    };
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Extent::Empty),
        file => file.map_err(failed)?,
    };
    let length = file.metadata().map_err(failed)?.len();
    let mut header = Vec::with_capacity(HEADER);
    file.by_ref()
        .take(HEADER as u64)
        .read_to_end(&mut header)
        .map_err(failed)?;
    if length == 0 {
        return Ok(Extent::Empty);
    }
    let promised = promised_length(&header).ok_or_else(|| StoreError::Foreign(path.into()))?;
    Ok(if promised > length {
        Extent::Short
    } else {
        Extent::Whole
    })
}

/// The number of header bytes read.
const HEADER: usize = 32;

/// The length according to the header (SQLite file format, section 1.3). `None` for an invalid
/// header.
fn promised_length(header: &[u8]) -> Option<u64> {
    let rest = header.strip_prefix(b"SQLite format 3\0")?;
    let page = match u16::from_be_bytes(*rest.first_chunk()?) {
        1 => 65_536,
        size => u64::from(size),
    };
    let pages = u32::from_be_bytes(*rest.get(12..)?.first_chunk()?);
    Some(page * u64::from(pages))
}

/// Whether a log exists. It may contain what the file lacks.
fn has_log(path: &Path) -> bool {
    ["-wal", "-journal"].iter().any(|suffix| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        fs::metadata(name).is_ok_and(|log| log.len() > 0)
    })
}

/// Reads every page, which takes long. Use it only after a sign of damage.
pub(crate) fn is_sound(connection: &Connection) -> bool {
    connection
        .query_row("PRAGMA quick_check(1)", (), |row| row.get::<_, String>(0))
        .is_ok_and(|answer| answer == "ok")
}
