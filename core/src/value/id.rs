//! Typed ids: a short prefix and a lower-case ULID, never reused.
//!
//! The text form is canonical: exactly one spelling parses, so an id can stand in a key as it is
//! (it holds no `#`, `/` or control character) and two ids are equal when their texts are.

use core::{fmt, str::FromStr};

use ulid::Ulid;

use super::{Invalid, Timestamp, string_value};

/// What every single-ULID id can do; the deterministic generator of [`crate::value::env`] builds them.
pub trait Id: Copy + Ord + fmt::Display + FromStr<Err = Invalid> {
    /// The prefix before the ULID, underscore included.
    const PREFIX: &'static str;

    /// The id over this ULID.
    fn from_ulid(ulid: Ulid) -> Self;

    /// The ULID, whose first 48 bits are the creation time in milliseconds.
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
    /// A person, whatever identity they signed in with.
    UserId = "usr_";
    /// A team of an account.
    TeamId = "team_";
    /// One stay of a person in an account: who leaves and rejoins has another one.
    MembershipId = "mbr_";
    /// A grant on a project.
    GrantId = "grt_";
    /// An artifact: a document with its versions.
    ArtifactId = "art_";
    /// A derived output of a version.
    DerivedId = "drv_";
    /// A metadata record of an artifact.
    MetadataId = "met_";
    /// A write event of an artifact.
    EventId = "evt_";
    /// An invitation into an account.
    InvitationId = "inv_";
    /// One commit; the executor recognises its own by it after a lost answer.
    CommitId = "cmt_";
    /// One HTTP request.
    RequestId = "req_";
}

/// A project: the ULID of its account and its own, because a project belongs to one account for
/// life and one read round can then authorise a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectId {
    account: AccountId,
    own: Ulid,
}

impl ProjectId {
    const PREFIX: &'static str = "prj_";

    /// The project with this own ULID in this account.
    #[must_use]
    pub fn new(account: AccountId, own: Ulid) -> Self {
        Self { account, own }
    }

    /// The account it belongs to.
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
        formatter.write_str(lower(self.own, &mut buffer))
    }
}

impl FromStr for ProjectId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let digits = text.strip_prefix(Self::PREFIX).ok_or(WRONG)?;
        let (account, own) = digits.split_at_checked(ulid::ULID_LEN).ok_or(WRONG)?;
        Ok(Self {
            account: AccountId::from_ulid(parse_ulid(account)?),
            own: parse_ulid(own)?,
        })
    }
}

string_value!(ProjectId, { "pattern": "^prj_([0-7][0-9a-hjkmnp-tv-z]{25}){2}$" });

/// A surface: its ULID and its epoch. Both are renewed when a backup is restored or a copy is opened,
/// so that two histories never share a counter: the ULID keeps apart what was restored twice from
/// one backup, the epoch tells how often it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SurfaceId {
    ulid: Ulid,
    epoch: u16,
}

impl SurfaceId {
    const PREFIX: &'static str = "srf_";

    /// A surface set up for the first time: epoch 1.
    #[must_use]
    pub fn first(ulid: Ulid) -> Self {
        Self { ulid, epoch: 1 }
    }

    /// The surface after a restore at this time. It sorts after this one, also where a clock was set
    /// back; the epoch stays at 65,535 once it is there.
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

/// The ULID of a moment with its random part taken from these bytes.
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
    fn case_69_renewed_surfaces_differ_and_sort_after_the_old_one() {
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
