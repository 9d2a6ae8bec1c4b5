//! Free text with a length limit.

use alloc::string::{String, ToString};
use core::{fmt, str::FromStr};

use super::{Invalid, string_value};

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident = $minimum:literal..=$maximum:literal, $lines:literal, $wrong:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                let text = text.trim();
                let line_break = |character: char| $lines && matches!(character, '\n' | '\t');
                let printable = !text.contains(|character: char| character.is_control() && !line_break(character));
                let length = if text.len() > 4 * $maximum { usize::MAX } else { text.chars().count() };
                if printable && ($minimum..=$maximum).contains(&length) {
                    Ok(Self(text.to_string()))
                } else {
                    Err(Invalid($wrong))
                }
            }
        }

        string_value!($name, { "minLength": $minimum, "maxLength": $maximum });
    )*};
}

texts! {
    /// The name of a person, an account, a team, a project or a document: one line of 1 to 200
    /// characters, trimmed.
    Name = 1..=200, false, "must be one line of 1 to 200 characters";
    /// A description: up to 2,000 characters, line breaks allowed.
    Description = 0..=2000, true, "must be at most 2000 characters without control characters";
    /// The text of a write event: 1 to 10,000 characters, line breaks allowed.
    Text = 1..=10_000, true, "must be 1 to 10000 characters without control characters";
    /// The reason for a revocation: one line of 1 to 500 characters.
    Reason = 1..=500, false, "must be one line of 1 to 500 characters";
    /// The key or value of a document's label: one line of 1 to 100 characters.
    Label = 1..=100, false, "must be one line of 1 to 100 characters";
}

/// The kind of a write event or of a derived output: 1 to 64 characters of `a-z 0-9 . _ -`,
/// beginning with a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(String);

impl Kind {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for Kind {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let fits = text.len() <= 64
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte)
            });
        if fits {
            Ok(Self(text.to_string()))
        } else {
            Err(Invalid(
                "must be 1 to 64 of `a-z 0-9 . _ -`, beginning with a letter",
            ))
        }
    }
}

string_value!(Kind, { "pattern": "^[a-z][a-z0-9._-]{0,63}$" });
