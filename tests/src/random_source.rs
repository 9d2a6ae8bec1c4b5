//! Random sources: the same generator serves fast sampling and shrinking.

use proptest::{collection, prelude::Strategy};

/// A random source. A generator draws numbers and builds its value from them.
pub trait RandomSource {
    /// A number from 0 to `bound - 1`. 0 means the simplest choice.
    fn below(&mut self, bound: u32) -> u32;

    /// True with the probability `times` / `of`.
    fn happens(&mut self, times: u32, of: u32) -> bool {
        self.below(of) >= of - times
    }

    /// One of several values, of which the first is the simplest.
    fn pick<'a, T>(&mut self, values: &'a [T]) -> &'a T {
        &values[self.below(u32::try_from(values.len()).unwrap()) as usize]
    }

    fn number(&mut self) -> u64 {
        u64::from(self.below(u32::MAX)) << 32 | u64::from(self.below(u32::MAX))
    }
}

/// Numbers from a seed: SplitMix64 (Steele, Lea and Flood, 2014).
#[derive(Debug, Clone)]
pub struct Seeded(u64);

impl Seeded {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }
}

impl RandomSource for Seeded {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        u32::try_from(((bits >> 32) * u64::from(bound)) >> 32).unwrap()
    }
}

/// Numbers from a tape, then zeros. Shrinking the tape makes the generated value simpler.
#[derive(Debug, Clone)]
pub struct Tape(std::vec::IntoIter<u32>);

impl RandomSource for Tape {
    fn below(&mut self, bound: u32) -> u32 {
        self.0.next().unwrap_or_default() % bound
    }
}

/// Tapes of up to this many numbers.
pub fn tapes(length: usize) -> impl Strategy<Value = Tape> {
    collection::vec(0..=u32::MAX, 0..length).prop_map(|numbers| Tape(numbers.into_iter()))
}
