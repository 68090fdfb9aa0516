//! The RFC 6962 Merkle tree over SHA-256: its two hash functions, and the part of a tree that growing it needs.

use crate::hash::Hash;
use crate::position::TreeSize;

/// The root of the tree without leaves: SHA-256 of nothing (RFC 6962 section 2.1).
pub const EMPTY_ROOT: Hash = Hash::from_bytes([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, //
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

/// The prefixes keep a leaf from passing for a node and the reverse (RFC 6962 section 2.1).
const LEAF_PREFIX: &[u8] = &[0x00];
const NODE_PREFIX: &[u8] = &[0x01];

/// The hash of a leaf, from its data.
pub fn leaf_hash(data: &[u8]) -> Hash {
    Hash::of_parts(&[LEAF_PREFIX, data])
}

/// The hash of an inner node, from its two children.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Hash::of_parts(&[NODE_PREFIX, left.as_bytes(), right.as_bytes()])
}

/// The roots of the complete subtrees that a tree consists of: all that is needed to grow it and to compute its root,
/// in O(log n) space.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// One root for each bit that is set in `size`, the largest subtree first.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The frontier of the empty tree.
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// From the roots of the complete subtrees, largest first; there must be one for each bit set in `size`.
    pub fn from_peaks(size: TreeSize, peaks: Vec<Hash>) -> Self {
        debug_assert_eq!(peaks.len(), size.0.count_ones() as usize, "one peak for each bit of the size");
        Self { size: size.0, peaks }
    }

    /// Appends a leaf, given by its leaf hash. Amortised, one node is hashed for each leaf.
    pub fn push(&mut self, leaf_hash: Hash) {
        let mut hash = leaf_hash;
        for _ in 0..self.size.trailing_ones() {
            let left = self.peaks.pop().expect("a set bit of the size has its peak");
            hash = node_hash(&left, &hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// How many leaves the tree has.
    pub const fn size(&self) -> TreeSize {
        TreeSize(self.size)
    }

    /// The root of the tree: at most 63 nodes are hashed.
    pub fn root(&self) -> Hash {
        fold_peaks(&self.peaks).unwrap_or(EMPTY_ROOT)
    }
}

/// The root over adjacent complete subtrees whose sizes fall from left to right; `None` if there are none.
pub(crate) fn fold_peaks(peaks: &[Hash]) -> Option<Hash> {
    peaks.iter().rev().copied().reduce(|right, left| node_hash(&left, &right))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// MTH as RFC 6962 section 2.1 defines it.
    fn by_definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Hash::of(b""),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node_hash(&by_definition(left), &by_definition(right))
            }
        }
    }

    #[test]
    fn every_small_tree_has_the_root_of_the_definition() {
        let mut frontier = Frontier::new();
        let mut leaves = Vec::new();
        for i in 0..600_u32 {
            assert_eq!(frontier.root(), by_definition(&leaves));
            assert_eq!(frontier.size(), TreeSize(u64::from(i)));
            let leaf = leaf_hash(&i.to_be_bytes());
            frontier.push(leaf);
            leaves.push(leaf);
        }
    }

    #[test]
    fn leaf_node_and_plain_hashes_differ() {
        let (left, right) = (Hash::of(b"left"), Hash::of(b"right"));
        let joined = [*left.as_bytes(), *right.as_bytes()].concat();
        assert_ne!(node_hash(&left, &right), leaf_hash(&joined));
        assert_ne!(node_hash(&left, &right), node_hash(&right, &left));
        assert_ne!(leaf_hash(&joined), Hash::of(&joined));
    }

    proptest! {
        #[test]
        fn any_changed_leaf_changes_the_root(size in 1_usize..80, at: prop::sample::Index, bit in 0_usize..256) {
            let mut leaves: Vec<Hash> = (0..size).map(|i| leaf_hash(&i.to_be_bytes())).collect();
            let before = by_definition(&leaves);
            let at = at.index(size);
            let mut bytes = *leaves[at].as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            leaves[at] = Hash::from_bytes(bytes);
            let mut frontier = Frontier::new();
            for leaf in leaves {
                frontier.push(leaf);
            }
            prop_assert_ne!(frontier.root(), before);
        }
    }
}
