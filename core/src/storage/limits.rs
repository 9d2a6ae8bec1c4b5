//! Limits of uploads.

use crate::value::Size;

/// The size above which uploads are split into parts, and the size of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadLimits {
    /// The largest size in bytes for an upload in one request. Larger objects are uploaded in
    /// parts.
    pub single_limit: u64,
    /// The size in bytes of every part but the last; at least 1.
    pub part_size: u64,
}

impl Default for UploadLimits {
    /// Parts of 16 MiB for objects above 64 MiB. Every surface supports these limits.
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

    /// The number of parts for an object of this size.
    #[must_use]
    pub fn part_count(self, size: Size) -> u16 {
        u16::try_from(size.bytes().div_ceil(self.part_size.max(1))).unwrap_or(u16::MAX)
    }
}
