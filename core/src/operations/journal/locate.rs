//! Finding a journal entry by its number.

use crate::{
    operation::{FactNotRead, Facts, ReadRequest},
    record::Head,
    storage::{Page, Range, Sort},
    value::SurfaceId,
};

/// The progress of a search.
pub(super) enum Located<'a> {
    /// Carry out this read and search again.
    Read(ReadRequest),
    /// The page that begins after the number. If the search failed, the page begins before it.
    Page(&'a Page),
}

/// The maximum number of probed positions.
const PROBES: usize = 12;

/// Finds the page of at most `limit` entries after the entry with this number.
///
/// An entry's key begins with the surface's id, which changes at a restore, so the number does not
/// determine the key. Numbers continue across restores without a gap, and ids sort in the order of
/// restores. The first probe uses the present id, which is nearly always right. If the first entry
/// after it has a number that is too high, the search starts at the oldest id and reads once per
/// restore.
pub(super) fn locate<'a>(
    facts: &'a Facts,
    head: &Head,
    after: u64,
    limit: u32,
) -> Result<Located<'a>, FactNotRead> {
    let mut start = Some(head.surface);
    let mut probe = 0;
    loop {
        let range = Range {
            after: start.map(|surface| Sort::journal(surface, after).as_str().into()),
            limit: Some(limit),
            ..Range::all(head.scope, Sort::JOURNAL)
        };
        let read = ReadRequest::Scan(range.clone());
        if !facts.has(&read) {
            return Ok(Located::Read(read));
        }
        let page = facts.scan(&range)?;
        let first = page
            .items
            .first()
            .and_then(|item| entry_position(&item.key.sort));
        probe += 1;
        start = match first {
            Some((_, seq)) if seq > after.saturating_add(1) && probe == 1 => None,
            Some((surface, seq)) if seq <= after && probe < PROBES => Some(surface),
            _ => return Ok(Located::Page(page)),
        };
    }
}

/// The surface id and number in an entry's key.
pub(super) fn entry_position(sort: &Sort) -> Option<(SurfaceId, u64)> {
    let rest = sort.as_str().strip_prefix(Sort::JOURNAL)?;
    let (surface, number) = rest.split_once('#')?;
    Some((surface.parse().ok()?, number.parse().ok()?))
}
