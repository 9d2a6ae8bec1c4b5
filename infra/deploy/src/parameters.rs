//! Parameters that the templates of all clouds have.

use aws_lc_rs::rand;
use wm_core::value::{SurfaceId, id::ulid_at};
use wm_service::clock;
use wm_terminal::failure::Failure;

use crate::origin::Origin;

/// Splits `NAME=VALUE`.
///
/// # Errors
/// If `=` is missing, or the name contains characters that parameters do not allow.
pub fn name_and_value(text: &str) -> Result<(&str, &str), String> {
    let (name, value) = text.split_once('=').ok_or("write `NAME=VALUE`")?;
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(format!(
            "`{name}` is not a valid parameter name: use letters and digits"
        ));
    }
    Ok((name, value))
}

/// The public URL of a surface. Links in mails use it, so it must use TLS.
///
/// # Errors
/// If it is not an origin that begins with `https://`.
pub fn public_url(text: &str) -> Result<Origin, String> {
    if !text.starts_with("https://") {
        return Err(
            "the public URL must begin with `https://`, because links in mails use it".into(),
        );
    }
    text.parse()
}

/// The id of a new surface, in its first epoch.
///
/// # Errors
/// If the random generator of the system fails.
pub fn new_surface() -> Result<SurfaceId, Failure> {
    Ok(SurfaceId::first(ulid_at(clock::now(), &random()?)))
}

/// 32 random bytes.
///
/// # Errors
/// If the random generator of the system fails.
pub fn random() -> Result<[u8; 32], Failure> {
    let mut random = [0; 32];
    rand::fill(&mut random).map_err(|error| {
        Failure::because(
            "the random generator of the system failed; try again",
            error,
        )
    })?;
    Ok(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_names_have_letters_and_digits() {
        assert_eq!(name_and_value("A=b=c"), Ok(("A", "b=c")));
        for text in ["A", "=x", "A-B=x"] {
            assert!(name_and_value(text).is_err(), "{text}");
        }
    }

    #[test]
    fn public_url_needs_tls() {
        assert!(public_url("http://docs.example.com").is_err());
        assert!(public_url("https://docs.example.com").is_ok());
    }
}
