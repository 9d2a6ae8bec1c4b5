//! The interval of sort keys of a read, for databases that query by bounds.

use std::ops::Bound;

/// An interval of sort keys, in byte order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// Where the interval begins.
    pub lower: Bound<String>,
    /// Where the interval ends.
    pub upper: Bound<String>,
}

impl Bounds {
    /// The keys that begin with the prefix, are greater than `after` and not greater than `until`.
    #[must_use]
    pub fn new(prefix: &str, after: Option<&String>, until: Option<&String>) -> Self {
        let lower = match after {
            Some(after) if after.as_str() >= prefix => Bound::Excluded(after.clone()),
            _ => Bound::Included(prefix.into()),
        };
        let upper = match (successor(prefix), until) {
            (Some(end), Some(until)) if end <= *until => Bound::Excluded(end),
            (_, Some(until)) => Bound::Included(until.clone()),
            (Some(end), None) => Bound::Excluded(end),
            (None, None) => Bound::Unbounded,
        };
        Self { lower, upper }
    }
}

/// The least text that is greater than every text with this prefix. `None` if there is none.
///
/// Code points compare in the same order as their UTF-8 bytes. The last character that has a
/// successor is replaced by it, and the characters after it are cut off.
fn successor(prefix: &str) -> Option<String> {
    let mut prefix = prefix.to_owned();
    while let Some(last) = prefix.pop() {
        // A range of characters skips the surrogates, which are not characters.
        if let Some(next) = (last..=char::MAX).nth(1) {
            prefix.push(next);
            return Some(prefix);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn successor_handles_the_last_characters() {
        assert_eq!(successor("MEMBER#"), Some("MEMBER$".into()));
        assert_eq!(successor(""), None);
        assert_eq!(successor("\u{10ffff}"), None);
        assert_eq!(successor("a\u{10ffff}\u{10ffff}"), Some("b".into()));
        assert_eq!(successor("\u{d7ff}"), Some("\u{e000}".into()));
    }

    proptest! {
        #[test]
        fn bounds_contain_exactly_the_requested_keys(
            key in "[ab\u{10ffff}]{0,4}",
            prefix in "[ab\u{10ffff}]{0,2}",
            after in prop::option::of("[ab\u{10ffff}]{0,3}"),
            until in prop::option::of("[ab\u{10ffff}]{0,3}"),
        ) {
            let bounds = Bounds::new(&prefix, after.as_ref(), until.as_ref());
            let above = match &bounds.lower {
                Bound::Included(lower) => key >= *lower,
                Bound::Excluded(lower) => key > *lower,
                Bound::Unbounded => true,
            };
            let below = match &bounds.upper {
                Bound::Included(upper) => key <= *upper,
                Bound::Excluded(upper) => key < *upper,
                Bound::Unbounded => true,
            };
            let wanted = key.starts_with(&prefix)
                && after.is_none_or(|after| key > after)
                && until.is_none_or(|until| key <= until);
            prop_assert_eq!(above && below, wanted);
        }
    }
}
