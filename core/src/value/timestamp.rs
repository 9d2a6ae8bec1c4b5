//! A point in time in whole milliseconds, written as RFC 3339 in UTC.

use core::{fmt, str::FromStr, time::Duration};

use super::{Invalid, string_value};

/// Milliseconds since 1970-01-01T00:00:00Z, in the years 0000 to 9999. The last hours of 9999 are
/// excluded, because RFC 3339 cannot write them with every offset.
///
/// Parsing accepts any offset. The text form uses `Z` and three fractional digits. Further digits
/// are cut off and never rounded up, so that nothing expires later than requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

const MINIMUM: i64 = -62_167_219_200_000;
const MAXIMUM: i64 = 253_402_207_200_000;

impl Timestamp {
    /// The time this many milliseconds after 1970, limited to the years that RFC 3339 can write.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(if millis < MINIMUM {
            MINIMUM
        } else if millis > MAXIMUM {
            MAXIMUM
        } else {
            millis
        })
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0
    }

    /// This time plus the duration.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// This time minus the duration.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_sub(millis))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = jiff::Timestamp::from_millisecond(self.0).map_err(|_| fmt::Error)?;
        write!(formatter, "{time:.3}")
    }
}

impl FromStr for Timestamp {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        const WRONG: Invalid = Invalid("must be an RFC 3339 time such as `2026-11-23T09:30:00Z`");
        // The library accepts more than RFC 3339, such as a space instead of `T` or a missing
        // offset. Both are refused here.
        let bytes = text.as_bytes();
        let shaped = bytes.len() >= 20 && matches!(bytes.get(10), Some(b'T' | b't'));
        let time: jiff::Timestamp = text.parse().map_err(|_| WRONG)?;
        let millis = time.as_nanosecond().div_euclid(1_000_000);
        let millis = i64::try_from(millis).map_err(|_| WRONG)?;
        if shaped && (MINIMUM..=MAXIMUM).contains(&millis) {
            Ok(Self(millis))
        } else {
            Err(WRONG)
        }
    }
}

string_value!(Timestamp, { "format": "date-time" });

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn timestamp_reads_offsets_and_writes_utc() {
        let time: Timestamp = "2026-11-23T10:30:00.1239+01:00".parse().unwrap();
        assert_eq!(time.to_string(), "2026-11-23T09:30:00.123Z");
        assert_eq!(time.to_string().parse::<Timestamp>(), Ok(time));
    }

    #[test]
    fn timestamp_limits_round_trip() {
        for (millis, text) in [
            (i64::MIN, "0000-01-01T00:00:00.000Z"),
            (i64::MAX, "9999-12-30T22:00:00.000Z"),
        ] {
            let end = Timestamp::from_millis(millis);
            assert_eq!(end.to_string(), text);
            assert_eq!(text.parse(), Ok(end));
        }
    }

    #[test]
    fn timestamp_refuses_text_outside_rfc_3339() {
        for text in [
            "",
            "2026-11-23",
            "2026-11-23 10:30:00Z",
            "2026-11-23T10:30:00",
            "20261123T103000Z",
            "now",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }
}
