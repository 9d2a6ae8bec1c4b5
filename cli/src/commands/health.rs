//! `wm health`

use clap::Args;
use wm_client::{
    Client,
    api::health::{Health as Answer, Layout},
};

use crate::{
    connection::Server,
    explain::Explained,
    failure::Failure,
    output::{line, plain},
};

const EXAMPLES: &str = "\
Examples:
  wm health
  wm health --server https://api.example.com

Exits with 1 if the surface is not ready. Needs no token.";

/// Show whether a surface is ready, and how far an update of its data is
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Health {
    /// Print the answer of the surface as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

impl Health {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let client = self.server.client()?;
        let health = client.health().await.explained()?;
        if self.json {
            line(serde_json::to_string(&health).unwrap_or_default())?;
        } else {
            print(&client, &health)?;
        }
        if health.is_ready() {
            Ok(())
        } else {
            Err(Failure::reported(1))
        }
    }
}

fn print(client: &Client, health: &Answer) -> Result<(), Failure> {
    line(format!("{}: {}", client.server(), plain(&health.status)))?;
    for (dependency, state) in &health.dependencies {
        line(format!("{}: {}", plain(dependency), plain(state)))?;
    }
    match &health.layout {
        Some(layout) => line(format!("data: {}", describe(layout))),
        None => Ok(()),
    }
}

fn describe(layout: &Layout) -> String {
    let number = layout.number.unwrap_or_default();
    match layout.status.as_str() {
        "current" => format!("layout {number}"),
        "waiting" => "will be brought to the layout of this release by the next sweep".into(),
        "updating" => format!(
            "is being brought to layout {number}: {} index rows moved, {} scopes visited so far",
            layout.rows.unwrap_or_default(),
            layout.scopes.unwrap_or_default()
        ),
        "refused" => "is not served; the log of the surface says why".into(),
        other => format!("layout {}", plain(other)),
    }
}
