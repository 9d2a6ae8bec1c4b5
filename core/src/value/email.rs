//! E-mail addresses.

use alloc::string::String;
use core::{fmt, str::FromStr};

use super::{Invalid, string_value};

/// An e-mail address in a normal form: trimmed and lower case, so that two spellings of one address
/// are equal.
///
/// This is a narrow reading of RFC 5321: at most 254 bytes, one `@`, a local part of at most 64
/// bytes from the unquoted ASCII characters without leading, trailing or double dots, and a domain
/// of letters, digits, hyphens and dots. Quoted local parts and address literals are refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

impl Email {
    /// The normalised address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn dotted(text: &str, accepted: impl Fn(u8) -> bool + Copy) -> bool {
    text.split('.')
        .all(|label| !label.is_empty() && label.bytes().all(accepted))
}

impl FromStr for Email {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        const WRONG: Invalid =
            Invalid("must be a mail address such as `ana@example.com`, at most 254 bytes");
        let text = text.trim().to_ascii_lowercase();
        let (local, domain) = text.split_once('@').ok_or(WRONG)?;
        let local_fits = local.len() <= 64
            && dotted(local, |byte| {
                byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
            });
        let domain_fits = dotted(domain, |byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && domain
                .split('.')
                .all(|label| label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-'));
        if text.len() <= 254 && local_fits && domain_fits {
            Ok(Self(text))
        } else {
            Err(WRONG)
        }
    }
}

string_value!(Email, { "format": "email", "maxLength": 254 });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn email_is_normalised() {
        assert_eq!(
            " Ana@Example.COM ".parse::<Email>().unwrap().as_str(),
            "ana@example.com"
        );
    }

    #[test]
    fn email_refuses_invalid_addresses() {
        let long = alloc::format!("{}@example.com", "a".repeat(65));
        for text in [
            "",
            "ana",
            "@b.c",
            "a@",
            "a@@b.c",
            "a b@c.d",
            "a@b..c",
            ".a@b.c",
            "a@-b.c",
            "a@b\r\nBcc: x@y.z",
            &long,
        ] {
            assert!(text.parse::<Email>().is_err(), "{text}");
        }
    }
}
