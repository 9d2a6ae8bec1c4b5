//! Plans: which bytes to send where, the same for every storage.

use std::collections::BTreeMap;

use serde::Deserialize;

/// How to upload one object.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Plan {
    /// One request with all bytes.
    Single(Address),
    /// One request per part.
    Multipart {
        /// The size of every part but the last.
        part_size: u64,
        /// The parts, numbered from 1.
        parts: Vec<Part>,
    },
}

/// One request to a signed address.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Address {
    /// The method.
    pub(super) method: String,
    /// The address. Secret while it lasts.
    pub(super) url: String,
    /// The headers to send, and no others.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
}

impl std::fmt::Debug for Address {
    /// Without the address.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Address")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// One part.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Part {
    /// Its number, from 1.
    pub(super) number: u16,
    /// Where it goes.
    #[serde(flatten)]
    pub(super) address: Address,
}

/// A range of bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// The first byte.
    pub(super) start: u64,
    /// How many.
    pub(super) length: u64,
}

impl Span {
    /// The whole of a file of this size.
    pub(super) fn whole(size: u64) -> Self {
        Self {
            start: 0,
            length: size,
        }
    }

    /// Part `number` of a file of this size; `None` when the file ends before it.
    pub(super) fn part(number: u16, part_size: u64, size: u64) -> Option<Self> {
        let start = u64::from(number).checked_sub(1)?.checked_mul(part_size)?;
        let length = part_size.min(size.checked_sub(start)?);
        (length > 0).then_some(Self { start, length })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_both_kinds() {
        let single = json!({
            "kind": "single", "method": "PUT", "url": "https://x", "headers": { "content-type": "text/plain" },
            "expires_at": "2026-11-23T09:30:00Z",
        });
        let Plan::Single(address) = serde_json::from_value(single).unwrap() else {
            panic!("not single")
        };
        assert_eq!(address.headers["content-type"], "text/plain");
        let parts = json!({
            "kind": "multipart", "part_size": 4, "expires_at": "2026-11-23T09:30:00Z",
            "parts": [{ "number": 1, "method": "PUT", "url": "https://x", "headers": {} }],
        });
        let Plan::Multipart { part_size, parts } = serde_json::from_value(parts).unwrap() else {
            panic!("not multipart")
        };
        assert_eq!((part_size, parts[0].number), (4, 1));
    }

    #[test]
    fn parts_cover_a_file_exactly() {
        let spans: Vec<_> = (1..).map_while(|number| Span::part(number, 4, 10)).collect();
        let expected = [(0, 4), (4, 4), (8, 2)];
        assert_eq!(spans, expected.map(|(start, length)| Span { start, length }));
        assert_eq!(Span::part(0, 4, 10), None);
    }
}
