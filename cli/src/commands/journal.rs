//! `wm journal`

use clap::Args;
use serde::Deserialize;
use serde_json::Value;
use wm_core::value::{AccountId, ProjectId};

use crate::{
    client::Client,
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
                let account = account.map(|account| account.to_string()).unwrap_or_default();
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
            return verify(&client, &path, self.json).await;
        }
        let mut after = 0;
        loop {
            let page: Page = client.get(&format!("{path}?after={after}&limit={PAGE}")).await?;
            for entry in &page.items {
                line(if self.json { entry.to_string() } else { summary(entry) })?;
            }
            match page.items.last().and_then(sequence) {
                Some(last) if last > after => after = last,
                _ => return Ok(()),
            }
        }
    }
}

async fn verify(client: &Client, path: &str, json: bool) -> Result<(), Failure> {
    let verification: Value = client.get(&format!("{path}/verification")).await?;
    if json {
        line(verification.to_string())?;
    }
    let number = |field| verification.get(field).and_then(Value::as_u64);
    let valid = verification.get("valid").and_then(Value::as_bool) == Some(true);
    let entries = number("entries").unwrap_or_default();
    match (valid, number("first_invalid")) {
        (true, _) if json => Ok(()),
        (true, _) => line(format!("the journal is whole: {entries} entries, each sealed by the next")),
        (false, Some(first)) => Err(Failure::new(format!(
            "the journal is broken: entry {first} is the first that does not fit; restore a backup from before it"
        ))),
        (false, None) => Err(Failure::new(
            "the journal is broken: its end is missing; restore a backup",
        )),
    }
}

fn sequence(entry: &Value) -> Option<u64> {
    entry.get("seq")?.as_u64()
}

/// Number, time, event, who.
fn summary(entry: &Value) -> String {
    let text = |field: &str| plain(entry.get(field).and_then(Value::as_str).unwrap_or("-"));
    let number = sequence(entry).unwrap_or_default();
    format!("{number:>6}  {}  {:<28}  {}", text("at"), text("event"), text("actor"))
}
