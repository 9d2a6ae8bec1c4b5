//! Ids of raw versions.

use alloc::format;

use ulid::Ulid;

use super::{
    ArtifactId, Sha256,
    id::{Id, VersionId},
};

/// The bits of a ULID that hold the number. A document has fewer versions than they can count.
const NUMBER: u128 = 0xf_ffff;
/// The bits of the random part of a ULID.
const RANDOM: u128 = (1 << 80) - 1;

/// The last four characters of a version's id hold the number with which the version was declared,
/// so that the id alone leads to the key of its record.
///
/// Versions of data format 1 had a number only. Their ids have the time 0 and are derived from
/// document and number, so that every surface gives them the same id. Their records and objects
/// stay where they are, under the number.
impl VersionId {
    /// The id of a new version with this number.
    #[must_use]
    pub fn new(number: u32, ulid: Ulid) -> Self {
        let random = ulid.random() & !NUMBER | u128::from(number) & NUMBER;
        Self::from_ulid(Ulid::from_parts(ulid.timestamp_ms().max(1), random))
    }

    /// The id of a version of data format 1.
    #[must_use]
    pub fn of_format_1(artifact: ArtifactId, number: u32) -> Self {
        let text = format!("{artifact}#{number}");
        let digest = Sha256::keyed(b"version", &[text.as_bytes()]);
        let bytes = digest.as_bytes().iter().take(16);
        let random = bytes.fold(0, |sum: u128, byte| sum << 8 | u128::from(*byte)) & RANDOM;
        let random = random & !NUMBER | u128::from(number) & NUMBER;
        Self::from_ulid(Ulid::from_parts(0, random))
    }

    /// Whether this is the id of a version of this document in data format 1.
    #[must_use]
    pub fn is_of_format_1(self, artifact: ArtifactId) -> bool {
        self == Self::of_format_1(artifact, self.number())
    }

    /// The number with which the version was declared.
    #[must_use]
    pub fn number(self) -> u32 {
        u32::try_from(self.ulid().random() & NUMBER).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_id_holds_its_number() {
        let ulid = Ulid::from_parts(7, u128::MAX);
        for number in [1, 2, 100_000] {
            let id = VersionId::new(number, ulid);
            assert_eq!((id.number(), id.ulid().timestamp_ms()), (number, 7));
        }
        // The clock may be at the beginning of its time.
        let id = VersionId::new(1, Ulid::from_parts(0, 1));
        assert_eq!(id.ulid().timestamp_ms(), 1);
    }

    #[test]
    fn version_of_format_1_has_one_id() {
        let [one, other] = [1, 2].map(|time| ArtifactId::from_ulid(Ulid::from_parts(time, 0)));
        let id = VersionId::of_format_1(one, 3);
        assert!(id.is_of_format_1(one) && !id.is_of_format_1(other));
        assert_eq!(id.number(), 3);
        assert_eq!(id, VersionId::of_format_1(one, 3));
        assert_ne!(id, VersionId::of_format_1(one, 4));
        assert_ne!(id, VersionId::of_format_1(other, 3));
        assert_eq!(id.ulid().timestamp_ms(), 0);
    }
}
