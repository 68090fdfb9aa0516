//! Inclusion and consistency proofs, and their verification (RFC 9162 sections 2.1.3.2 and 2.1.4.2).

mod text;

pub(crate) use text::{ConsistencyTextError, split_consistency};
pub use text::{consistency_text, parse_consistency};

use crate::hash::Hash;
use crate::position::{LeafIndex, TreeSize};
use crate::tree::{EMPTY_ROOT, node_hash};

/// The most hashes that an inclusion proof in a tree of up to 2^63 leaves has.
pub const MAX_PATH_LEN: usize = 63;

/// That a leaf stands at an index of the tree of a size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// Where the leaf stands.
    pub index: LeafIndex,
    /// The size of the tree that holds it.
    pub size: TreeSize,
    /// The siblings from the leaf's up to the root's child.
    pub path: Vec<Hash>,
}

/// That a tree of one size starts with all leaves of a smaller one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// The smaller size.
    pub from: TreeSize,
    /// The larger size.
    pub to: TreeSize,
    /// The hashes in RFC 6962's order (section 2.1.2).
    pub path: Vec<Hash>,
}

/// Why an inclusion proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InclusionError {
    /// The tree does not reach the index.
    #[error("index {index} is not in a tree of size {size}")]
    IndexOutsideTree {
        /// The index.
        index: LeafIndex,
        /// The tree's size.
        size: TreeSize,
    },
    /// The path is longer or shorter than every proof for this index and size.
    #[error("the path has {actual} hashes where this index and size need {expected}")]
    PathLength {
        /// How many hashes the index and the size need.
        expected: usize,
        /// How many there are.
        actual: usize,
    },
    /// The path leads elsewhere.
    #[error("the path leads to the root {computed}, not to the expected one")]
    RootMismatch {
        /// Where it leads.
        computed: Hash,
    },
}

/// Why a consistency proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConsistencyError {
    /// The sizes stand the wrong way round.
    #[error("a tree of size {to} cannot extend one of size {from}")]
    Shrinks {
        /// The size to extend.
        from: TreeSize,
        /// The size that should extend it.
        to: TreeSize,
    },
    /// The path is longer or shorter than every proof between these sizes.
    #[error("the path has {actual} hashes where these sizes need {expected}")]
    PathLength {
        /// How many hashes the sizes need.
        expected: usize,
        /// How many there are.
        actual: usize,
    },
    /// The old root is not that of the smaller tree in the proof.
    #[error("the proof's smaller tree has the root {computed}, not the expected one")]
    OldRootMismatch {
        /// The root that the proof gives.
        computed: Hash,
    },
    /// The new root is not that of the larger tree in the proof.
    #[error("the proof's larger tree has the root {computed}, not the expected one")]
    NewRootMismatch {
        /// The root that the proof gives.
        computed: Hash,
    },
}

impl InclusionProof {
    /// Checks that the leaf with this hash stands where the proof says, in the tree with this root.
    pub fn verify(&self, leaf_hash: &Hash, root: &Hash) -> Result<(), InclusionError> {
        let (index, size) = (self.index, self.size);
        if !size.contains(index) {
            return Err(InclusionError::IndexOutsideTree { index, size });
        }
        let expected = inclusion_path_len(index.0, size.0);
        if self.path.len() != expected {
            return Err(InclusionError::PathLength { expected, actual: self.path.len() });
        }
        let (mut node, mut last) = (index.0, size.0 - 1);
        let mut computed = *leaf_hash;
        for sibling in &self.path {
            if node & 1 == 1 || node == last {
                computed = node_hash(sibling, &computed);
                skip_missing_siblings(&mut node, &mut last);
            } else {
                computed = node_hash(&computed, sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        if computed == *root { Ok(()) } else { Err(InclusionError::RootMismatch { computed }) }
    }
}

impl ConsistencyProof {
    /// Checks that the tree with the new root extends the one with the old root.
    ///
    /// Every tree extends the empty one, so from size 0 nothing is said about the new root, unless it is empty too.
    pub fn verify(&self, old_root: &Hash, new_root: &Hash) -> Result<(), ConsistencyError> {
        let (from, to) = (self.from, self.to);
        if from > to {
            return Err(ConsistencyError::Shrinks { from, to });
        }
        let expected = consistency_path_len(from.0, to.0);
        if self.path.len() != expected {
            return Err(ConsistencyError::PathLength { expected, actual: self.path.len() });
        }
        if from.0 == 0 && old_root != &EMPTY_ROOT {
            return Err(ConsistencyError::OldRootMismatch { computed: EMPTY_ROOT });
        }
        if from == to {
            let same = old_root == new_root;
            return if same {
                Ok(())
            } else {
                Err(ConsistencyError::NewRootMismatch { computed: *old_root })
            };
        }
        if from.0 == 0 {
            return Ok(());
        }
        let (computed_old, computed_new) = self.roots(old_root);
        if computed_old != *old_root {
            return Err(ConsistencyError::OldRootMismatch { computed: computed_old });
        }
        if computed_new != *new_root {
            return Err(ConsistencyError::NewRootMismatch { computed: computed_new });
        }
        Ok(())
    }

    /// The roots that the path gives for both sizes, where 0 < from < to and the path's length is right.
    fn roots(&self, old_root: &Hash) -> (Hash, Hash) {
        let (mut node, mut last) = (self.from.0 - 1, self.to.0 - 1);
        // The proof starts at the largest complete subtree that ends the old tree.
        let height = node.trailing_ones();
        node = node.checked_shr(height).unwrap_or(0);
        last = last.checked_shr(height).unwrap_or(0);
        // If that is the whole old tree, the proof leaves its root out.
        let (start, rest) = match self.path.split_first() {
            Some((first, rest)) if !self.from.0.is_power_of_two() => (*first, rest),
            _ => (*old_root, &self.path[..]),
        };
        let (mut old, mut new) = (start, start);
        for sibling in rest {
            if node & 1 == 1 || node == last {
                old = node_hash(sibling, &old);
                new = node_hash(sibling, &new);
                skip_missing_siblings(&mut node, &mut last);
            } else {
                new = node_hash(&new, sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        (old, new)
    }
}

/// On the right edge a node without a sibling is its own parent: climbs to where the node is a right child.
fn skip_missing_siblings(node: &mut u64, last: &mut u64) {
    if *node & 1 == 0 {
        let levels = node.trailing_zeros().min(63);
        *node >>= levels;
        *last >>= levels;
    }
}

/// How many hashes the proof has: one for each level below the node where the paths of the leaf and of the tree's last
/// leaf meet, and above it one for each level at which that node is a right child.
fn inclusion_path_len(index: u64, size: u64) -> usize {
    let below = u64::BITS - (index ^ (size - 1)).leading_zeros();
    let above = index.checked_shr(below).unwrap_or(0).count_ones();
    (below + above) as usize
}

/// The proof's start lies as high as the old tree's last complete subtree; from there it is the path of the old tree's
/// last leaf in the new tree, after the start's own hash unless that is the old root.
fn consistency_path_len(from: u64, to: u64) -> usize {
    if from == 0 || from >= to {
        return 0;
    }
    let seed = usize::from(!from.is_power_of_two());
    seed + inclusion_path_len(from - 1, to) - from.trailing_zeros() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prove::{self, MemoryTiles};
    use crate::tree::leaf_hash;
    use proptest::prelude::*;

    fn log(size: u64) -> MemoryTiles {
        let mut tiles = MemoryTiles::new();
        (0..size).for_each(|i| tiles.push(leaf_hash(&i.to_be_bytes())));
        tiles
    }

    fn flip(hash: &Hash, bit: usize) -> Hash {
        let mut bytes = *hash.as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        Hash::from_bytes(bytes)
    }

    #[test]
    fn what_cannot_be_is_refused_before_anything_is_hashed() {
        let proof = InclusionProof { index: LeafIndex(3), size: TreeSize(3), path: vec![] };
        let outside = InclusionError::IndexOutsideTree { index: LeafIndex(3), size: TreeSize(3) };
        assert_eq!(proof.verify(&Hash::ZERO, &Hash::ZERO), Err(outside));
        let proof = InclusionProof { index: LeafIndex(0), size: TreeSize(3), path: vec![Hash::ZERO; 1000] };
        let length = InclusionError::PathLength { expected: 2, actual: 1000 };
        assert_eq!(proof.verify(&Hash::ZERO, &Hash::ZERO), Err(length));
        let proof = ConsistencyProof { from: TreeSize(4), to: TreeSize(3), path: vec![] };
        let shrinks = ConsistencyError::Shrinks { from: TreeSize(4), to: TreeSize(3) };
        assert_eq!(proof.verify(&Hash::ZERO, &Hash::ZERO), Err(shrinks));
        let proof = ConsistencyProof { from: TreeSize(0), to: TreeSize(3), path: vec![Hash::ZERO] };
        let length = ConsistencyError::PathLength { expected: 0, actual: 1 };
        assert_eq!(proof.verify(&EMPTY_ROOT, &Hash::ZERO), Err(length));
    }

    #[test]
    fn empty_and_equal_trees() {
        let verify = |from, to, old: &Hash, new: &Hash| {
            ConsistencyProof { from: TreeSize(from), to: TreeSize(to), path: vec![] }.verify(old, new)
        };
        assert_eq!(verify(0, 0, &EMPTY_ROOT, &EMPTY_ROOT), Ok(()));
        assert_eq!(verify(0, 7, &EMPTY_ROOT, &Hash::ZERO), Ok(()));
        assert_eq!(verify(7, 7, &Hash::ZERO, &Hash::ZERO), Ok(()));
        let empty = ConsistencyError::OldRootMismatch { computed: EMPTY_ROOT };
        assert_eq!(verify(0, 0, &Hash::ZERO, &Hash::ZERO), Err(empty));
        assert_eq!(verify(0, 7, &Hash::ZERO, &Hash::ZERO), Err(empty));
        let differ = ConsistencyError::NewRootMismatch { computed: EMPTY_ROOT };
        assert_eq!(verify(0, 0, &EMPTY_ROOT, &Hash::ZERO), Err(differ));
        let differ = ConsistencyError::NewRootMismatch { computed: Hash::ZERO };
        assert_eq!(verify(7, 7, &Hash::ZERO, &EMPTY_ROOT), Err(differ));
    }

    #[test]
    fn the_largest_sizes_do_not_overflow() {
        for (index, size) in [(0, u64::MAX), (u64::MAX - 1, u64::MAX), (1 << 63, u64::MAX), (0, 1 << 63)] {
            let path = vec![Hash::ZERO; inclusion_path_len(index, size)];
            let proof = InclusionProof { index: LeafIndex(index), size: TreeSize(size), path };
            let refused = proof.verify(&Hash::ZERO, &Hash::ZERO);
            assert!(matches!(refused, Err(InclusionError::RootMismatch { .. })), "{index} {size}");
        }
        for (from, to) in
            [(1, u64::MAX), (1 << 63, u64::MAX), (u64::MAX - 1, u64::MAX), ((1 << 63) - 1, 1 << 63)]
        {
            let path = vec![Hash::ZERO; consistency_path_len(from, to)];
            let proof = ConsistencyProof { from: TreeSize(from), to: TreeSize(to), path };
            assert!(proof.verify(&Hash::ZERO, &Hash::ZERO).is_err(), "{from} {to}");
        }
        assert!(inclusion_path_len(0, 1 << 63) <= MAX_PATH_LEN);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_flipped_bit_of_an_inclusion_proof_is_found(
            size in 1_u64..900, index: prop::sample::Index, at: prop::sample::Index, bit in 0_usize..256,
        ) {
            let log = log(size);
            let index = LeafIndex(index.index(usize::try_from(size).expect("small")) as u64);
            let size = TreeSize(size);
            let (leaf, root) = (leaf_hash(&index.0.to_be_bytes()), prove::root(&log, size).expect("in memory"));
            let mut proof = prove::inclusion(&log, index, size).expect("in memory");
            prop_assert_eq!(proof.verify(&leaf, &root), Ok(()));
            prop_assert!(proof.verify(&flip(&leaf, bit), &root).is_err());
            prop_assert!(proof.verify(&leaf, &flip(&root, bit)).is_err());
            proof.path.push(Hash::ZERO);
            prop_assert!(proof.verify(&leaf, &root).is_err());
            proof.path.pop();
            if !proof.path.is_empty() {
                let at = at.index(proof.path.len());
                proof.path[at] = flip(&proof.path[at], bit);
                prop_assert!(proof.verify(&leaf, &root).is_err());
                proof.path.remove(at);
                prop_assert!(proof.verify(&leaf, &root).is_err());
            }
        }

        #[test]
        fn any_two_sizes_are_consistent_and_any_flipped_bit_is_found(
            a in 0_u64..900, b in 0_u64..900, at: prop::sample::Index, bit in 0_usize..256,
        ) {
            let (from, to) = (TreeSize(a.min(b)), TreeSize(a.max(b)));
            let log = log(to.0);
            let root = |size| prove::root(&log, size).expect("in memory");
            let (old, new) = (root(from), root(to));
            let mut proof = prove::consistency(&log, from, to).expect("in memory");
            prop_assert_eq!(proof.verify(&old, &new), Ok(()));
            prop_assert!(proof.verify(&flip(&old, bit), &new).is_err());
            prop_assert!(from.0 == 0 && to.0 > 0 || proof.verify(&old, &flip(&new, bit)).is_err());
            if !proof.path.is_empty() {
                let at = at.index(proof.path.len());
                proof.path[at] = flip(&proof.path[at], bit);
                prop_assert!(proof.verify(&old, &new).is_err());
                proof.path.remove(at);
                prop_assert!(proof.verify(&old, &new).is_err());
            }
        }
    }
}
