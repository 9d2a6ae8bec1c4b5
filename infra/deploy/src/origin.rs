//! The origin of a web page.

use std::{fmt, str::FromStr};

/// Scheme, host and, if it is not the default of the scheme, a port. It has no path and no trailing
/// slash. A host may begin with `*.`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let scheme = ["https://", "http://"];
        let rest = scheme.iter().find_map(|scheme| text.strip_prefix(scheme));
        let fits = |rest: &str| {
            let (host, port) = rest.split_once(':').unwrap_or((rest, "443"));
            let name = host.strip_prefix("*.").unwrap_or(host);
            let in_name = |byte: u8| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte)
            };
            !name.is_empty() && name.bytes().all(in_name) && port.parse::<u16>().is_ok()
        };
        match rest {
            Some(rest) if fits(rest) => Ok(Self(text.to_owned())),
            _ => Err(
                "an origin has a scheme and a host, without a path, such as `https://app.example.com`"
                    .to_owned(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_has_no_path() {
        for text in [
            "https://app.example.com",
            "http://localhost:5173",
            "https://*.example.com",
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().to_string(), text);
        }
        for text in [
            "*",
            "app.example.com",
            "https://app.example.com/",
            "https://",
            "https://a b",
            "https://*",
            "ftp://a",
            "https://App.example.com",
            "https://a:x",
            "https://a,b",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }
}
