//! The surface a command calls, and the caller.

use std::path::PathBuf;

use clap::Args;
use wm_client::{BearerToken, Client, ServerUrl, TokenError, TokenSource};
use wm_core::value::Email;

use crate::{
    explain::Explained,
    failure::Failure,
    issuer::{DATA, mint},
    output::notice,
};

/// The surface, and the token to use there.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// The surface to speak to
    #[arg(
        long,
        env = "WM_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:7878"
    )]
    server: ServerUrl,
    /// The access token to use; better given as WM_TOKEN, which other people's `ps` does not show
    #[arg(long, env = "WM_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Option<String>,
    /// Sign in as this person at the local surface's own issuer instead of sending a token
    #[arg(long, value_name = "ADDRESS")]
    email: Option<Email>,
    /// The data directory of the local surface, for `--email`
    #[arg(long, value_name = "DIR", default_value = DATA)]
    data: PathBuf,
}

impl Connection {
    /// A client for this connection.
    pub(crate) fn client(self) -> Result<Client, Failure> {
        if !self.server.is_encrypted() && !self.server.is_loopback() {
            notice(format!(
                "warning: `{}` is not encrypted; everybody on the way can read your token",
                self.server
            ));
        }
        let client = match (self.token, self.email) {
            // `--email` on the command line wins over a token in the environment.
            (_, Some(email)) => {
                let data = self.data;
                Client::new(self.server, LocalIssuer { data, email })
            }
            (Some(token), None) => Client::new(self.server, BearerToken::new(token)),
            (None, None) => {
                return Err(Failure::usage(
                    "there is no token: set `WM_TOKEN` to what `wm token` prints, or say who you are with `--email`",
                ));
            }
        };
        client.explained()
    }
}

/// Mints a token for every request, so that none expires, however long an upload takes.
struct LocalIssuer {
    data: PathBuf,
    email: Email,
}

impl TokenSource for LocalIssuer {
    fn token(&self) -> Result<BearerToken, TokenError> {
        Ok(BearerToken::new(mint(&self.data, &self.email, None)?))
    }
}
