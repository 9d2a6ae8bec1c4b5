//! Journals of accounts and projects, and their verification.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use wm_core::{
    record::Author,
    value::{AccountId, ProjectId, RequestId, Sha256, Timestamp},
};

use super::{Page, page_path};
use crate::{client::Client, error::ApiError, request::Request};

/// Selects a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalRef {
    /// The journal of an account.
    Account(AccountId),
    /// The journal of a project.
    Project(ProjectId),
}

impl JournalRef {
    fn path(self) -> String {
        match self {
            Self::Account(account) => format!("/v1/accounts/{account}/journal"),
            Self::Project(project) => format!("/v1/projects/{project}/journal"),
        }
    }
}

/// An entry of a journal: one commit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct JournalEntry {
    /// The number, starting at 1 and without a gap.
    pub seq: u64,
    /// The time of the commit.
    pub at: Timestamp,
    pub actor: Author,
    /// The request that caused the commit.
    pub request_id: RequestId,
    /// The event type, such as `project.created`. It is a text, so that a later version of the API
    /// can add types.
    pub event: String,
    /// The changed records.
    pub changes: Vec<JournalChange>,
    /// The hash of this entry.
    pub hash: Sha256,
    /// The hash of the previous entry. Zeros for the first entry.
    pub previous: Sha256,
}

/// A changed record in an entry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct JournalChange {
    /// The sort key of the record.
    pub key: String,
    /// The family of the record.
    pub family: String,
    /// The id of the record.
    pub id: String,
    /// The version after the change.
    pub version: u64,
    /// The checksum after the change.
    pub checksum: Sha256,
    /// Whether the record is marked as deleted.
    pub deleted: bool,
}

/// The result of verifying a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// The number of valid entries.
    pub entries: u64,
    /// Whether all entries are valid.
    pub valid: bool,
    /// The number of the first invalid entry. `None` if the end of the journal is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_invalid: Option<u64>,
    #[serde(default, skip_serializing)]
    next_cursor: Option<String>,
}

impl Client {
    /// A request for at most `limit` entries after the entry `after`. Its answer is a [`Page`].
    /// Callers choose the type of the rows: [`JournalEntry`], or [`serde_json::Value`] for entries
    /// as the surface sends them.
    pub fn journal_page(&self, journal: JournalRef, after: u64, limit: u32) -> Request<'_> {
        let request = self.request(Method::GET, journal.path());
        let request = request.query("after", &after.to_string());
        request.query("limit", &limit.to_string())
    }

    /// Lists at most `limit` entries of a journal after the entry `after`, in order.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn journal(
        &self,
        journal: JournalRef,
        after: u64,
        limit: u32,
    ) -> Result<Page<JournalEntry>, ApiError> {
        let answer = self.journal_page(journal, after, limit).send().await?;
        Ok(answer.body)
    }

    /// Verifies a journal from its first to its last entry. This can take several requests.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn verify_journal(&self, journal: JournalRef) -> Result<Verification, ApiError> {
        let path = format!("{}/verification", journal.path());
        let mut verification: Verification = self.get(&path).await?;
        while let Some(cursor) = verification.next_cursor.take() {
            let entries = verification.entries;
            verification = self.get(&page_path(&path, Some(&cursor))).await?;
            verification.entries += entries;
        }
        Ok(verification)
    }
}
