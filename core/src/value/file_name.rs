//! File names: the last segment of an object path.

use alloc::{format, string::String};
use core::{
    fmt::{self, Write},
    str::FromStr,
};

use unicode_normalization::UnicodeNormalization;

use super::{Invalid, string_value};

/// A file name that has the same meaning on every file system and in every object store.
///
/// It is normalised to NFC and has 1 to 200 bytes of UTF-8. It contains no `/`, `\`, control
/// characters or characters that some file system, URL or key reserves: `" * : < > ? | # %`. It is
/// not `.` or `..` and has no leading space and no trailing dot or space. `%` is refused, so that
/// decoding once or twice never yields another name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(String);

impl FileName {
    /// The maximum length in bytes.
    pub const LIMIT: usize = 200;

    /// The normalised name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The `content-disposition` that saves an object under this name. It contains the name twice:
    /// in ASCII for old clients and in UTF-8 (RFC 6266).
    #[must_use]
    pub fn attachment(&self) -> String {
        let plain = |character: char| if character.is_ascii() { character } else { '_' };
        let plain: String = self.0.chars().map(plain).collect();
        let mut encoded = String::new();
        for byte in self.0.bytes() {
            // RFC 8187 section 3.2.1, `attr-char`: these bytes need no encoding.
            if byte.is_ascii_alphanumeric() || b"!$&+-.^_`~".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
        format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Invisible characters and characters that change the direction of text. They make one name look
/// like another.
fn deceptive(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}')
}

impl FromStr for FileName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        const WRONG: Invalid = Invalid(
            "must be a file name of 1 to 200 bytes without `/ \\ \" * : < > ? | # %`, control or invisible characters, a leading space, or a trailing dot or space",
        );
        // Check the length before normalising: composition never lengthens a text more than
        // threefold.
        if text.len() > 3 * Self::LIMIT {
            return Err(WRONG);
        }
        let name: String = text.nfc().collect();
        let refused = |character: char| {
            character.is_control() || deceptive(character) || "/\\\"*:<>?|#%".contains(character)
        };
        let fits = (1..=Self::LIMIT).contains(&name.len())
            && !name.contains(refused)
            && !name.starts_with(char::is_whitespace)
            && !name.ends_with(|last: char| last == '.' || last.is_whitespace());
        if fits { Ok(Self(name)) } else { Err(WRONG) }
    }
}

string_value!(FileName, { "minLength": 1, "maxLength": 200 });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attachment_names_the_file_in_ascii_and_utf_8() {
        let name: FileName = "Über 'uns'.pdf".parse().unwrap();
        assert_eq!(
            name.attachment(),
            "attachment; filename=\"_ber 'uns'.pdf\"; filename*=UTF-8''%C3%9Cber%20%27uns%27.pdf"
        );
    }

    #[test]
    fn file_name_normalises_accents() {
        let composed: FileName = "caf\u{e9}.pdf".parse().unwrap();
        assert_eq!("cafe\u{301}.pdf".parse(), Ok(composed));
    }

    #[test]
    fn case_40_file_name_refuses_paths() {
        let long = "x".repeat(1024);
        for text in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "a\\b",
            "%2e%2e",
            "%252e",
            "a.",
            "a ",
            " a",
            "a\0b",
            "a\u{202e}fdp.exe",
            &long,
        ] {
            assert!(text.parse::<FileName>().is_err(), "{text:?}");
        }
    }
}
