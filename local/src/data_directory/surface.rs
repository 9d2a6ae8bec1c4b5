//! The surface of a data directory: created at setup, renewed if the directory is a copy.

use std::{fs, io, os::unix::fs::MetadataExt, path::Path, time::SystemTime};

use rusqlite::{Connection, OptionalExtension};
use wm_core::value::{SurfaceId, id::ulid_at};

use super::{Layout, OpenError};
use crate::{
    clock,
    records::StoreError,
    secrets::{Secret, SurfaceFile, random_bytes},
};

/// The surface in the database. It is written before `surface.json`.
#[derive(Debug, PartialEq, Eq)]
struct Stored {
    surface: SurfaceId,
    /// The identity of the file that held the database when it was last opened.
    file: String,
    openings: u32,
}

/// Reads the surface. Creates it at setup, and renews it if the database is not the same file as
/// before: a restored backup and its source must never share a surface id.
pub(super) fn identify(
    connection: &mut Connection,
    layout: &Layout,
) -> Result<SurfaceFile, OpenError> {
    let path = layout.database();
    let failed = |error| StoreError::new(&path, error);
    let refused = |source| OpenError::directory(layout, source);
    let file = file_mark(&path).map_err(refused)?;
    let random = random_bytes().map_err(refused)?;
    let stored = read(connection).map_err(failed)?;
    let kept = SurfaceFile::read(&layout.surface())?;
    let (surface, secret, openings) = match (stored, kept) {
        (None, None) => {
            let surface = SurfaceId::first(ulid_at(clock::now(), &random));
            (surface, Secret::random().map_err(refused)?, 0)
        }
        (None, Some(_)) => return Err(OpenError::DatabaseMissing(path)),
        // Setup was interrupted, and no request was served. If records exist, the secret was lost
        // instead.
        (Some(stored), None) if is_empty(connection).map_err(failed)? => (
            stored.surface,
            Secret::random().map_err(refused)?,
            stored.openings,
        ),
        (Some(_), None) => return Err(OpenError::SecretMissing(layout.surface())),
        (Some(stored), Some(kept)) => {
            let copied = stored.file != file || stored.openings < kept.openings;
            let surface = if copied {
                stored.surface.renewed(clock::now(), &random)
            } else {
                stored.surface
            };
            (surface, kept.secret, stored.openings.max(kept.openings))
        }
    };
    let openings = openings.saturating_add(1);
    write(
        connection,
        &Stored {
            surface,
            file,
            openings,
        },
    )
    .map_err(failed)?;
    let current = SurfaceFile {
        surface,
        secret,
        openings,
    };
    current.write(&layout.surface())?;
    Ok(current)
}

/// Removes the file identity from a database, so that the next opening creates a new surface.
pub(crate) fn forget_file(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("UPDATE surface SET file = ''", ())?;
    Ok(())
}

/// The identity of a file, which differs for its copies: the inode with its time of birth. On file
/// systems without birth times it is the inode and the device; the number of the device may change
/// when the machine restarts.
fn file_mark(path: &Path) -> io::Result<String> {
    let metadata = fs::metadata(path)?;
    let inode = metadata.ino();
    let born = metadata.created().ok();
    let born = born.and_then(|born| born.duration_since(SystemTime::UNIX_EPOCH).ok());
    Ok(match born {
        Some(born) => format!("inode {inode} born {}", born.as_nanos()),
        None => format!("inode {inode} on device {}", metadata.dev()),
    })
}

fn read(connection: &Connection) -> rusqlite::Result<Option<Stored>> {
    let sql = "SELECT id, file, openings FROM surface";
    let mut statement = connection.prepare(sql)?;
    let row = statement.query_row((), |row| {
        let surface: String = row.get(0)?;
        Ok((surface, row.get(1)?, row.get(2)?))
    });
    let Some((surface, file, openings)) = row.optional()? else {
        return Ok(None);
    };
    let surface = surface.parse().map_err(|error| {
        let kind = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(
            0,
            kind,
            Box::<wm_core::value::Invalid>::new(error),
        )
    })?;
    Ok(Some(Stored {
        surface,
        file,
        openings,
    }))
}

fn write(connection: &mut Connection, stored: &Stored) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute("DELETE FROM surface", ())?;
    transaction.execute(
        "INSERT INTO surface VALUES (?1, ?2, ?3)",
        (stored.surface.to_string(), &stored.file, stored.openings),
    )?;
    transaction.commit()
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM items)", (), |row| {
        row.get(0)
    })
}
