//! Roots and proofs from tiles.
//!
//! A tile keeps the roots of its complete subtrees, so a proof looks its hashes up; only the incomplete right edge of the
//! tree is hashed, at most one node for each level.

use std::sync::Arc;

use crate::hash::Hash;
use crate::position::{LeafIndex, TreeSize};
use crate::proof::{ConsistencyProof, InclusionProof};
use crate::tile::{FULL_WIDTH, HashTile, TILE_HEIGHT, row_extent};
use crate::tree::{Frontier, fold_peaks};

mod memory;

pub use memory::{MemoryTiles, MissingTile};

/// Where the hash tiles of a log are.
pub trait TileSource {
    /// Why a tile cannot be had.
    type Error;

    /// The tile at this level and index, with at least its first `width` hashes.
    ///
    /// `width` is 1 to 256, and is what the tile has in a tree of the size that is asked about; a tile that has grown
    /// since serves as well. The source MUST return only hashes of the log: what it returns is not checked here.
    fn hash_tile(&self, level: u8, index: u64, width: u16) -> Result<Arc<HashTile>, Self::Error>;
}

/// Why a root or a proof cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProveError<E> {
    /// The tree does not reach the index.
    #[error("index {index} is not in a tree of size {size}")]
    IndexOutsideTree {
        /// The index.
        index: LeafIndex,
        /// The tree's size.
        size: TreeSize,
    },
    /// The sizes stand the wrong way round.
    #[error("a tree of size {to} cannot extend one of size {from}")]
    Shrinks {
        /// The size to extend.
        from: TreeSize,
        /// The size that should extend it.
        to: TreeSize,
    },
    /// The source broke its promise.
    #[error("tile {index} of level {level} has {len} hashes where {width} are needed")]
    TileTooNarrow {
        /// The tile's level.
        level: u8,
        /// The tile's place in its row.
        index: u64,
        /// How many hashes were asked for.
        width: u16,
        /// How many came.
        len: u16,
    },
    /// A tile cannot be had.
    #[error("a tile cannot be read")]
    Source(#[source] E),
}

/// The frontier of the log at a size, from which it can be grown.
pub fn frontier<S: TileSource>(source: &S, size: TreeSize) -> Result<Frontier, ProveError<S::Error>> {
    let peaks = Nodes::new(source, size).peaks(0, size.0)?;
    Ok(Frontier::from_peaks(size, peaks))
}

/// The root of the log at a size.
pub fn root<S: TileSource>(source: &S, size: TreeSize) -> Result<Hash, ProveError<S::Error>> {
    Ok(frontier(source, size)?.root())
}

/// Proves that the leaf at this index is in the log at a size (RFC 6962 section 2.1.1).
pub fn inclusion<S: TileSource>(
    source: &S,
    index: LeafIndex,
    size: TreeSize,
) -> Result<InclusionProof, ProveError<S::Error>> {
    Prover::new(source, size).inclusion(index)
}

/// Proves that leaves are in the log at one size. What several proofs have in common, tiles and the hashes of the right edge, is looked up
/// and worked out once.
pub struct Prover<'s, S> {
    nodes: Nodes<'s, S>,
}

impl<'s, S: TileSource> Prover<'s, S> {
    /// A prover for the log at this size.
    pub fn new(source: &'s S, size: TreeSize) -> Self {
        Self { nodes: Nodes::new(source, size) }
    }

    /// Proves that the leaf at this index is in the log (RFC 6962 section 2.1.1).
    pub fn inclusion(&mut self, index: LeafIndex) -> Result<InclusionProof, ProveError<S::Error>> {
        let size = self.nodes.size;
        if !size.contains(index) {
            return Err(ProveError::IndexOutsideTree { index, size });
        }
        let mut path = Vec::with_capacity(log2_ceiling(size.0));
        let (mut low, mut high) = (0, size.0);
        while high - low > 1 {
            let middle = low + split(high - low);
            if index.0 < middle {
                path.push(self.nodes.subtree(middle, high)?);
                high = middle;
            } else {
                path.push(self.nodes.subtree(low, middle)?);
                low = middle;
            }
        }
        path.reverse();
        Ok(InclusionProof { index, size, path })
    }
}

/// Proves that the log at the larger size starts with the log at the smaller one (RFC 6962 section 2.1.2).
///
/// From size 0, and between equal sizes, the proof is empty.
pub fn consistency<S: TileSource>(
    source: &S,
    from: TreeSize,
    to: TreeSize,
) -> Result<ConsistencyProof, ProveError<S::Error>> {
    if from > to {
        return Err(ProveError::Shrinks { from, to });
    }
    if from.0 == 0 {
        return Ok(ConsistencyProof { from, to, path: Vec::new() });
    }
    let mut nodes = Nodes::new(source, to);
    let mut path = Vec::with_capacity(log2_ceiling(to.0) + 1);
    let (mut low, mut high) = (0, to.0);
    while high != from.0 {
        let middle = low + split(high - low);
        if from.0 <= middle {
            path.push(nodes.subtree(middle, high)?);
            high = middle;
        } else {
            path.push(nodes.subtree(low, middle)?);
            low = middle;
        }
    }
    // A part of the old tree; if it were the whole, the verifier would have its root already.
    if low > 0 {
        path.push(nodes.subtree(low, high)?);
    }
    path.reverse();
    Ok(ConsistencyProof { from, to, path })
}

/// The largest power of two below n, for n ≥ 2: where RFC 6962 splits a tree.
const fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

const fn log2_ceiling(n: u64) -> usize {
    (u64::BITS - n.saturating_sub(1).leading_zeros()) as usize
}

/// As many rows of tiles as a `u64` of leaves fills.
const ROWS: usize = 8;

/// The tree's nodes, with the last tile of each row kept at hand: most of a proof's hashes lie in the same few tiles.
struct Nodes<'s, S> {
    source: &'s S,
    size: TreeSize,
    at_hand: [Option<(u64, Arc<HashTile>)>; ROWS],
    /// Roots of subtrees that are not complete, by their first leaf. All of them end where the tree does.
    edge: Vec<(u64, Hash)>,
}

impl<'s, S: TileSource> Nodes<'s, S> {
    fn new(source: &'s S, size: TreeSize) -> Self {
        Self { source, size, at_hand: [const { None }; ROWS], edge: Vec::new() }
    }

    /// The root over the leaves `low..high`, a subtree of RFC 6962's division of the tree.
    fn subtree(&mut self, low: u64, high: u64) -> Result<Hash, ProveError<S::Error>> {
        if (high - low).is_power_of_two() {
            return self.complete(low, (high - low).ilog2());
        }
        let is_edge = high == self.size.0;
        if is_edge && let Some((_, root)) = self.edge.iter().find(|(first, _)| *first == low) {
            return Ok(*root);
        }
        let peaks = self.peaks(low, high)?;
        let root = fold_peaks(&peaks).expect("a subtree has leaves");
        if is_edge {
            self.edge.push((low, root));
        }
        Ok(root)
    }

    /// The roots of the complete subtrees that `low..high` consists of, largest first.
    fn peaks(&mut self, low: u64, high: u64) -> Result<Vec<Hash>, ProveError<S::Error>> {
        let mut peaks = Vec::with_capacity((high - low).count_ones() as usize);
        let mut low = low;
        while low < high {
            let height = (high - low).ilog2();
            peaks.push(self.complete(low, height)?);
            low += 1 << height;
        }
        Ok(peaks)
    }

    /// The root of the complete subtree of 2^height leaves from `low` on, which is a multiple of 2^height.
    fn complete(&mut self, low: u64, height: u32) -> Result<Hash, ProveError<S::Error>> {
        let level = u8::try_from(height / u32::from(TILE_HEIGHT)).expect("a height below 64");
        let within = u8::try_from(height % u32::from(TILE_HEIGHT)).expect("a remainder below 8");
        let place = low >> (u32::from(level) * u32::from(TILE_HEIGHT));
        let index = place / u64::from(FULL_WIDTH);
        let offset = u16::try_from(place % u64::from(FULL_WIDTH)).expect("a remainder below 256");
        let tile = self.tile(level, index)?;
        Ok(tile
            .subtree(within, offset)
            .expect("the tile has its width in this tree, and the subtree is complete"))
    }

    fn tile(&mut self, level: u8, index: u64) -> Result<&HashTile, ProveError<S::Error>> {
        let slot = &mut self.at_hand[usize::from(level)];
        if !matches!(slot, Some((held, _)) if *held == index) {
            let width = row_extent(self.size, level).width_of(index);
            let tile = self.source.hash_tile(level, index, width).map_err(ProveError::Source)?;
            if tile.len() < width {
                return Err(ProveError::TileTooNarrow { level, index, width, len: tile.len() });
            }
            *slot = Some((index, tile));
        }
        let (_, tile) = slot.as_ref().expect("filled above");
        Ok(tile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{EMPTY_ROOT, leaf_hash};
    use core::convert::Infallible;

    fn log(size: u64) -> MemoryTiles {
        let mut tiles = MemoryTiles::new();
        (0..size).for_each(|i| tiles.push(leaf_hash(&i.to_be_bytes())));
        tiles
    }

    #[test]
    fn every_pair_of_small_sizes_and_every_leaf_is_proved() {
        let log = log(70);
        for to in 0..=70 {
            let new = root(&log, TreeSize(to)).expect("in memory");
            for from in 0..=to {
                let old = root(&log, TreeSize(from)).expect("in memory");
                let proof = consistency(&log, TreeSize(from), TreeSize(to)).expect("in memory");
                assert_eq!(proof.verify(&old, &new), Ok(()), "{from} {to}");
            }
            let mut prover = Prover::new(&log, TreeSize(to));
            for index in 0..to {
                let proof = inclusion(&log, LeafIndex(index), TreeSize(to)).expect("in memory");
                assert_eq!(proof.verify(&leaf_hash(&index.to_be_bytes()), &new), Ok(()), "{index} {to}");
                assert_eq!(prover.inclusion(LeafIndex(index)), Ok(proof), "{index} {to}, one of several");
            }
        }
    }

    #[test]
    fn the_frontier_from_tiles_is_the_grown_one() {
        let log = log(66_000);
        let mut grown = Frontier::new();
        for size in 0..=66_000 {
            if size < 600 || size % 256 < 2 || size > 65_530 {
                assert_eq!(frontier(&log, TreeSize(size)), Ok(grown.clone()), "{size}");
            }
            grown.push(leaf_hash(&size.to_be_bytes()));
        }
        assert_eq!(root(&log, TreeSize(0)), Ok(EMPTY_ROOT));
    }

    #[test]
    fn what_the_log_does_not_reach_is_refused() {
        let log = log(300);
        let outside = ProveError::IndexOutsideTree { index: LeafIndex(5), size: TreeSize(5) };
        assert_eq!(inclusion(&log, LeafIndex(5), TreeSize(5)), Err(outside));
        let shrinks = ProveError::Shrinks { from: TreeSize(6), to: TreeSize(5) };
        assert_eq!(consistency(&log, TreeSize(6), TreeSize(5)), Err(shrinks));
        let missing = ProveError::Source(MissingTile { level: 0, index: 1, width: 45 });
        assert_eq!(root(&log, TreeSize(301)), Err(missing));
    }

    struct Empty;

    impl TileSource for Empty {
        type Error = Infallible;

        fn hash_tile(&self, _: u8, _: u64, _: u16) -> Result<Arc<HashTile>, Infallible> {
            Ok(Arc::new(HashTile::new()))
        }
    }

    #[test]
    fn a_tile_that_is_too_narrow_is_found() {
        let narrow = ProveError::TileTooNarrow { level: 0, index: 0, width: 3, len: 0 };
        assert_eq!(root(&Empty, TreeSize(3)), Err(narrow));
        // Sizes beyond any log must not overflow either.
        assert!(root(&Empty, TreeSize(u64::MAX)).is_err());
        assert!(inclusion(&Empty, LeafIndex(u64::MAX - 1), TreeSize(u64::MAX)).is_err());
        assert!(consistency(&Empty, TreeSize(1 << 63), TreeSize(u64::MAX)).is_err());
    }
}
