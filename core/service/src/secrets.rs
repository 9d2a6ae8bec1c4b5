//! The identity of a surface: its id, public URL and secret, independent of where they are stored.

use std::fmt;

use wm_core::value::{Sha256, SurfaceId};

/// The minimum length of a secret. A shorter one could be guessed.
const SECRET_CHARACTERS: usize = 32;

/// The identity of a surface.
pub struct Identity {
    /// The surface's id.
    pub surface: SurfaceId,
    /// The URL of the surface for its users, without a trailing slash.
    pub public_url: String,
    /// The digest of the stored secret text.
    pub secret: [u8; 32],
}

impl fmt::Debug for Identity {
    /// Omits the secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Identity")
            .field("surface", &self.surface)
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}

/// An invalid text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` {wrong}")]
pub struct InvalidSetting {
    /// The name of the variable or stored value.
    pub name: String,
    /// The error, and the accepted values.
    pub wrong: &'static str,
}

/// A text with its origin: the name of a variable, or of a value in a secret store.
pub struct Found {
    /// The name of the variable or stored value.
    pub name: String,
    /// The value, which may be a secret.
    pub text: String,
}

impl fmt::Debug for Found {
    /// Omits the text, because it may be the secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Found").field(&self.name).finish()
    }
}

impl Found {
    /// A text with its origin.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
        }
    }

    fn wrong(self, wrong: &'static str) -> InvalidSetting {
        let Self { name, .. } = self;
        InvalidSetting { name, wrong }
    }
}

impl Identity {
    /// Parses the three texts.
    ///
    /// # Errors
    /// The first text that is invalid.
    pub fn read(surface: Found, public_url: Found, secret: Found) -> Result<Self, InvalidSetting> {
        let Ok(surface) = surface.text.parse() else {
            return Err(surface.wrong("must be a surface id, as `wm deploy` generates it"));
        };
        let url = &public_url.text;
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return Err(public_url.wrong("must be a URL that begins with `https://`"));
        }
        if secret.text.chars().count() < SECRET_CHARACTERS {
            return Err(secret.wrong("must have at least 32 random characters"));
        }
        Ok(Self {
            surface,
            public_url: url.trim_end_matches('/').to_owned(),
            secret: *Sha256::of(secret.text.as_bytes()).as_bytes(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "srf_01arz3ndektsv4rrffq69g5fav_00001";
    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn read(surface: &str, public_url: &str, secret: &str) -> Result<Identity, String> {
        let found = Found::new;
        let read = Identity::read(
            found("ID", surface),
            found("URL", public_url),
            found("SECRET", secret),
        );
        read.map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn debug_output_hides_the_secret() {
        let identity = read(ID, "https://wm.example.com/", SECRET).unwrap();
        assert_eq!(identity.public_url, "https://wm.example.com");
        assert_eq!(identity.secret, *Sha256::of(SECRET.as_bytes()).as_bytes());
        assert!(!format!("{identity:?}").contains("secret"), "{identity:?}");
        let found = format!("{:?}", Found::new("SECRET", SECRET));
        assert!(!found.contains(SECRET), "{found}");
    }

    #[test]
    fn errors_name_the_field_and_hide_the_value() {
        let wrong = |result: Result<Identity, String>| result.unwrap_err();
        assert!(wrong(read("7", "https://a", SECRET)).starts_with("`ID` must be a surface id"));
        assert!(wrong(read(ID, "ftp://a", SECRET)).starts_with("`URL` must be a URL"));
        let guessable = SECRET.trim_start_matches('0');
        let short = wrong(read(ID, "https://a", guessable));
        assert!(
            short.starts_with("`SECRET` must have at least 32"),
            "{short}"
        );
        assert!(!short.contains(guessable));
    }
}
