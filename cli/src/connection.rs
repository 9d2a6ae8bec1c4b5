//! The surface that a command calls, and the caller.

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

/// The surface.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Server {
    /// The URL of the surface
    #[arg(
        long,
        env = "WM_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:7878"
    )]
    server: ServerUrl,
}

impl Server {
    /// A client for requests that need no token.
    pub(crate) fn client(self) -> Result<Client, Failure> {
        Client::new(self.server, BearerToken::new("")).explained()
    }
}

/// The surface and the token.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    #[command(flatten)]
    server: Server,
    /// The access token. Prefer `WM_TOKEN`, which `ps` of other users does not show
    #[arg(long, env = "WM_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Option<String>,
    /// Sign in with this e-mail address at the local surface's own issuer, instead of sending a
    /// token
    #[arg(long, value_name = "ADDRESS")]
    email: Option<Email>,
    /// The data directory of the local surface, for `--email`
    #[arg(long, value_name = "DIR", default_value = DATA)]
    data: PathBuf,
}

impl Connection {
    pub(crate) fn client(self) -> Result<Client, Failure> {
        let Server { server } = self.server;
        if !server.is_encrypted() && !server.is_loopback() {
            notice(format!(
                "warning: `{server}` is not encrypted; others on the network can read your token"
            ));
        }
        let client = match (self.token, self.email) {
            // `--email` on the command line takes precedence over a token in the environment.
            (_, Some(email)) => {
                let data = self.data;
                Client::new(server, LocalIssuer { data, email })
            }
            (Some(token), None) => Client::new(server, BearerToken::new(token)),
            (None, None) => {
                return Err(Failure::usage(
                    "there is no token: set `WM_TOKEN` to the output of `wm token`, or name yourself with `--email`",
                ));
            }
        };
        client.explained()
    }
}

/// Creates a token for every request, so that no token expires during a long upload.
struct LocalIssuer {
    data: PathBuf,
    email: Email,
}

impl TokenSource for LocalIssuer {
    fn token(&self) -> Result<BearerToken, TokenError> {
        Ok(BearerToken::new(mint(&self.data, &self.email, None)?))
    }
}
