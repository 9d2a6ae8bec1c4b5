//! The token in the link of an invitation mail.
//!
//! It is computed from the invitation and the surface's secret. The mailer computes it for each
//! mail, so no record, journal entry, event, log or answer contains it.

use alloc::{string::String, vec::Vec};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ulid::Ulid;

use crate::{
    operation::{Problem, ProblemKind},
    record::{Invitation, Record},
    storage::{Key, Scope, Sort},
    value::{AccountId, InvitationId, Sha256, id::Id},
};

/// The content of a token: the invitation and the number of its sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct InvitationToken {
    pub account: AccountId,
    pub invitation: InvitationId,
    /// The sending. Sending an invitation again invalidates earlier tokens.
    pub rotation: u32,
}

/// The version of the token format: version, account, invitation, rotation, then an authentication
/// code over all of them.
const VERSION: u8 = 1;
const PAYLOAD_LENGTH: usize = 1 + 16 + 16 + 4;

impl InvitationToken {
    /// The token of the invitation's latest sending.
    #[must_use]
    pub fn of(invitation: &Record<Invitation>) -> Self {
        Self {
            account: invitation.body.account_id,
            invitation: invitation.id,
            rotation: invitation.body.rotation,
        }
    }

    /// The key of the invitation.
    #[must_use]
    pub fn key(&self) -> Key {
        Scope::Account(self.account).key(Sort::invitation(self.invitation))
    }

    /// The text form: `base64url(version ‖ account ‖ invitation ‖ rotation ‖ HMAC-SHA-256)`, 92
    /// characters. It is a secret that only the mail contains.
    #[must_use]
    pub fn issue(&self, secret: &[u8; 32]) -> String {
        let mut bytes = self.payload();
        let tag = authenticate(secret, &bytes);
        bytes.extend_from_slice(tag.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Parses a token and checks that it was made with this secret.
    ///
    /// # Errors
    /// [`InvitationToken::refused`] for every fault.
    pub fn open(text: &str, secret: &[u8; 32]) -> Result<Self, Problem> {
        Self::authentic(text, secret).ok_or_else(Self::refused)
    }

    /// The common answer to tokens that are wrong, used, expired, revoked or rotated. It does not
    /// tell these cases apart.
    #[must_use]
    pub fn refused() -> Problem {
        Problem::new(
            ProblemKind::InvitationInvalid,
            "this invitation is not valid or no longer valid; ask for a new one",
        )
    }

    fn authentic(text: &str, secret: &[u8; 32]) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (payload, tag) = bytes.split_at_checked(PAYLOAD_LENGTH)?;
        let tag = Sha256::from_bytes(tag.try_into().ok()?);
        if !authenticate(secret, payload).matches(&tag) {
            return None;
        }
        let (version, rest) = payload.split_first()?;
        let (account, rest) = rest.split_first_chunk()?;
        let (invitation, rest) = rest.split_first_chunk()?;
        (*version == VERSION).then_some(Self {
            account: AccountId::from_ulid(Ulid::from_bytes(*account)),
            invitation: InvitationId::from_ulid(Ulid::from_bytes(*invitation)),
            rotation: u32::from_be_bytes(rest.try_into().ok()?),
        })
    }

    fn payload(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(PAYLOAD_LENGTH + 32);
        bytes.push(VERSION);
        bytes.extend(self.account.ulid().to_bytes());
        bytes.extend(self.invitation.ulid().to_bytes());
        bytes.extend(self.rotation.to_be_bytes());
        bytes
    }
}

fn authenticate(secret: &[u8; 32], payload: &[u8]) -> Sha256 {
    Sha256::keyed(secret, &[b"invitation", payload])
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
    fn token_parses_with_the_secret_that_issued_it() {
        let text = token().issue(&SECRET);
        assert_eq!(text.len(), 92);
        assert_eq!(InvitationToken::open(&text, &SECRET), Ok(token()));
    }

    #[test]
    fn case_34_edited_token_is_refused() {
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
    fn case_34_other_secret_or_rotation_gives_another_token() {
        let text = token().issue(&SECRET);
        assert!(InvitationToken::open(&text, &[8; 32]).is_err());
        let next = InvitationToken {
            rotation: 6,
            ..token()
        };
        assert_ne!(next.issue(&SECRET), text);
    }
}
