//! The URL of a surface.

use std::{fmt, net::IpAddr, str::FromStr};

use reqwest::Url;
use thiserror::Error;

/// The base URL of a surface: `http` or `https`, without user, query or fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl {
    url: Url,
}

/// The reason why a text is not a [`ServerUrl`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct InvalidServerUrl(String);

impl ServerUrl {
    /// The URL of this path. The path begins with `/`.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{self}{path}")
    }

    /// Whether the URL names the loopback interface of this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }

    /// Whether the URL uses TLS.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.url.scheme() == "https"
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

impl FromStr for ServerUrl {
    type Err = InvalidServerUrl;

    fn from_str(text: &str) -> Result<Self, InvalidServerUrl> {
        let url: Url = text.parse().map_err(|error| {
            InvalidServerUrl(format!(
                "must be a URL such as `https://api.example.com`: {error}"
            ))
        })?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if plain {
            Ok(Self { url })
        } else {
            Err(InvalidServerUrl(
                "must be an `http` or `https` URL without user, query or fragment".into(),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_url_knows_loopback_hosts() {
        for (text, loopback) in [
            ("http://127.0.0.1:7878/", true),
            ("http://[::1]:7878", true),
            ("http://localhost", true),
            ("https://127.0.0.1.example.com", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(
                text.parse::<ServerUrl>().unwrap().is_loopback(),
                loopback,
                "{text}"
            );
        }
    }

    #[test]
    fn server_url_takes_plain_urls_only() {
        let server: ServerUrl = "https://api.example.com/base/".parse().unwrap();
        assert_eq!(
            server.join("/v1/session"),
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
            assert!(text.parse::<ServerUrl>().is_err(), "{text}");
        }
    }
}
