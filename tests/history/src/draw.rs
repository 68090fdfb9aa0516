//! Numbers that look random and are the same for the same seed.

/// `SplitMix64` (Steele, Lea and Flood 2014): small, and the same everywhere for ever, which is all that is asked of it here.
#[derive(Debug, Clone)]
pub struct Draw(u64);

impl Draw {
    /// Another seed gives other numbers.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`. Its slight bias does no harm here.
    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        let scaled = (self.number() >> 32) * u64::from(limit);
        u32::try_from(scaled >> 32).expect("the upper half of a product of two 32-bit numbers")
    }

    pub(crate) fn any(&mut self) -> u32 {
        self.below(u32::MAX)
    }

    /// True in so many of a hundred cases.
    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// A number in `from..to`; `from` where there is none.
    pub(crate) fn between(&mut self, from: i64, to: i64) -> i64 {
        let width = u64::try_from(to.saturating_sub(from)).unwrap_or(0).max(1);
        from + i64::try_from(self.number() % width).expect("below the width of an interval of i64")
    }

    pub(crate) fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        let count = u32::try_from(items.len()).expect("lists here are short");
        items[self.below(count) as usize]
    }
}
