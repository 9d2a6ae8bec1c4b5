//! Which surface a command speaks to, and as whom.

use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr};

use clap::Args;
use reqwest::Url;
use wm_core::value::Email;

use crate::{
    client::Client,
    commands::{DATA, token},
    failure::Failure,
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
    server: Server,
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
        if self.server.url.scheme() == "http" && !self.server.is_loopback() {
            notice(format!(
                "warning: `{}` is not encrypted; everybody on the way can read your token",
                self.server
            ));
        }
        let token = match (self.token, self.email) {
            // Who is named on the command line wins over a token in the environment.
            (_, Some(email)) => Token::Minted(self.data, email),
            (Some(token), None) => Token::Given(token),
            (None, None) => {
                return Err(Failure::usage(
                    "there is no token: set `WM_TOKEN` to what `wm token` prints, or say who you are with `--email`",
                ));
            }
        };
        Client::new(self.server, token)
    }
}

/// What proves who calls.
#[derive(Clone)]
pub(crate) enum Token {
    /// A token from elsewhere.
    Given(String),
    /// The local surface's issuer in this data directory makes one for this person.
    Minted(PathBuf, Email),
}

impl fmt::Debug for Token {
    /// Without the token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Given(_) => "Given",
            Self::Minted(..) => "Minted",
        })
    }
}

impl Token {
    /// The token now. One that is made here never expires, however long an upload takes.
    pub(crate) fn text(&self) -> Result<String, Failure> {
        match self {
            Self::Given(text) => Ok(text.clone()),
            Self::Minted(data, email) => token::mint(data, email, None),
        }
    }
}

/// The address of a surface: `http` or `https`, without user, query or fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    url: Url,
}

impl Server {
    /// The address of a path, which begins with `/`.
    pub(crate) fn address(&self, path: &str) -> String {
        format!("{self}{path}")
    }

    /// Whether it is this machine, reached without leaving it.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }
}

impl fmt::Display for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

impl FromStr for Server {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url: Url = text.parse().map_err(|error| {
            format!("must be an address such as `https://api.example.com`: {error}")
        })?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if plain {
            Ok(Self { url })
        } else {
            Err("must be an `http` or `https` address without user, query or fragment".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_where_this_machine_ends() {
        for (text, loopback) in [
            ("http://127.0.0.1:7878/", true),
            ("http://[::1]:7878", true),
            ("http://localhost", true),
            ("https://127.0.0.1.example.com", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(
                text.parse::<Server>().unwrap().is_loopback(),
                loopback,
                "{text}"
            );
        }
    }

    #[test]
    fn takes_plain_addresses_only() {
        let server: Server = "https://api.example.com/base/".parse().unwrap();
        assert_eq!(
            server.address("/v1/session"),
            "https://api.example.com/base/v1/session"
        );
        for text in [
            "",
            "api.example.com",
            "ftp://x",
            "https://ana:pw@x",
            "https://x?y",
            "https://x#y",
        ] {
            assert!(text.parse::<Server>().is_err(), "{text}");
        }
    }
}
