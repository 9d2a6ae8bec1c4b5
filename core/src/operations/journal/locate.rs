//! Finding an entry by its number alone.

use crate::{
    operation::{Facts, NotAsked, ReadRequest},
    record::Head,
    storage::{Page, Range, Sort},
    value::SurfaceId,
};

/// What looking for an entry came to.
pub(super) enum Located<'a> {
    /// Read this and look again.
    ReadRequest(ReadRequest),
    /// The page that begins behind the number, or, where that could not be found, before it.
    Page(&'a Page),
}

/// The most places that are tried.
const PROBES: usize = 12;

/// The page of at most `limit` entries behind the entry of this number.
///
/// An entry's key begins with the surface's id, which a restore renews, so the number alone does not
/// tell the key. Numbers go on across restores without a gap, and ids sort in the order of restores.
/// The present id is nearly always the right one. If the first entry behind it is too far on, the
/// search begins with the oldest id and goes from each to the next, one read per restore.
pub(super) fn locate<'a>(
    facts: &'a Facts,
    head: &Head,
    after: u64,
    limit: u32,
) -> Result<Located<'a>, NotAsked> {
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
            return Ok(Located::ReadRequest(read));
        }
        let page = facts.scan(&range)?;
        let first = page.items.first().and_then(|item| place(&item.key.sort));
        probe += 1;
        start = match first {
            Some((_, seq)) if seq > after.saturating_add(1) && probe == 1 => None,
            Some((surface, seq)) if seq <= after && probe < PROBES => Some(surface),
            _ => return Ok(Located::Page(page)),
        };
    }
}

/// The surface and number in an entry's key.
pub(super) fn place(sort: &Sort) -> Option<(SurfaceId, u64)> {
    let rest = sort.as_str().strip_prefix(Sort::JOURNAL)?;
    let (surface, number) = rest.split_once('#')?;
    Some((surface.parse().ok()?, number.parse().ok()?))
}
