//! `wm journal`

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wm_core::value::{AccountId, ProjectId};

use crate::{
    client::{ApiError, Client},
    connection::Connection,
    failure::Failure,
    output::{line, plain},
};

/// How many entries are asked for at a time.
const PAGE: u32 = 200;

const EXAMPLES: &str = "\
Examples:
  wm journal --project prj_…
  wm journal --account acc_… --verify
  wm journal --project prj_… --json | jq .event";

/// Print the journal of a project or an account, or verify it
///
/// Every change is an entry, and every entry holds the hash of the one before it: what was altered
/// or taken out shows.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Journal {
    #[command(flatten)]
    scope: Scope,
    /// Verify the chain of hashes instead of printing entries; exit code 1 if it is broken
    #[arg(long)]
    verify: bool,
    /// Print entries as the surface answers them, one JSON document a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Scope {
    /// The project whose journal it is
    #[arg(long, value_name = "ID")]
    project: Option<ProjectId>,
    /// The account whose journal it is
    #[arg(long, value_name = "ID")]
    account: Option<AccountId>,
}

impl Scope {
    fn path(&self) -> String {
        match (self.project, self.account) {
            (Some(project), _) => format!("/v1/projects/{project}/journal"),
            (None, account) => {
                let account = account
                    .map(|account| account.to_string())
                    .unwrap_or_default();
                format!("/v1/accounts/{account}/journal")
            }
        }
    }
}

#[derive(Debug, Deserialize)]
struct Page {
    items: Vec<Value>,
}

impl Journal {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let path = self.scope.path();
        let client = self.connection.client()?;
        if self.verify {
            return report(&verify(&client, &path).await?, self.json);
        }
        let mut after = 0;
        loop {
            let page: Page = client
                .get(&format!("{path}?after={after}&limit={PAGE}"))
                .await?;
            for entry in &page.items {
                line(if self.json {
                    entry.to_string()
                } else {
                    summary(entry)
                })?;
            }
            match page.items.last().and_then(sequence) {
                Some(last) if last > after => after = last,
                _ => return Ok(()),
            }
        }
    }
}

/// What verifying a journal found.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Verdict {
    /// How many entries are good.
    pub(super) entries: u64,
    /// Whether all are.
    pub(super) valid: bool,
    /// The first that is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) first_invalid: Option<u64>,
    /// Where to go on, when one request was not enough.
    #[serde(default, skip_serializing)]
    next_cursor: Option<String>,
}

/// Verifies the journal at this path from its first entry to its last.
pub(super) async fn verify(client: &Client, path: &str) -> Result<Verdict, ApiError> {
    let path = format!("{path}/verification");
    let mut verdict: Verdict = client.get(&path).await?;
    while let Some(cursor) = verdict.next_cursor.take() {
        let entries = verdict.entries;
        verdict = client.get(&format!("{path}?cursor={cursor}")).await?;
        verdict.entries += entries;
    }
    Ok(verdict)
}

fn report(verdict: &Verdict, json: bool) -> Result<(), Failure> {
    if json {
        line(json!(verdict).to_string())?;
    }
    let entries = verdict.entries;
    match (verdict.valid, verdict.first_invalid) {
        (true, _) if json => Ok(()),
        (true, _) => line(format!(
            "the journal is whole: {entries} entries, each sealed by the next"
        )),
        (false, first) => {
            let first = first.map_or_else(|| "its end".into(), |first| format!("entry {first}"));
            Err(Failure::new(format!(
                "the journal is broken: {first} does not fit; go back to a backup that verifies"
            )))
        }
    }
}

fn sequence(entry: &Value) -> Option<u64> {
    entry.get("seq")?.as_u64()
}

/// Number, time, event, who.
fn summary(entry: &Value) -> String {
    let text = |field: &str| plain(entry.get(field).and_then(Value::as_str).unwrap_or("-"));
    let number = sequence(entry).unwrap_or_default();
    format!(
        "{number:>6}  {}  {:<28}  {}",
        text("at"),
        text("event"),
        text("actor")
    )
}
