//! `wm token`

use std::path::PathBuf;

use clap::Args;
use wm_core::value::{Email, Name};
use wm_local::data_directory::Layout;

use crate::{
    failure::Failure,
    issuer::{DATA, mint},
    output::{line, notice},
};

const EXAMPLES: &str = "\
Examples:
  wm token --email ana@example.com
  export WM_TOKEN=$(wm token --email ana@example.com --name Ana)
  curl -H \"authorization: Bearer $WM_TOKEN\" http://127.0.0.1:7878/v1/session

The issuer does not verify identities. Every user who can read the data directory can create a
token for any person. No other surface accepts these tokens.";

/// Print an access token of the local surface's own issuer
///
/// The node does not have to run. One e-mail address always gives the same person. The standard
/// output contains only the token.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Token {
    /// The e-mail address of the person
    #[arg(long, value_name = "ADDRESS")]
    email: Email,
    /// The name of the person
    #[arg(long)]
    name: Option<Name>,
    /// The data directory of the node
    #[arg(long, value_name = "DIR", default_value = DATA)]
    data: PathBuf,
}

impl Token {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let key = Layout::new(&self.data).issuer_key();
        let is_new = !key.exists();
        let token = mint(&self.data, &self.email, self.name.as_ref())?;
        if is_new {
            notice(format!("created the issuer's key `{}`", key.display()));
        }
        line(token)
    }
}
