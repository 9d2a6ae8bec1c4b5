//! Output of commands: results on the standard output, everything else on the standard error.

use std::{
    io::{self, ErrorKind, Write},
    process::ExitCode,
};

use crate::failure::Failure;

/// Writes one line of a result.
///
/// # Errors
/// If the standard output is closed. A closed pipe ends the command silently, as for `head`.
pub fn line(text: impl AsRef<str>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", text.as_ref())
        .and_then(|()| out.flush())
        .map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => Failure::reported(0),
            _ => Failure::because("the standard output cannot be written", error),
        })
}

/// Writes one line to the standard error. A closed standard error is ignored.
pub fn notice(text: impl AsRef<str>) {
    let _ = writeln!(io::stderr(), "{}", text.as_ref());
}

/// Ends a command: prints its failure in one line and returns its exit code.
#[must_use]
pub fn end(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.is_reported() {
                notice(format!("error: {failure}"));
            }
            failure.exit_code()
        }
    }
}

/// Writes rows in columns. Each column is as wide as its widest cell. Without rows, writes `none`.
///
/// # Errors
/// As [`line()`].
pub fn table<const N: usize>(title: &str, rows: &[[String; N]]) -> Result<(), Failure> {
    line(title)?;
    if rows.is_empty() {
        return line("  none");
    }
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..N).map(width).collect();
    for row in rows {
        let cells = row.iter().zip(&widths);
        let cells: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        line(format!("  {}", cells.join("  ").trim_end()))?;
    }
    Ok(())
}

/// Text from outside, without characters that can control a terminal.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                '\u{fffd}'
            } else {
                character
            }
        })
        .collect()
}
