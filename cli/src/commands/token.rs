//! `wm token`

use std::path::{Path, PathBuf};

use clap::Args;
use wm_core::{
    operation::TokenUsage,
    value::{Email, Name},
};
use wm_local::{clock, data_directory::Layout, identity::Issuer};

use super::DATA;
use crate::{
    failure::Failure,
    output::{line, notice},
};

const EXAMPLES: &str = "\
Examples:
  wm token --email ana@example.com
  export WM_TOKEN=$(wm token --email ana@example.com --name Ana)
  curl -H \"authorization: Bearer $WM_TOKEN\" http://127.0.0.1:7878/v1/session

The issuer proves nothing: whoever can read the data directory is whoever they say. No other surface
accepts its tokens.";

/// Print an access token of the local surface's own issuer
///
/// Works whether or not the node runs. The same address is the same person every time. The token
/// goes to the standard output and nothing else does.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Token {
    /// Whose token it is
    #[arg(long, value_name = "ADDRESS")]
    email: Email,
    /// What the person is called
    #[arg(long)]
    name: Option<Name>,
    /// Where the node keeps everything
    #[arg(long, value_name = "DIR", default_value = DATA)]
    data: PathBuf,
}

impl Token {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let key = Layout::new(&self.data).issuer_key();
        let is_new = !key.exists();
        let token = mint(&self.data, &self.email, self.name.as_ref())?;
        if is_new {
            notice(format!("made the issuer's key `{}`", key.display()));
        }
        line(token)
    }
}

/// An access token for this person, of the issuer in this data directory.
pub(crate) fn mint(data: &Path, email: &Email, name: Option<&Name>) -> Result<String, Failure> {
    let layout = Layout::new(data);
    layout.create().map_err(|error| {
        let data = data.display();
        Failure::because(
            format!("`{data}` cannot be used as a data directory; choose another with `--data`"),
            error,
        )
    })?;
    Issuer::open(&layout.issuer_key())
        .and_then(|issuer| issuer.mint(TokenUsage::Access, email, name, clock::now()))
        .map_err(|error| Failure::because("there is no token", error))
}
