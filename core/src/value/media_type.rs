//! Media types.

use alloc::string::String;
use core::{fmt, str::FromStr};

use super::{Invalid, string_value};

/// A media type without parameters (RFC 6838): `type/subtype`, lower case. Each part has at most
/// 127 bytes of the restricted name characters and begins with a letter or a digit.
///
/// Parameters are refused, because the type is copied into a signed header and a response header.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaType(String);

impl MediaType {
    /// `application/octet-stream`: bytes without a known format.
    #[must_use]
    pub fn opaque() -> Self {
        Self("application/octet-stream".into())
    }

    /// The text `type/subtype`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn restricted_name(text: &str) -> bool {
    text.len() <= 127
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
}

impl FromStr for MediaType {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let text = text.to_ascii_lowercase();
        match text.split_once('/') {
            Some((kind, subtype)) if restricted_name(kind) && restricted_name(subtype) => {
                Ok(Self(text))
            }
            _ => Err(Invalid(
                "must be a media type without parameters, such as `application/pdf`",
            )),
        }
    }
}

string_value!(MediaType, { "pattern": "^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$" });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_type_refuses_parameters_and_malformed_text() {
        assert_eq!(
            "Application/PDF".parse::<MediaType>().unwrap().as_str(),
            "application/pdf"
        );
        for text in [
            "",
            "pdf",
            "a/",
            "/b",
            "a/b/c",
            "text/html; charset=utf-8",
            "a/b\r\nx: y",
            "a/ b",
        ] {
            assert!(text.parse::<MediaType>().is_err(), "{text}");
        }
    }
}
