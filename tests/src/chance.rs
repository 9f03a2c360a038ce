//! Chance that can be repeated: everything random in a test comes from one
//! number, which the test prints.

use std::time::{SystemTime, UNIX_EPOCH};

/// A generator: SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom
/// number generators", 2014). Good enough to choose moments and faults.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// Always the same draws for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A seed that nobody has chosen, small enough to be typed.
    pub fn seed() -> u64 {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        since_1970.map_or(0, |since| u64::from(since.subsec_nanos()))
    }

    /// The seed of a test: the one that `HOMELINE_SEED` says; one that nobody has
    /// chosen, where `more` asks for a search; else always the same, so that a run
    /// that is not watched finds what the one before it found.
    pub fn seed_of_test(more: Option<u64>) -> u64 {
        let said = std::env::var("HOMELINE_SEED").ok();
        match (said.and_then(|said| said.parse().ok()), more) {
            (Some(seed), _) => seed,
            (None, Some(_)) => Self::seed(),
            (None, None) => 1,
        }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`; 0 where that is 0. The bias of the remainder is not felt.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.bits() % end).unwrap_or(0)
    }

    /// Text that no compressor shortens by much: of 20,000 Chinese characters.
    pub fn text(&mut self, characters: usize) -> String {
        (0..characters)
            .filter_map(|_| {
                let at = u32::try_from(self.below(20_000)).unwrap_or(0);
                char::from_u32(0x4e00 + at)
            })
            .collect()
    }

    /// True once in `times` on average.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    ///
    /// # Panics
    /// There is none.
    pub fn one_of<'a, T>(&mut self, these: &'a [T]) -> &'a T {
        #[expect(clippy::indexing_slicing, reason = "below its length, see Panics")]
        &these[self.below(these.len())]
    }
}
