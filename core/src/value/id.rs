//! Typed ids: a short prefix and a lower-case ULID, never reused.
//!
//! The text form is canonical: each id has exactly one spelling. It contains no `#`, `/` or control
//! character, so an id can be part of a key, and two ids are equal if and only if their texts are.

use core::{fmt, str::FromStr};

use ulid::Ulid;

use super::{Invalid, Timestamp, string_value};

/// The common interface of all ids that contain one ULID. [`crate::value::Env::id`] creates them.
pub trait Id: Copy + Ord + fmt::Display + FromStr<Err = Invalid> {
    /// The prefix before the ULID, including the underscore.
    const PREFIX: &'static str;

    /// The id with this ULID.
    fn from_ulid(ulid: Ulid) -> Self;

    /// The ULID. Its first 48 bits are the creation time in milliseconds.
    fn ulid(self) -> Ulid;
}

const WRONG: Invalid =
    Invalid("must be an id: its prefix and 26 lower-case Crockford base-32 digits");

fn parse_ulid(text: &str) -> Result<Ulid, Invalid> {
    let ulid = Ulid::from_string(text).map_err(|_| WRONG)?;
    let mut buffer = [0; ulid::ULID_LEN];
    if lower(ulid, &mut buffer) == text {
        Ok(ulid)
    } else {
        Err(WRONG)
    }
}

fn lower(ulid: Ulid, buffer: &mut [u8; ulid::ULID_LEN]) -> &str {
    ulid.array_to_str(buffer);
    buffer.make_ascii_lowercase();
    core::str::from_utf8(buffer).unwrap_or_default()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Ulid);

        impl Id for $name {
            const PREFIX: &'static str = $prefix;

            fn from_ulid(ulid: Ulid) -> Self {
                Self(ulid)
            }

            fn ulid(self) -> Ulid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut buffer = [0; ulid::ULID_LEN];
                formatter.write_str($prefix)?;
                formatter.write_str(lower(self.0, &mut buffer))
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                text.strip_prefix($prefix).ok_or(WRONG).and_then(parse_ulid).map(Self)
            }
        }

        string_value!($name, { "pattern": concat!("^", $prefix, "[0-7][0-9a-hjkmnp-tv-z]{25}$") });
    )*};
}

ids! {
    /// An account.
    AccountId = "acc_";
    /// A person, independent of the identity they signed in with.
    UserId = "usr_";
    /// A team of an account.
    TeamId = "team_";
    /// The time between joining an account and leaving it. A person who rejoins gets another id.
    MembershipId = "mbr_";
    /// A grant on a project.
    GrantId = "grt_";
    /// A document with its versions.
    ArtifactId = "art_";
    /// A raw version of a document.
    VersionId = "ver_";
    /// A derived output of a version.
    DerivedId = "drv_";
    /// A metadata record of a document.
    MetadataId = "met_";
    /// A write event of a document.
    EventId = "evt_";
    /// An invitation to an account.
    InvitationId = "inv_";
    /// One commit. After a lost answer, the executor uses it to recognise its own commit.
    CommitId = "cmt_";
    /// One HTTP request.
    RequestId = "req_";
}

/// A project: the ULID of its account and its own. A project belongs to one account for ever, so
/// the account's records can be read in the first read round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectId {
    account: AccountId,
    ulid: Ulid,
}

impl ProjectId {
    const PREFIX: &'static str = "prj_";

    /// The project with this ULID in this account.
    #[must_use]
    pub fn new(account: AccountId, ulid: Ulid) -> Self {
        Self { account, ulid }
    }

    /// The account that the project belongs to.
    #[must_use]
    pub fn account(self) -> AccountId {
        self.account
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = [0; ulid::ULID_LEN];
        formatter.write_str(Self::PREFIX)?;
        formatter.write_str(lower(self.account.ulid(), &mut buffer))?;
        formatter.write_str(lower(self.ulid, &mut buffer))
    }
}

impl FromStr for ProjectId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let digits = text.strip_prefix(Self::PREFIX).ok_or(WRONG)?;
        let (account, ulid) = digits.split_at_checked(ulid::ULID_LEN).ok_or(WRONG)?;
        Ok(Self {
            account: AccountId::from_ulid(parse_ulid(account)?),
            ulid: parse_ulid(ulid)?,
        })
    }
}

string_value!(ProjectId, { "pattern": "^prj_([0-7][0-9a-hjkmnp-tv-z]{25}){2}$" });

/// A surface: a ULID and an epoch. Both change when a backup is restored or a copy is opened, so
/// that two histories never share a counter. The ULID distinguishes two restores of one backup, the
/// epoch counts the restores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SurfaceId {
    ulid: Ulid,
    epoch: u16,
}

impl SurfaceId {
    const PREFIX: &'static str = "srf_";

    /// A new surface, with epoch 1.
    #[must_use]
    pub fn first(ulid: Ulid) -> Self {
        Self { ulid, epoch: 1 }
    }

    /// The surface after a restore at this time. It sorts after this one, even if the clock was set
    /// back. The epoch stays at its maximum of 65,535.
    #[must_use]
    pub fn renewed(self, now: Timestamp, random: &[u8; 32]) -> Self {
        let later = i64::try_from(self.ulid.timestamp_ms()).unwrap_or(i64::MAX);
        let later = Timestamp::from_millis(later.saturating_add(1)).max(now);
        Self {
            ulid: ulid_at(later, random),
            epoch: self.epoch.saturating_add(1),
        }
    }
}

impl fmt::Display for SurfaceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = [0; ulid::ULID_LEN];
        write!(
            formatter,
            "{}{}_{:05}",
            Self::PREFIX,
            lower(self.ulid, &mut buffer),
            self.epoch
        )
    }
}

impl FromStr for SurfaceId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (ulid, epoch) = text
            .strip_prefix(Self::PREFIX)
            .and_then(|rest| rest.split_once('_'))
            .ok_or(WRONG)?;
        if epoch.len() != 5 || !epoch.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(WRONG);
        }
        Ok(Self {
            ulid: parse_ulid(ulid)?,
            epoch: epoch.parse().map_err(|_| WRONG)?,
        })
    }
}

string_value!(SurfaceId, { "pattern": "^srf_[0-7][0-9a-hjkmnp-tv-z]{25}_[0-9]{5}$" });

/// A ULID with this time and a random part taken from these bytes.
#[must_use]
pub fn ulid_at(time: Timestamp, bytes: &[u8; 32]) -> Ulid {
    let random = bytes
        .iter()
        .take(10)
        .fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte));
    Ulid::from_parts(u64::try_from(time.millis()).unwrap_or_default(), random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_69_renewed_surface_sorts_after_the_old_one() {
        let set_up = Timestamp::from_millis(1_800_000_000_000);
        let surface = SurfaceId::first(ulid_at(set_up, &[9; 32]));
        let earlier = Timestamp::from_millis(1);
        let [one, two] = [[1; 32], [2; 32]].map(|random| surface.renewed(earlier, &random));
        assert_ne!(one, two);
        for renewed in [one, two] {
            assert_eq!(renewed.epoch, 2);
            assert!(alloc::format!("{renewed}") > alloc::format!("{surface}"));
        }
    }
}
