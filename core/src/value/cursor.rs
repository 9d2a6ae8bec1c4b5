//! Page cursors: opaque to clients, authenticated by the server.

use alloc::{string::String, vec::Vec};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Invalid, Sha256};

/// The position at which a list continues: the last key shown, signed for one use.
///
/// The text is `base64url(key || first 16 bytes of HMAC)`. The authentication covers the secret of
/// the surface, the user, the route, the filter and the key, so a cursor works only for the user
/// and the list it was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

const WRONG: Invalid = Invalid("must be a cursor that this list returned");
const TAG_LENGTH: usize = 16;

impl Cursor {
    /// The longest text that is examined: 2,048 bytes.
    pub const LIMIT: usize = 2048;

    /// Signs the last key shown for one secret and one context (user, route, filter).
    #[must_use]
    pub fn sign(secret: &[u8], context: &[&[u8]], key: &str) -> Self {
        let mut bytes = Vec::from(key.as_bytes());
        bytes.extend(
            authenticate(secret, context, key)
                .as_bytes()
                .iter()
                .take(TAG_LENGTH),
        );
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The key inside, if the cursor was signed with this secret and context.
    ///
    /// # Errors
    /// [`Invalid`], with the same message for every fault.
    pub fn verify(text: &str, secret: &[u8], context: &[&[u8]]) -> Result<String, Invalid> {
        if text.len() > Self::LIMIT {
            return Err(WRONG);
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| WRONG)?;
        let split = bytes.len().checked_sub(TAG_LENGTH).ok_or(WRONG)?;
        let tag = bytes.split_off(split);
        let key = String::from_utf8(bytes).map_err(|_| WRONG)?;
        let expected = authenticate(secret, context, &key);
        let expected = expected.as_bytes().get(..TAG_LENGTH).ok_or(WRONG)?;
        if subtle::ConstantTimeEq::ct_eq(&*tag, expected).into() {
            Ok(key)
        } else {
            Err(WRONG)
        }
    }

    /// The text that the client receives.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

fn authenticate(secret: &[u8], context: &[&[u8]], key: &str) -> Sha256 {
    let mut parts = Vec::with_capacity(context.len() + 2);
    parts.push(b"cursor".as_slice());
    parts.extend_from_slice(context);
    parts.push(key.as_bytes());
    Sha256::keyed(secret, &parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_20_cursor_refuses_edits_and_other_contexts() {
        let text = Cursor::sign(b"secret", &[b"ana", b"teams"], "TEAM#1").into_string();
        assert_eq!(
            Cursor::verify(&text, b"secret", &[b"ana", b"teams"]).as_deref(),
            Ok("TEAM#1")
        );
        assert!(Cursor::verify(&text, b"secret", &[b"ben", b"teams"]).is_err());
        assert!(Cursor::verify(&text, b"other", &[b"ana", b"teams"]).is_err());
        for position in 0..text.len() {
            let mut edited = text.clone().into_bytes();
            edited[position] = if edited[position] == b'A' { b'B' } else { b'A' };
            let edited = String::from_utf8(edited).unwrap();
            assert!(
                Cursor::verify(&edited, b"secret", &[b"ana", b"teams"]).is_err(),
                "{position}"
            );
        }
    }
}
