//! `wm journal`

use clap::Args;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use wm_client::{
    Client,
    api::{
        Page,
        journal::{JournalEntry, JournalRef, Verification},
    },
};
use wm_core::value::{AccountId, ProjectId};

use crate::{
    connection::Connection,
    explain::Explained,
    failure::Failure,
    output::{line, plain},
};

/// The number of entries per request.
const PAGE: u32 = 200;

const EXAMPLES: &str = "\
Examples:
  wm journal --project prj_…
  wm journal --account acc_… --verify
  wm journal --project prj_… --json | jq .event";

/// Print the journal of a project or an account, or verify it
///
/// Every change is an entry, and every entry contains the hash of the entry before it. Verification
/// finds altered and missing entries.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Journal {
    #[command(flatten)]
    scope: Scope,
    /// Verify the chain of hashes instead of printing entries; exit code 1 if it is broken
    #[arg(long)]
    verify: bool,
    /// Print each entry as one line of JSON, as the surface sends it
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Scope {
    /// The project of the journal
    #[arg(long, value_name = "ID")]
    project: Option<ProjectId>,
    /// The account of the journal
    #[arg(long, value_name = "ID")]
    account: Option<AccountId>,
}

impl Scope {
    fn journal(&self) -> Result<JournalRef, Failure> {
        let project = self.project.map(JournalRef::Project);
        let journal = project.or(self.account.map(JournalRef::Account));
        journal.ok_or_else(|| Failure::usage("name a journal with `--project` or `--account`"))
    }
}

impl Journal {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let journal = self.scope.journal()?;
        let client = self.connection.client()?;
        if self.verify {
            let verification = client.verify_journal(journal).await.explained()?;
            return report(&verification, self.json);
        }
        if self.json {
            let sequence = |entry: &Value| entry.get("seq").and_then(Value::as_u64);
            print(&client, journal, sequence, Value::to_string).await
        } else {
            print(&client, journal, |entry| Some(entry.seq), summary).await
        }
    }
}

/// Prints each entry on one line. `E` is the type of the entries.
async fn print<E: DeserializeOwned>(
    client: &Client,
    journal: JournalRef,
    sequence: fn(&E) -> Option<u64>,
    text: fn(&E) -> String,
) -> Result<(), Failure> {
    let mut after = 0;
    loop {
        let request = client.journal_page(journal, after, PAGE);
        let page: Page<E> = request.send().await.explained()?.body;
        for entry in &page.items {
            line(text(entry))?;
        }
        match page.items.last().and_then(sequence) {
            Some(last) if last > after => after = last,
            _ => return Ok(()),
        }
    }
}

fn report(verification: &Verification, json: bool) -> Result<(), Failure> {
    if json {
        line(json!(verification).to_string())?;
    }
    let entries = verification.entries;
    match (verification.valid, verification.first_invalid) {
        (true, _) if json => Ok(()),
        (true, _) => line(format!(
            "the journal is valid: {entries} entries in an unbroken hash chain"
        )),
        (false, first) => {
            let first = first.map_or_else(|| "its end".into(), |first| format!("entry {first}"));
            Err(Failure::new(format!(
                "the journal is broken at {first}; restore a backup whose journal is valid"
            )))
        }
    }
}

/// Number, time, event, actor.
fn summary(entry: &JournalEntry) -> String {
    let JournalEntry { seq, at, actor, .. } = entry;
    format!("{seq:>6}  {at}  {:<28}  {actor}", plain(&entry.event))
}
