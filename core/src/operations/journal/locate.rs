//! Finding an entry by its number alone.

use crate::{
    facts::{Ask, Facts, NotAsked},
    model::Head,
    storage::{Page, Range, Sort},
};

/// What looking for an entry came to.
pub(super) enum Located<'a> {
    /// Ask this and look again.
    Ask(Ask),
    /// The page that begins behind the number.
    Page(&'a Page),
}

/// The page of at most `limit` entries behind the entry of this number.
///
/// An entry's key begins with the surface's epoch, which every restore renews, so the number alone
/// does not tell the key. Numbers go on across epochs without a gap: if the first entry behind the
/// number in one epoch is not the next one, the epoch was too late or too early. The present epoch is
/// nearly always right; otherwise the search halves what is left.
pub(super) fn locate<'a>(
    facts: &'a Facts,
    head: &Head,
    after: u64,
    limit: u32,
) -> Result<Located<'a>, NotAsked> {
    let (mut first, mut last) = (1, head.surface.epoch());
    let mut epoch = last;
    loop {
        let start = Sort::journal(head.surface.at_epoch(epoch), after);
        let range = Range {
            after: Some(start.as_str().into()),
            limit: Some(limit),
            ..Range::all(head.scope, Sort::JOURNAL)
        };
        let ask = Ask::Scan(range.clone());
        if !facts.has(&ask) {
            return Ok(Located::Ask(ask));
        }
        let page = facts.scan(&range)?;
        let found = page
            .items
            .first()
            .and_then(|item| number(item.key.sort.as_str()));
        match found {
            Some(seq) if seq <= after => first = epoch.saturating_add(1),
            Some(seq) if seq > after.saturating_add(1) => last = epoch.saturating_sub(1),
            _ => return Ok(Located::Page(page)),
        }
        if first > last {
            // The next entry is missing; the page shows what there is behind it.
            return Ok(Located::Page(page));
        }
        epoch = first.midpoint(last);
    }
}

/// The number at the end of an entry's key.
fn number(sort: &str) -> Option<u64> {
    sort.rsplit('#').next()?.parse().ok()
}
