//! Limits of uploads.

use crate::value::Size;

/// Where uploads in one piece end, and how large the pieces are then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadLimits {
    /// Objects above this many bytes are uploaded in parts.
    pub single_limit: u64,
    /// The size in bytes of every part but the last; at least 1.
    pub part_size: u64,
}

impl Default for UploadLimits {
    /// Parts of 16 MiB above 64 MiB, which every surface takes.
    fn default() -> Self {
        Self {
            single_limit: 64 * 1024 * 1024,
            part_size: 16 * 1024 * 1024,
        }
    }
}

impl UploadLimits {
    /// Whether an object of this size is uploaded in parts.
    #[must_use]
    pub fn in_parts(self, size: Size) -> bool {
        size.bytes() > self.single_limit
    }

    /// How many parts an object of this size has.
    #[must_use]
    pub fn part_count(self, size: Size) -> u16 {
        u16::try_from(size.bytes().div_ceil(self.part_size.max(1))).unwrap_or(u16::MAX)
    }
}
