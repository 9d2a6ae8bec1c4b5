//! Verification of a journal: all entries are present, unchanged and in order.

use serde::{Deserialize, Serialize};

use crate::{
    record::{Head, JournalEntry, Record, Sequence},
    storage::{Item, Scope},
    value::{Sha256, Timestamp},
};

/// A verified position in a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The number of the last verified entry. 0 before the first entry.
    pub seq: u64,
    /// The hash of that entry.
    pub hash: Sha256,
    /// The time of that entry. Times of later entries are not before it.
    pub at: Timestamp,
}

impl Link {
    /// The position before the first entry.
    #[must_use]
    pub fn genesis() -> Self {
        Self {
            seq: 0,
            hash: JournalEntry::GENESIS,
            at: Timestamp::default(),
        }
    }

    /// The position after this entry. `None` unless the entry is intact, has the key and number
    /// that follow, names the hash of its predecessor and is not earlier than it.
    #[must_use]
    pub fn next(self, scope: Scope, item: &Item) -> Option<Self> {
        let seq = self.seq.checked_add(1)?;
        let entry = entry(scope, seq, item)?;
        let fits = entry.previous == self.hash && entry.at >= self.at;
        fits.then(|| Self {
            seq,
            hash: entry.hash(),
            at: entry.at,
        })
    }

    /// Whether the journal ends here according to its head.
    #[must_use]
    pub fn is_end(self, head: &Head) -> bool {
        self.seq == head.seq && self.hash == head.hash
    }
}

/// Decodes an entry. `None` unless the item is byte for byte what a commit stores under this key.
fn entry(scope: Scope, seq: u64, item: &Item) -> Option<JournalEntry> {
    let stored = Record::<JournalEntry>::decode(item).ok()?;
    let entry = stored.body;
    let (at, actor) = (entry.at, entry.actor);
    let written = Record::new(Sequence(seq), entry, stored.clock, at, actor);
    let in_place = written.body.scope == scope
        && written.body.seq == seq
        && written.key() == item.key
        && written.encode().body == item.body;
    in_place.then_some(written.body)
}

/// The result of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The number of valid entries found.
    pub entries: u64,
    /// The last valid position.
    pub good: Link,
    /// The number of the first entry that is damaged, missing, out of order or different from the
    /// head.
    pub first_invalid: Option<u64>,
}

/// Verifies consecutive entries from a known good position up to the head. `more` states that
/// further entries follow these. Without it, the last entry must be the one that the head names.
///
/// Entries beyond the head were written after the head was read. The next verification covers them.
#[must_use]
pub fn verify(scope: Scope, from: Link, items: &[Item], more: bool, head: &Head) -> Verdict {
    let mut good = from;
    for item in items {
        if good.seq >= head.seq {
            break;
        }
        match good.next(scope, item) {
            Some(next) => good = next,
            None => return verdict(from, good, Some(good.seq.saturating_add(1))),
        }
    }
    let first_invalid = if good.is_end(head) || (more && good.seq < head.seq) {
        None
    } else {
        // Either entries are missing at the end, or the last entry differs from the head.
        Some(good.seq.saturating_add(1).min(head.seq))
    };
    verdict(from, good, first_invalid)
}

fn verdict(from: Link, good: Link, first_invalid: Option<u64>) -> Verdict {
    Verdict {
        entries: good.seq.saturating_sub(from.seq),
        good,
        first_invalid,
    }
}

#[cfg(test)]
mod tests {
    use alloc::{string::String, vec::Vec};

    use super::*;
    use crate::{
        storage::{Range, Sort},
        testing::Fixture,
        value::AccountId,
    };

    /// The journal of an account with this many teams, and the head of the journal.
    fn journal(teams: usize) -> (Scope, Vec<Item>, Head) {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let account = fixture.account(&ana);
        for _ in 0..teams {
            fixture.team(&ana, &account);
        }
        let scope = Scope::Account(account.parse::<AccountId>().unwrap());
        let entries = fixture.store.scan(&Range::all(scope, Sort::JOURNAL)).items;
        let head: Record<Head> = fixture.record(&scope.key(Sort::head())).unwrap();
        (scope, entries, head.body)
    }

    fn first_invalid(scope: Scope, items: &[Item], head: &Head) -> Option<u64> {
        verify(scope, Link::genesis(), items, false, head).first_invalid
    }

    #[test]
    fn intact_journal_verifies_whole_and_in_parts() {
        let (scope, entries, head) = journal(4);
        let whole = verify(scope, Link::genesis(), &entries, false, &head);
        assert_eq!((whole.entries, whole.first_invalid), (5, None));
        let first = verify(scope, Link::genesis(), &entries[..2], true, &head);
        assert_eq!((first.entries, first.first_invalid), (2, None));
        let rest = verify(scope, first.good, &entries[2..], false, &head);
        assert_eq!((rest.entries, rest.first_invalid), (3, None));
        assert!(rest.good.is_end(&head));
    }

    #[test]
    fn case_65_flipped_bit_in_any_byte_is_found() {
        let (scope, entries, head) = journal(2);
        let target = entries[1].body.clone();
        for position in 0..target.len() {
            // Flip one of the lower seven bits: the eighth would break the UTF-8 encoding.
            let bit = position % 7;
            let mut bytes = target.clone().into_bytes();
            bytes[position] ^= 1 << bit;
            let mut flipped = entries.clone();
            flipped[1].body = String::from_utf8(bytes).unwrap();
            let found = first_invalid(scope, &flipped, &head);
            assert_eq!(found, Some(2), "bit {bit} of byte {position}");
        }
    }

    #[test]
    fn case_65_dropped_swapped_or_repeated_entry_is_found() {
        let (scope, entries, head) = journal(4);
        for position in 0..entries.len() {
            let expected = Some(position as u64 + 1);
            let mut dropped = entries.clone();
            dropped.remove(position);
            assert_eq!(first_invalid(scope, &dropped, &head), expected);
            let mut repeated = entries.clone();
            repeated.insert(position, entries[position].clone());
            if position + 1 < entries.len() {
                let found = first_invalid(scope, &repeated, &head);
                assert_eq!(found, expected.map(|seq| seq + 1));
                let mut swapped = entries.clone();
                swapped.swap(position, position + 1);
                assert_eq!(first_invalid(scope, &swapped, &head), expected);
            }
        }
    }

    #[test]
    fn case_65_rewritten_entry_with_valid_checksum_is_found() {
        let (scope, entries, head) = journal(3);
        let mut record = Record::<JournalEntry>::decode(&entries[1]).unwrap();
        record.body.changes.clear();
        let by = record.created_by;
        let forged = Record::new(record.id, record.body, record.clock, record.created_at, by);
        let mut items = entries.clone();
        items[1] = forged.encode();
        assert_eq!(first_invalid(scope, &items, &head), Some(3));
        // The last entry has no successor, so only the head reveals the change.
        let mut record = Record::<JournalEntry>::decode(&entries[3]).unwrap();
        record.body.changes.clear();
        let forged = Record::new(record.id, record.body, record.clock, record.created_at, by);
        let mut items = entries.clone();
        items[3] = forged.encode();
        assert_eq!(first_invalid(scope, &items, &head), Some(4));
    }

    #[test]
    fn entries_of_another_scope_are_invalid() {
        let (scope, entries, head) = journal(1);
        let mut fixture = Fixture::new();
        let ben = fixture.person("ben");
        let other = Scope::User(ben.actor.user);
        let foreign = fixture.store.scan(&Range::all(other, Sort::JOURNAL)).items;
        let mut mixed = entries.clone();
        mixed[0] = foreign[0].clone();
        assert_eq!(first_invalid(scope, &mixed, &head), Some(1));
    }

    #[test]
    fn entries_beyond_the_head_are_not_verified() {
        let (scope, entries, _) = journal(3);
        let entry = Record::<JournalEntry>::decode(&entries[1]).unwrap().body;
        let head = Head {
            scope,
            surface: entry.surface,
            seq: 2,
            hash: entry.hash(),
            at: entry.at,
            usage: None,
            counting: None,
            counted_at: None,
            projects: None,
        };
        let verdict = verify(scope, Link::genesis(), &entries, false, &head);
        assert_eq!((verdict.entries, verdict.first_invalid), (2, None));
    }
}
