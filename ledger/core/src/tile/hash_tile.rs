//! A hash tile with the inner nodes of its complete subtrees, so that proofs look hashes up instead of computing them.

use core::fmt;

use super::{FULL_WIDTH, TILE_HEIGHT};
use crate::hash::Hash;
use crate::tree::node_hash;

/// The length of a hash in a tile, in bytes.
pub const HASH_LEN: usize = 32;

/// Up to 256 consecutive Merkle tree hashes of one level, with every complete subtree's root over them.
///
/// A full tile takes 16 KiB of memory.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HashTile {
    len: u16,
    /// The nodes in post-order: each hash is followed by the roots of the subtrees that it completes. Growing the tile
    /// only ever appends.
    nodes: Vec<Hash>,
}

/// Why bytes are not a hash tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashTileError {
    /// The length is not a multiple of 32.
    #[error("{len} bytes are not a whole number of 32-byte hashes")]
    TornHash {
        /// The length in bytes.
        len: usize,
    },
    /// More than 256 hashes.
    #[error("{len} bytes are more than the 8192 of a full tile")]
    TooLong {
        /// The length in bytes.
        len: usize,
    },
}

/// The tile holds 256 hashes already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tile is full")]
pub struct TileFull;

impl HashTile {
    /// A tile without hashes, to grow.
    pub const fn new() -> Self {
        Self { len: 0, nodes: Vec::new() }
    }

    /// Reads a tile: 0 to 256 hashes of 32 bytes each. No bytes give the tile that has yet to grow.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HashTileError> {
        let len = bytes.len();
        if len > usize::from(FULL_WIDTH) * HASH_LEN {
            return Err(HashTileError::TooLong { len });
        }
        let (hashes, rest) = bytes.as_chunks::<HASH_LEN>();
        if !rest.is_empty() {
            return Err(HashTileError::TornHash { len });
        }
        let mut tile = Self { len: 0, nodes: Vec::with_capacity(2 * hashes.len()) };
        for hash in hashes {
            tile.push(Hash::from_bytes(*hash)).expect("at most 256 hashes, as checked above");
        }
        Ok(tile)
    }

    /// Appends a hash, and the root of every subtree that it completes.
    pub fn push(&mut self, hash: Hash) -> Result<(), TileFull> {
        if self.len == FULL_WIDTH {
            return Err(TileFull);
        }
        let mut node = hash;
        self.nodes.push(node);
        for height in 0..self.len.trailing_ones() {
            // The left sibling ends just before the right subtree, whose 2^(height+1) − 1 nodes stand at the end.
            let left = self.nodes.len() - (2 << height);
            node = node_hash(&self.nodes[left], &node);
            self.nodes.push(node);
        }
        self.len += 1;
        Ok(())
    }

    /// How many hashes the tile holds, 0 to 256.
    pub const fn len(&self) -> u16 {
        self.len
    }

    /// Whether the tile holds no hash yet.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether the tile holds 256 hashes.
    pub const fn is_full(&self) -> bool {
        self.len == FULL_WIDTH
    }

    /// The hash at a place in the tile.
    pub fn hash(&self, offset: u16) -> Option<Hash> {
        self.subtree(0, offset)
    }

    /// The root of the complete subtree over the 2^`height` hashes from `offset` on; `None` if `offset` is no multiple
    /// of 2^`height`, if the tile does not hold all of them, or if the subtree is higher than a tile.
    pub fn subtree(&self, height: u8, offset: u16) -> Option<Hash> {
        if height > TILE_HEIGHT || offset >= FULL_WIDTH || !offset.is_multiple_of(1 << height) {
            return None;
        }
        let last = offset + (1 << height) - 1;
        if last >= self.len { None } else { Some(self.nodes[place_of(last) + usize::from(height)]) }
    }

    /// The root over all 256 hashes, which is what the tile above holds; `None` unless the tile is full.
    pub fn root(&self) -> Option<Hash> {
        self.subtree(TILE_HEIGHT, 0)
    }

    /// The tile's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.leading(self.len)
    }

    /// The bytes of the partial tile of this width; `None` if the tile is narrower.
    pub fn prefix(&self, width: u16) -> Option<Vec<u8>> {
        (width <= self.len).then(|| self.leading(width))
    }

    fn leading(&self, width: u16) -> Vec<u8> {
        (0..width).flat_map(|offset| *self.nodes[place_of(offset)].as_bytes()).collect()
    }
}

/// Where hash number `offset` stands in post-order: k hashes bring 2k − popcount(k) nodes with them.
fn place_of(offset: u16) -> usize {
    2 * usize::from(offset) - offset.count_ones() as usize
}

impl fmt::Debug for HashTile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashTile").field("len", &self.len).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Frontier, leaf_hash};
    use proptest::prelude::*;

    fn tile(len: u16) -> HashTile {
        let mut tile = HashTile::new();
        for i in 0..len {
            tile.push(leaf_hash(&i.to_be_bytes())).expect("room");
        }
        tile
    }

    #[test]
    fn every_complete_subtree_is_found_and_no_other() {
        for len in [0, 1, 2, 3, 127, 128, 200, 255, 256] {
            let tile = tile(len);
            for height in 0..=9_u8 {
                for offset in 0..260_u16 {
                    let end = offset + (1 << height);
                    let there = height <= 8 && offset % (1 << height) == 0 && end <= len;
                    let expected = there.then(|| {
                        let mut frontier = Frontier::new();
                        (offset..end).for_each(|i| frontier.push(leaf_hash(&i.to_be_bytes())));
                        frontier.root()
                    });
                    assert_eq!(tile.subtree(height, offset), expected, "{len} {height} {offset}");
                }
            }
        }
    }

    #[test]
    fn a_full_tile_takes_no_more_and_has_a_root() {
        let mut full = tile(256);
        assert_eq!(full.push(Hash::ZERO), Err(TileFull));
        assert!(full.is_full() && full.root().is_some());
        assert_eq!(full.nodes.len(), 511);
        assert_eq!(tile(255).root(), None);
    }

    #[test]
    fn lengths_that_no_tile_has_are_refused() {
        assert_eq!(HashTile::from_bytes(&[0; 33]), Err(HashTileError::TornHash { len: 33 }));
        assert_eq!(HashTile::from_bytes(&[0; 8224]), Err(HashTileError::TooLong { len: 8224 }));
        assert_eq!(HashTile::from_bytes(&[]), Ok(HashTile::new()));
    }

    proptest! {
        #[test]
        fn bytes_round_trip_and_prefixes_are_earlier_tiles(len in 0_u16..=256, width in 0_u16..=256) {
            let grown = tile(len);
            prop_assert_eq!(HashTile::from_bytes(&grown.to_bytes()), Ok(grown.clone()));
            let earlier = (width <= len).then(|| tile(width).to_bytes());
            prop_assert_eq!(grown.prefix(width), earlier);
        }

        #[test]
        fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..9000)) {
            let whole = bytes.len() % 32 == 0 && bytes.len() <= 8192;
            prop_assert_eq!(HashTile::from_bytes(&bytes).map(|tile| tile.to_bytes()).ok(), whole.then_some(bytes));
        }
    }
}
