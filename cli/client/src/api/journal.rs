//! Journals of accounts and projects, and their verification.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use wm_core::{
    record::Author,
    value::{AccountId, ProjectId, RequestId, Sha256, Timestamp},
};

use super::{Page, page_path};
use crate::{client::Client, error::ApiError, request::Request};

/// Names a journal.
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
pub struct JournalEntry {
    /// The number, from 1 and without a gap.
    pub seq: u64,
    /// When it was committed.
    pub at: Timestamp,
    /// By whom.
    pub actor: Author,
    /// In which request.
    pub request_id: RequestId,
    /// The event type, such as `project.created`. A text, so that a later version of the API can add types.
    pub event: String,
    /// The changed records.
    pub changes: Vec<JournalChange>,
    /// The hash of this entry.
    pub hash: Sha256,
    /// The hash of the entry before; zeros for the first one.
    pub previous: Sha256,
}

/// A changed record in an entry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct JournalChange {
    /// The sort key.
    pub key: String,
    /// The family of records.
    pub family: String,
    /// The id.
    pub id: String,
    /// The version after the change.
    pub version: u64,
    /// The checksum after the change.
    pub checksum: Sha256,
    /// Whether the record is marked deleted.
    pub deleted: bool,
}

/// The outcome of verifying a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// How many entries are valid.
    pub entries: u64,
    /// Whether all are.
    pub valid: bool,
    /// The first that is not; `None` if the end of the journal is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_invalid: Option<u64>,
    #[serde(default, skip_serializing)]
    next_cursor: Option<String>,
}

impl Client {
    /// A request for at most `limit` entries behind the entry `after`; its answer is a [`Page`]. Callers choose
    /// the type of the rows: [`JournalEntry`], or [`serde_json::Value`] for entries as the surface sends them.
    pub fn journal_page(&self, journal: JournalRef, after: u64, limit: u32) -> Request<'_> {
        let request = self.request(Method::GET, journal.path());
        let request = request.query("after", &after.to_string());
        request.query("limit", &limit.to_string())
    }

    /// Lists at most `limit` entries of a journal behind the entry `after`, in order.
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

    /// Verifies a journal from its first entry to its last, in as many requests as that takes.
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
