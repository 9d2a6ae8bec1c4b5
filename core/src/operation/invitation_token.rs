//! The token of an invitation: what the mailed link proves.
//!
//! It can be computed from the invitation and the surface's secret, so the mailer makes it when it
//! writes the mail and nothing stores it: no record, journal entry, event, log or answer.

use alloc::{string::String, vec::Vec};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ulid::Ulid;

use crate::{
    operation::{Problem, ProblemKind},
    record::{Invitation, Record},
    storage::{Key, Scope, Sort},
    value::{AccountId, InvitationId, Sha256, id::Id},
};

/// Which invitation a token speaks of, and which of its sendings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvitationToken {
    /// The account.
    pub account: AccountId,
    /// The invitation.
    pub invitation: InvitationId,
    /// The sending: a token of an earlier one is dead.
    pub rotation: u32,
}

/// The form below: version, account, invitation, rotation, then the authentication of all of it.
const VERSION: u8 = 1;
const SEALED: usize = 1 + 16 + 16 + 4;

impl InvitationToken {
    /// The token that the present sending of this invitation carries.
    #[must_use]
    pub fn of(invitation: &Record<Invitation>) -> Self {
        Self {
            account: invitation.body.account_id,
            invitation: invitation.id,
            rotation: invitation.body.rotation,
        }
    }

    /// Where the invitation is.
    #[must_use]
    pub fn key(&self) -> Key {
        Scope::Account(self.account).key(Sort::invitation(self.invitation))
    }

    /// The text: `base64url(version ‖ account ‖ invitation ‖ rotation ‖ HMAC-SHA-256)`, 92
    /// characters. Secret: it goes into the mail and nowhere else.
    #[must_use]
    pub fn issue(&self, secret: &[u8; 32]) -> String {
        let mut bytes = self.sealed();
        let seal = authenticate(secret, &bytes);
        bytes.extend_from_slice(seal.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What a token speaks of, if this very secret made it.
    ///
    /// # Errors
    /// [`InvitationToken::refused`], whatever is wrong with it.
    pub fn open(text: &str, secret: &[u8; 32]) -> Result<Self, Problem> {
        Self::authentic(text, secret).ok_or_else(Self::refused)
    }

    /// The one answer to every token that opens nothing: wrong, used, expired, revoked or rotated.
    #[must_use]
    pub fn refused() -> Problem {
        Problem::new(
            ProblemKind::InvitationInvalid,
            "this invitation cannot be used, or no longer; ask for a new one",
        )
    }

    fn authentic(text: &str, secret: &[u8; 32]) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (sealed, seal) = bytes.split_at_checked(SEALED)?;
        let seal = Sha256::from_bytes(seal.try_into().ok()?);
        if !authenticate(secret, sealed).matches(&seal) {
            return None;
        }
        let (version, rest) = sealed.split_first()?;
        let (account, rest) = rest.split_first_chunk()?;
        let (invitation, rest) = rest.split_first_chunk()?;
        (*version == VERSION).then_some(Self {
            account: AccountId::from_ulid(Ulid::from_bytes(*account)),
            invitation: InvitationId::from_ulid(Ulid::from_bytes(*invitation)),
            rotation: u32::from_be_bytes(rest.try_into().ok()?),
        })
    }

    fn sealed(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SEALED + 32);
        bytes.push(VERSION);
        bytes.extend(self.account.ulid().to_bytes());
        bytes.extend(self.invitation.ulid().to_bytes());
        bytes.extend(self.rotation.to_be_bytes());
        bytes
    }
}

fn authenticate(secret: &[u8; 32], sealed: &[u8]) -> Sha256 {
    Sha256::keyed(secret, &[b"invitation", sealed])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: [u8; 32] = [7; 32];

    fn token() -> InvitationToken {
        InvitationToken {
            account: AccountId::from_ulid(Ulid::from_parts(1, 2)),
            invitation: InvitationId::from_ulid(Ulid::from_parts(3, 4)),
            rotation: 5,
        }
    }

    #[test]
    fn opens_what_it_issued() {
        let text = token().issue(&SECRET);
        assert_eq!(text.len(), 92);
        assert_eq!(InvitationToken::open(&text, &SECRET), Ok(token()));
    }

    #[test]
    fn case_34_an_edited_token_opens_nothing() {
        let text = token().issue(&SECRET);
        for position in 0..text.len() {
            let mut edited = text.clone().into_bytes();
            edited[position] = if edited[position] == b'A' { b'B' } else { b'A' };
            let edited = String::from_utf8(edited).unwrap();
            assert_eq!(
                InvitationToken::open(&edited, &SECRET),
                Err(InvitationToken::refused()),
                "{position}"
            );
        }
        for cut in 0..text.len() {
            assert!(
                InvitationToken::open(text.get(..cut).unwrap(), &SECRET).is_err(),
                "{cut}"
            );
        }
        assert!(InvitationToken::open(&alloc::format!("{text}A"), &SECRET).is_err());
        assert!(InvitationToken::open(&alloc::format!("{text}="), &SECRET).is_err());
    }

    #[test]
    fn case_34_a_token_of_another_secret_or_rotation_is_another_token() {
        let text = token().issue(&SECRET);
        assert!(InvitationToken::open(&text, &[8; 32]).is_err());
        let next = InvitationToken {
            rotation: 6,
            ..token()
        };
        assert_ne!(next.issue(&SECRET), text);
    }
}
