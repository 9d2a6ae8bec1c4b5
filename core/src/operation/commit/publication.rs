//! The writer that marks journal entries as published.

use alloc::{collections::BTreeMap, string::ToString, vec::Vec};

use super::Batch;
use crate::{
    record::{Corrupt, JournalEntry, Record},
    storage::{Condition, IndexKeys, Item, Operation, Scope},
    value::CommitId,
};

/// Removes published journal entries from the index of unfinished work.
///
/// It needs no permit, because it cannot change an entry. The entry determines its whole item except
/// for the index rows, and the ETag in the condition follows from the entry. So a write either
/// removes the index row of the entry that is stored, or fails.
#[derive(Debug, Default)]
pub struct PublicationWriter {
    entries: BTreeMap<Scope, Vec<Operation>>,
}

impl PublicationWriter {
    /// Adds a published entry, as read.
    ///
    /// # Errors
    /// [`Corrupt`] for an item that is not the journal entry of its key.
    pub fn add(&mut self, item: &Item) -> Result<(), Corrupt> {
        let decoded = Record::<JournalEntry>::decode(item)?;
        let record = decoded.body.into_record();
        if record.key() != item.key || record.etag() != item.etag {
            let what = "it is not the journal entry of its key";
            return Err(Corrupt::Damaged(item.key.to_string(), what));
        }
        let published = record.encode_at(record.key(), IndexKeys::default());
        let condition = Condition::Matches(record.etag());
        let operations = self.entries.entry(item.key.scope).or_default();
        operations.push(Operation::Put(published, condition));
        Ok(())
    }

    /// The batches to commit, each as large as a commit may be. Each gets a new id.
    pub fn batches(self, commit_id: impl FnMut() -> CommitId) -> Vec<Batch> {
        Batch::split(self.entries, commit_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{Author, Clock},
        storage::Sort,
        testing::Fixture,
        value::{Timestamp, UserId, id::Id},
    };

    /// The journal entries of a project, as stored.
    fn entries() -> Vec<Item> {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let account = fixture.account(&ana);
        fixture.project(&ana, &account);
        let mut items = fixture.dump();
        items.retain(|item| item.key.sort.is_journal());
        items
    }

    /// The items that the writer stores for this one.
    fn published(item: &Item) -> Result<Vec<Item>, Corrupt> {
        let mut writer = PublicationWriter::default();
        writer.add(item)?;
        let batches = writer.batches(|| CommitId::from_ulid(ulid::Ulid::nil()));
        let stored = batches.iter().flat_map(Batch::stored);
        Ok(stored.cloned().collect())
    }

    #[test]
    fn publication_removes_index_rows_only() {
        let entries = entries();
        assert!(entries.len() > 2);
        for entry in entries {
            assert_ne!(entry.index, IndexKeys::default());
            let expected = Item {
                index: IndexKeys::default(),
                ..entry.clone()
            };
            assert_eq!(published(&entry), Ok([expected].to_vec()));
        }
    }

    #[test]
    fn publication_is_conditional_on_the_entry() {
        let entry = &entries()[0];
        let mut writer = PublicationWriter::default();
        writer.add(entry).unwrap();
        let batches = writer.batches(|| CommitId::from_ulid(ulid::Ulid::nil()));
        for operation in batches[0].operations() {
            let Operation::Put(item, condition) = operation else {
                panic!("{operation:?}");
            };
            assert_eq!(item.key, entry.key);
            assert_eq!(*condition, Condition::Matches(entry.etag.clone()));
        }
    }

    #[test]
    fn publication_refuses_records_of_other_families() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        fixture.account(&ana);
        for item in fixture.dump() {
            let allowed = item.key.sort.is_journal();
            assert_eq!(published(&item).is_ok(), allowed, "{}", item.key);
        }
    }

    #[test]
    fn publication_refuses_an_entry_under_another_key() {
        let entry = entries().remove(0);
        let surface = Record::<JournalEntry>::decode(&entry).unwrap().body.surface;
        let user = Scope::User(UserId::from_ulid(ulid::Ulid::nil()));
        for key in [
            entry.key.scope.key(Sort::head()),
            entry.key.scope.key(Sort::journal(surface, 99)),
            user.key(entry.key.sort.clone()),
        ] {
            let moved = Item {
                key,
                ..entry.clone()
            };
            assert!(published(&moved).is_err(), "{}", moved.key);
        }
    }

    #[test]
    fn publication_refuses_a_changed_entry() {
        let entry = entries().remove(0);
        let stored = Record::<JournalEntry>::decode(&entry).unwrap();
        let mut damaged = entry.clone();
        damaged.body = damaged.body.replace("created", "updated");
        assert!(published(&damaged).is_err());
        // A new clock gives the entry another ETag than that of the stored entry.
        let clock = Clock::default()
            .advanced(stored.body.surface)
            .advanced(stored.body.surface);
        let other = stored.next(
            stored.body.clone(),
            false,
            clock,
            stored.body.at,
            Author::System,
        );
        assert!(published(&other.encode()).is_err());
    }

    #[test]
    fn publication_ignores_forged_times_and_authors() {
        let entry = entries().remove(0);
        let stored = Record::<JournalEntry>::decode(&entry).unwrap();
        let forged = Record {
            created_by: Author::System,
            updated_at: Timestamp::from_millis(7),
            ..stored
        };
        let written = published(&forged.encode()).unwrap().remove(0);
        assert_eq!(written.body, entry.body);
    }
}
