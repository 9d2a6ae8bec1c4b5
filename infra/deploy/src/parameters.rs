//! Parameters of templates that every cloud's template has.

use aws_lc_rs::rand;
use wm_core::value::{SurfaceId, id::ulid_at};
use wm_service::clock;
use wm_terminal::failure::Failure;

use crate::origin::Origin;

/// Splits `NAME=VALUE`.
///
/// # Errors
/// When there is no `=`, or the name has characters that parameters do not have.
pub fn name_and_value(text: &str) -> Result<(&str, &str), String> {
    let (name, value) = text.split_once('=').ok_or("write `NAME=VALUE`")?;
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(format!(
            "`{name}` is no name of a parameter: use letters and digits"
        ));
    }
    Ok((name, value))
}

/// The public URL of a surface. People follow links in mails, so only TLS is accepted.
///
/// # Errors
/// When it is not an origin that begins with `https://`.
pub fn public_url(text: &str) -> Result<Origin, String> {
    if !text.starts_with("https://") {
        return Err("links in mails begin with `https://`".into());
    }
    text.parse()
}

/// The id of a new surface, in its first epoch.
///
/// # Errors
/// When the system has no randomness.
pub fn new_surface() -> Result<SurfaceId, Failure> {
    Ok(SurfaceId::first(ulid_at(clock::now(), &random()?)))
}

/// 32 random bytes.
///
/// # Errors
/// When the system has no randomness.
pub fn random() -> Result<[u8; 32], Failure> {
    let mut random = [0; 32];
    rand::fill(&mut random)
        .map_err(|error| Failure::because("the system gives no randomness; try again", error))?;
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
