//! `wm session`

use clap::Args;
use serde_json::Value;
use wm_client::api::session::{Session as Answer, User};

use crate::{
    connection::Connection,
    explain::Explained,
    failure::Failure,
    output::{line, plain, table},
};

const EXAMPLES: &str = "\
Examples:
  wm session
  wm session --json | jq -r '.projects[].id'";

/// Print your profile, accounts, teams and projects
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Session {
    /// Print the answer of the surface as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Session {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let client = self.connection.client()?;
        if self.json {
            let session: Value = client.get("/v1/session").await.explained()?;
            return line(session.to_string());
        }
        let session = client.session(None).await.explained()?;
        let User { id, name, email } = &session.user;
        let (name, email) = (text(name.as_ref()), text(email.as_ref()));
        line(format!("You are {id} {name} {email}").trim_end())?;
        table("Accounts", &accounts(&session))?;
        table("Teams", &teams(&session))?;
        table("Projects", &projects(&session))?;
        if session.accounts_next_cursor.is_some() || session.projects_next_cursor.is_some() {
            line("There is more. `--json` shows the cursor of the next page.")?;
        }
        Ok(())
    }
}

/// Id, name and role.
type Row = [String; 3];

fn accounts(session: &Answer) -> Vec<Row> {
    let rows = session.accounts.iter();
    rows.map(|account| {
        let role = text(account.role.as_ref());
        [account.id.to_string(), text(Some(&account.name)), role]
    })
    .collect()
}

fn teams(session: &Answer) -> Vec<Row> {
    let rows = session.teams.iter();
    rows.map(|team| {
        let role = team.role.to_string();
        [team.id.to_string(), text(team.name.as_ref()), role]
    })
    .collect()
}

fn projects(session: &Answer) -> Vec<Row> {
    let rows = session.projects.iter();
    rows.map(|project| {
        let role = text(project.role.as_ref());
        [project.id.to_string(), text(Some(&project.name)), role]
    })
    .collect()
}

fn text(value: Option<&impl ToString>) -> String {
    plain(&value.map(ToString::to_string).unwrap_or_default())
}
