//! Which ids a run has rows about: told in memory, so that a run without them is not read.
//!
//! A Bloom filter: it may say of one id in sixty that is not there that it is, and never says of one that is there that it is not. The
//! ids are hashes, so their own bytes serve as hashes. The bits of an id lie side by side, so that to look for it reads one line of memory.

use std::ops::Range;

use crate::key;

/// Bits for each id, and how many of them are set: about 1.5 % are taken for others.
const BITS: u64 = 10;
const SET: u64 = 6;
/// Bytes of a line, all of whose bits are told by nine.
const LINE: usize = 64;
const NINE: u64 = 9;

/// The ids of a run.
#[derive(Debug, Default)]
pub(super) struct Filter {
    bits: Vec<u8>,
}

/// What of an id tells which bits are its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Print(u64, u64);

/// The id that all keys from one to another have, if they have the same: none of them is in a run that has not this one.
pub(super) fn print_of(from: &[u8], to: &[u8]) -> Option<Print> {
    let stem = key::stem(from)?;
    to.starts_with(stem).then(|| Print::of(stem))
}

impl Print {
    pub(super) fn of(stem: &[u8]) -> Self {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        let (tags, id) = stem.split_at(stem.len().saturating_sub(16));
        let tags = tags.iter().fold(0_u64, |all, tag| (all << 8) | u64::from(*tag)).wrapping_mul(ODD);
        let half =
            |half: usize| id.get(half * 8..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
        Self(u64::from_le_bytes(half(0)) ^ tags, u64::from_le_bytes(half(1)) ^ tags)
    }

    /// Which of so many lines is its own.
    fn line(self, lines: usize) -> Range<usize> {
        let line = (u128::from(self.0) * lines as u128) >> 64;
        let start = usize::try_from(line).unwrap_or_default() * LINE;
        start..start + LINE
    }

    /// Its bits in its line: in which byte, and which there.
    fn bits(self) -> impl Iterator<Item = (usize, u8)> {
        let bit = move |n: u64| (self.1 >> (NINE * n)) & 0x1ff;
        (0..SET).map(bit).map(|bit| (usize::try_from(bit / 8).unwrap_or_default(), 1 << (bit % 8)))
    }
}

impl Filter {
    /// For so many ids.
    pub(super) fn with_room(ids: u64) -> Self {
        let lines = ids.max(1).saturating_mul(BITS).div_ceil(8 * LINE as u64);
        Self { bits: vec![0; usize::try_from(lines).unwrap_or(usize::MAX).saturating_mul(LINE)] }
    }

    pub(super) fn add(&mut self, print: Print) {
        let line = print.line(self.bits.len() / LINE);
        let line = &mut self.bits[line];
        for (byte, bit) in print.bits() {
            line[byte] |= bit;
        }
    }

    /// Whether the run may have rows about it.
    pub(super) fn may_have(&self, print: Print) -> bool {
        let line = self.bits.get(print.line(self.bits.len() / LINE));
        line.is_some_and(|line| print.bits().all(|(byte, bit)| line[byte] & bit != 0))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bits
    }

    /// What [`Self::bytes`] gave.
    pub(super) const fn from_bytes(bits: Vec<u8>) -> Self {
        Self { bits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gt_core::Hash;

    fn prints(from: u32, to: u32) -> Vec<Print> {
        let stem = |n: u32| [b"sc", &Hash::of(&n.to_be_bytes()).as_bytes()[..16]].concat();
        (from..to).map(|n| Print::of(&stem(n))).collect()
    }

    #[test]
    fn what_is_there_is_never_missed_and_little_else_is_taken_for_it() {
        let there = prints(0, 5000);
        let mut filter = Filter::with_room(5000);
        for print in &there {
            filter.add(*print);
        }
        let filter = Filter::from_bytes(filter.bytes().to_vec());
        assert!(there.iter().all(|print| filter.may_have(*print)));
        let taken = prints(5000, 15_000).into_iter().filter(|print| filter.may_have(*print)).count();
        assert!(taken < 250, "{taken} of 10,000");
        assert!(!Filter::with_room(0).may_have(there[0]));
    }

    #[test]
    fn only_keys_about_one_id_have_a_print() {
        let of = |prefix: &[u8]| print_of(prefix, &key::after(prefix));
        let id = [7; 16];
        for prefix in [&[b"sc", &id[..]].concat()[..], &[b"a", &id[..]].concat(), &[b"h", &id[..]].concat()] {
            assert_eq!(of(prefix), of(&[prefix, b"more"].concat()));
            assert!(of(prefix).is_some() && of(&prefix[..10]).is_none());
        }
        assert_ne!(of(&[b"sc", &id[..]].concat()), of(&[b"sp", &id[..]].concat()));
        assert!(of(b"yaods:RX1-of-a-long-name\0").is_none() && of(b"o").is_none() && of(b"").is_none());
    }
}
