//! The part of a file that one request carries.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// The offset of the first byte.
    pub(super) start: u64,
    /// The number of bytes.
    pub(super) length: u64,
}

impl Span {
    /// All bytes of a file of this size.
    pub(super) fn whole(size: u64) -> Self {
        Self {
            start: 0,
            length: size,
        }
    }

    /// Part `number`, counted from 1, of a file of this size. `None` if the file ends before it.
    pub(super) fn part(number: u16, part_size: u64, size: u64) -> Option<Self> {
        let start = u64::from(number).checked_sub(1)?.checked_mul(part_size)?;
        let length = part_size.min(size.checked_sub(start)?);
        (length > 0).then_some(Self { start, length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_a_file_exactly() {
        let spans: Vec<_> = (1..)
            .map_while(|number| Span::part(number, 4, 10))
            .collect();
        let expected = [(0, 4), (4, 4), (8, 2)];
        assert_eq!(
            spans,
            expected.map(|(start, length)| Span { start, length })
        );
        assert_eq!(Span::part(0, 4, 10), None);
    }
}
