//! The journal of an account or a project, as an audit trail.

mod list;
mod locate;
mod verify;

use alloc::{vec, vec::Vec};

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    operation::{
        Context, Facts, Parsed, Problem, ReadRequest, Route,
        authority::{AccountRecords, ProjectRecords, head_key},
    },
    record::{Author, Change, EventType, Head, JournalEntry, Record},
    storage::Scope,
    value::{AccountId, Capability, ProjectId, RequestId, Sha256, Timestamp},
};

pub(super) const ROUTES: &[&Route] = &[
    &list::ACCOUNT,
    &list::PROJECT,
    &verify::ACCOUNT,
    &verify::PROJECT,
];

const EXAMPLE: &str = r#"{
  "seq": 1,
  "at": "2026-03-02T09:30:00.000Z",
  "actor": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "request_id": "req_01kykfv25xyfed8016wz7yaxfs",
  "event": "team.created",
  "changes": [{
    "key": "TEAM#team_01kyqpgqqqx8rvd1jn7f9wsczf",
    "family": "team",
    "id": "team_01kyqpgqqqx8rvd1jn7f9wsczf",
    "version": 1,
    "checksum": "ca8b22d0db83a22db163b560b3e4e51527e533d31d067b614a0c33c4d2df8432",
    "deleted": false
  }],
  "hash": "923fe53966c6cd9343e11af776cd4b05be315ea4b200b02e4d5dfb0f929b73bf",
  "previous": "0000000000000000000000000000000000000000000000000000000000000000"
}"#;

/// An entry of a journal: one commit.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "JournalEntry")]
pub(crate) struct EntryView {
    /// The number of the entry, from 1.
    seq: u64,
    /// When the commit was made.
    at: Timestamp,
    /// The person who made it, or `system`.
    actor: Author,
    /// The request that caused it.
    request_id: RequestId,
    /// What happened.
    event: EventType,
    /// The records that changed.
    changes: Vec<Change>,
    /// The hash of this entry.
    hash: Sha256,
    /// The hash of the entry before; zeros for the first one.
    previous: Sha256,
}

impl From<&JournalEntry> for EntryView {
    fn from(entry: &JournalEntry) -> Self {
        Self {
            seq: entry.seq,
            at: entry.at,
            actor: entry.actor,
            request_id: entry.request_id,
            event: entry.event,
            changes: entry.changes.clone(),
            hash: entry.hash(),
            previous: entry.previous,
        }
    }
}

/// The owner of a journal.
#[derive(Debug, Clone, Copy)]
enum JournalOwner {
    Account(AccountId),
    Project(ProjectId),
}

impl JournalOwner {
    fn account(request: &Parsed<'_>) -> Result<Self, Problem> {
        request.path("account").map(Self::Account)
    }

    fn project(request: &Parsed<'_>) -> Result<Self, Problem> {
        request.path("project").map(Self::Project)
    }

    fn scope(self) -> Scope {
        match self {
            Self::Account(account) => Scope::Account(account),
            Self::Project(project) => Scope::Project(project),
        }
    }

    /// The reads for the caller's access and the head.
    fn reads(self, context: &Context<'_>) -> Vec<ReadRequest> {
        let mut reads = vec![ReadRequest::Get(head_key(self.scope()))];
        reads.extend(match self {
            Self::Account(account) => AccountRecords::reads(account, context.user()),
            Self::Project(project) => ProjectRecords::reads(project, context.user()),
        });
        reads
    }

    /// Checks that the caller may read the journal. Returns its head.
    fn head(self, context: &Context<'_>, facts: &Facts) -> Result<Head, Problem> {
        let user = context.user();
        let audit = Capability::AuditView;
        match self {
            Self::Account(account) => {
                let records = AccountRecords::load(facts, account, user)?;
                records.access().permit(account, audit)?;
            }
            Self::Project(project) => {
                let records = ProjectRecords::load(facts, project, user)?;
                records.access(context.env.now).check(audit)?;
            }
        }
        let head: Option<Record<Head>> = facts.record(&head_key(self.scope()))?;
        head.map(|head| head.body)
            .ok_or_else(|| Problem::internal("a scope in use has no head"))
    }
}
