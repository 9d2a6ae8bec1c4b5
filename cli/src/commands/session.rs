//! `wm session`

use clap::Args;
use serde_json::Value;

use crate::{
    connection::Connection,
    failure::Failure,
    output::{line, plain, table},
};

const EXAMPLES: &str = "\
Examples:
  wm session
  wm session --json | jq -r '.projects[].id'";

/// Print who you are, and the accounts, teams and projects you have
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Session {
    /// Print the answer of the surface as it is
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Session {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let client = self.connection.client()?;
        let session: Value = client.get("/v1/session").await?;
        if self.json {
            return line(session.to_string());
        }
        let user = session.get("user").unwrap_or(&Value::Null);
        let [id, name, email] = ["id", "name", "email"].map(|field| text(user, field));
        line(format!("You are {id} {name} {email}").trim_end())?;
        table(
            "Accounts",
            &rows(&session, "accounts", ["id", "name", "role"]),
        )?;
        table("Teams", &rows(&session, "teams", ["id", "name", "role"]))?;
        table(
            "Projects",
            &rows(&session, "projects", ["id", "name", "role"]),
        )?;
        let goes_on = |cursor: &&str| session.get(*cursor).is_some_and(Value::is_string);
        if ["accounts_next_cursor", "projects_next_cursor"]
            .iter()
            .any(goes_on)
        {
            line("There is more; `--json` shows the cursor that leads on.")?;
        }
        Ok(())
    }
}

fn rows<const N: usize>(session: &Value, list: &str, fields: [&str; N]) -> Vec<[String; N]> {
    let rows = session.get(list).and_then(Value::as_array);
    let rows = rows.into_iter().flatten();
    rows.map(|row| fields.map(|field| text(row, field)))
        .collect()
}

fn text(value: &Value, field: &str) -> String {
    plain(value.get(field).and_then(Value::as_str).unwrap_or_default())
}
