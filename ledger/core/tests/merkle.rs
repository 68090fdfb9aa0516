//! Our tree, tiles and checkpoints against two other implementations: the crates ct-merkle and `tlog_tiles`.

use std::collections::BTreeSet;

use ct_merkle::RootHash;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use gt_core::checkpoint::Checkpoint;
use gt_core::proof::{ConsistencyProof, InclusionProof};
use gt_core::prove::{self, MemoryTiles, TileSource};
use gt_core::tile::{FULL_WIDTH, TileKind, TilePath, row_extent};
use gt_core::tree::{Frontier, leaf_hash};
use gt_core::{Hash, LeafIndex, TreeSize};
use proptest::prelude::*;
use sha2::Sha256;
use tlog_tiles::{HashReader, Tile, TileHashReader, TileReader};

/// Sizes around the boundaries of subtrees and of tiles, up to the third level of tiles.
const BOUNDARIES: [u64; 20] =
    [0, 1, 2, 3, 4, 7, 8, 9, 127, 128, 255, 256, 257, 511, 512, 513, 4096, 65_535, 65_536, 65_537];

const LARGEST: u64 = 66_200;

/// Numbers that look random and are the same in every run (Knuth's multiplier for 64 bits).
struct Sequence(u64);

impl Sequence {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// The same leaves in all three implementations.
#[derive(Default)]
struct Logs {
    tiles: MemoryTiles,
    frontier: Frontier,
    ct: MemoryBackedTree<Sha256, [u8; 8]>,
    stored: Stored,
}

/// `tlog_tiles`' own storage of a tree.
#[derive(Default)]
struct Stored(Vec<tlog_tiles::Hash>);

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|index| self.0[at(*index)]).collect())
    }
}

/// Our tiles, as `tlog_tiles` reads them.
struct Served<'a>(&'a MemoryTiles);

impl TileReader for Served<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        Ok(tiles.iter().map(|tile| served(self.0, tile)).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

fn served(tiles: &MemoryTiles, tile: &Tile) -> Vec<u8> {
    let width = u16::try_from(tile.width()).expect("at most 256");
    let ours = tiles.hash_tile(tile.level(), tile.level_index(), width).expect("a tile of the log");
    ours.prefix(width).expect("as wide as asked for")
}

fn at(index: u64) -> usize {
    usize::try_from(index).expect("a 64-bit machine")
}

fn leaf(index: u64) -> [u8; 8] {
    index.to_be_bytes()
}

fn theirs(hash: &Hash) -> tlog_tiles::Hash {
    tlog_tiles::Hash(*hash.as_bytes())
}

fn ours(hash: &tlog_tiles::Hash) -> Hash {
    Hash::from_bytes(hash.0)
}

fn concatenated(path: &[Hash]) -> Vec<u8> {
    path.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

fn split(bytes: &[u8]) -> Vec<Hash> {
    let (hashes, rest) = bytes.as_chunks();
    assert!(rest.is_empty());
    hashes.iter().map(|hash| Hash::from_bytes(*hash)).collect()
}

impl Logs {
    fn push(&mut self) {
        let index = self.frontier.size().0;
        let hash = leaf_hash(&leaf(index));
        let added =
            tlog_tiles::stored_hashes(index, &leaf(index), &self.stored).expect("all hashes are stored");
        self.stored.0.extend(added);
        self.ct.push(leaf(index));
        self.tiles.push(hash);
        self.frontier.push(hash);
    }

    fn ct_root(&self) -> RootHash<Sha256> {
        self.ct.root()
    }

    fn check_roots(&self) {
        let size = self.frontier.size();
        let root = self.frontier.root();
        assert_eq!(prove::root(&self.tiles, size), Ok(root), "{size}");
        assert_eq!(root.as_bytes(), &<[u8; 32]>::from(*self.ct_root().as_bytes()), "{size}");
        if size.0 > 0 {
            let theirs = tlog_tiles::tree_hash(size.0, &self.stored).expect("all hashes are stored");
            assert_eq!(root, ours(&theirs), "{size}");
        }
    }

    /// Both other implementations make our proof, accept ours, and we accept theirs.
    fn check_inclusion(&self, index: u64) {
        let (size, root) = (self.frontier.size(), self.frontier.root());
        let leaf = leaf(index);
        let proof = prove::inclusion(&self.tiles, LeafIndex(index), size).expect("in memory");

        let ct = self.ct.prove_inclusion(at(index));
        let from_ct = InclusionProof { path: split(ct.as_bytes()), ..proof.clone() };
        assert_eq!(from_ct.verify(&leaf_hash(&leaf), &root), Ok(()));
        assert_eq!(from_ct, proof, "{index} in {size}");
        let for_ct =
            ct_merkle::InclusionProof::try_from_bytes(concatenated(&proof.path)).expect("whole hashes");
        self.ct_root().verify_inclusion(&leaf, index, &for_ct).expect("ct-merkle accepts our proof");

        let expected: Vec<_> = proof.path.iter().map(theirs).collect();
        let tlog = tlog_tiles::prove_record(size.0, index, &self.stored).expect("all hashes are stored");
        assert_eq!(tlog, expected, "{index} in {size}");
        let served = Served(&self.tiles);
        let from_tiles = TileHashReader::new(size.0, theirs(&root), &served);
        let tlog = tlog_tiles::prove_record(size.0, index, &from_tiles).expect("tiles that lead to the root");
        assert_eq!(tlog, expected, "{index} in {size}");
        tlog_tiles::check_record(&expected, size.0, theirs(&root), index, tlog_tiles::record_hash(&leaf))
            .expect("tlog_tiles accepts our proof");
    }

    /// As above, for the consistency of an earlier size, not 0, with the present one.
    fn check_consistency(&self, from: u64) {
        let (size, root) = (self.frontier.size(), self.frontier.root());
        let old = prove::root(&self.tiles, TreeSize(from)).expect("in memory");
        let proof = prove::consistency(&self.tiles, TreeSize(from), size).expect("in memory");
        assert_eq!(proof.verify(&old, &root), Ok(()));

        let ct = self.ct.prove_consistency(at(size.0 - from));
        let from_ct = ConsistencyProof { path: split(ct.as_bytes()), ..proof.clone() };
        assert_eq!(from_ct, proof, "{from} to {size}");
        let for_ct =
            ct_merkle::ConsistencyProof::try_from_bytes(concatenated(&proof.path)).expect("whole hashes");
        let ct_old = RootHash::new((*old.as_bytes()).into(), from);
        self.ct_root().verify_consistency(&ct_old, &for_ct).expect("ct-merkle accepts our proof");

        let expected: Vec<_> = proof.path.iter().map(theirs).collect();
        let tlog = tlog_tiles::prove_tree(size.0, from, &self.stored).expect("all hashes are stored");
        assert_eq!(tlog, expected, "{from} to {size}");
        tlog_tiles::check_tree(&expected, size.0, theirs(&root), from, theirs(&old))
            .expect("tlog_tiles accepts our proof");
    }

    /// The same tiles, under the same paths, with the same bytes.
    fn check_tiles(&self) {
        let size = self.frontier.size();
        let mut paths = BTreeSet::new();
        for tile in Tile::new_tiles(8, 0, size.0) {
            let stored = tile.read_data(&self.stored).expect("all hashes are stored");
            assert_eq!(served(&self.tiles, &tile), stored, "{}", tile.path());
            paths.insert(tile.path().replacen("tile/8/", "tile/", 1));
        }
        let mut expected = BTreeSet::new();
        for level in 0..8 {
            let row = row_extent(size, level);
            for index in 0..=row.full {
                let width = row.width_of(index);
                if width > 0 {
                    expected.insert(TilePath::hashes(level, index, width).expect("possible").to_path());
                }
            }
        }
        assert_eq!(paths, expected, "{size}");
    }

    fn check(&self, sequence: &mut Sequence) {
        let size = self.frontier.size().0;
        self.check_roots();
        self.check_tiles();
        if size == 0 {
            return;
        }
        let near = [0, size / 2, size - 1, size.saturating_sub(2), (size - 1) & !255];
        let random: Vec<u64> = (0..4).map(|_| sequence.below(size)).collect();
        near.iter().chain(&random).for_each(|index| self.check_inclusion(*index));
        let halved = [size, size.div_ceil(2), size.next_power_of_two() / 2];
        let earlier = BOUNDARIES.iter().chain(&halved).chain(&near).chain(&random).copied();
        let earlier: BTreeSet<u64> = earlier.filter(|from| (1..=size).contains(from)).collect();
        for from in earlier {
            self.check_consistency(from);
        }
    }
}

#[test]
fn all_three_agree_at_every_small_size() {
    let mut logs = Logs::default();
    let mut sequence = Sequence(1);
    for _ in 0..=40 {
        logs.check(&mut sequence);
        let size = logs.frontier.size().0;
        (0..size).for_each(|index| logs.check_inclusion(index));
        (1..=size).for_each(|from| logs.check_consistency(from));
        logs.push();
    }
}

#[test]
fn all_three_agree_around_the_boundaries_and_at_random_sizes() {
    let mut logs = Logs::default();
    let mut sequence = Sequence(2);
    let mut sizes: BTreeSet<u64> = BOUNDARIES.into_iter().chain([LARGEST]).collect();
    sizes.extend((0..16).map(|_| sequence.below(LARGEST)));
    for size in sizes {
        while logs.frontier.size().0 < size {
            logs.push();
        }
        logs.check(&mut sequence);
    }
}

proptest! {
    #[test]
    fn tile_paths_agree(level in 0_u8..=63, index: u64, width in 1..=FULL_WIDTH, entries: bool) {
        // tlog_tiles writes the height of its tiles into the path, and "data" for C2SP's "entries".
        let path = if entries { TilePath::entries(index, width) } else { TilePath::hashes(level, index, width) };
        let their_level = if entries { 0 } else { level };
        let tile = Tile::new(8, their_level, index, u32::from(width), entries);
        let expected = tile.path().replacen("tile/8/data/", "tile/entries/", 1).replacen("tile/8/", "tile/", 1);
        prop_assert_eq!(path.expect("possible").to_path(), expected);
    }

    // Levels above 63 and the width 0 are left out: tlog_tiles panics at those.
    #[test]
    fn both_read_the_same_paths(
        rest in "(0?[0-9]|[1-5][0-9]|6[0-3])(/x[0-9]{3}){0,2}/x?[0-9]{2,3}(\\.p/[1-9][0-9]{0,2})?",
    ) {
        let theirs = Tile::from_path(&format!("tile/8/{rest}")).ok();
        let theirs = theirs.map(|tile| (tile.level(), tile.level_index(), tile.width()));
        let ours = TilePath::parse(&format!("tile/{rest}")).ok().map(|path| {
            let TileKind::Hashes { level } = path.kind() else { panic!("a level is a number here") };
            (level, path.index(), u32::from(path.width()))
        });
        prop_assert_eq!(ours, theirs, "{}", rest);
    }

    #[test]
    fn checkpoints_agree(origin in "[a-z./ +é]{1,20}", size in 1_u64.., root: [u8; 32]) {
        let ours = Checkpoint::new(&origin, TreeSize(size), Hash::from_bytes(root)).expect("sound");
        let theirs = tlog_tiles::Checkpoint::new(&origin, size, tlog_tiles::Hash(root), "").expect("sound");
        prop_assert_eq!(ours.to_string().into_bytes(), theirs.to_bytes());
        let read = tlog_tiles::Checkpoint::from_bytes(ours.to_string().as_bytes()).ok();
        prop_assert_eq!(read, Some(theirs));
    }
}
