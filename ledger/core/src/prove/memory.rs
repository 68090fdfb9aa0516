//! All tiles of a log, in memory: for whoever checks a mirrored log, and for trees that are rebuilt.

use std::sync::Arc;

use super::TileSource;
use crate::hash::Hash;
use crate::position::TreeSize;
use crate::tile::HashTile;

/// A log's hash tiles, grown leaf by leaf. They take about 64 bytes for each leaf.
#[derive(Debug, Clone, Default)]
pub struct MemoryTiles {
    size: u64,
    /// For each level its tiles, of which only the last may be partial.
    rows: Vec<Vec<Arc<HashTile>>>,
}

/// The log does not hold the tile, or not as wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no tile {index} of level {level} that is {width} wide")]
pub struct MissingTile {
    /// The tile's level.
    pub level: u8,
    /// The tile's place in its row.
    pub index: u64,
    /// How many hashes were asked for.
    pub width: u16,
}

impl MemoryTiles {
    /// The tiles of the empty log: none.
    pub const fn new() -> Self {
        Self { size: 0, rows: Vec::new() }
    }

    /// Appends a leaf, given by its leaf hash. A tile that this fills hands its root to the level above.
    pub fn push(&mut self, leaf_hash: Hash) {
        let mut carried = Some(leaf_hash);
        let mut level = 0;
        while let Some(hash) = carried {
            if level == self.rows.len() {
                self.rows.push(Vec::new());
            }
            let row = &mut self.rows[level];
            if row.last().is_none_or(|tile| tile.is_full()) {
                row.push(Arc::new(HashTile::new()));
            }
            let tile = Arc::make_mut(row.last_mut().expect("pushed above if there was none"));
            tile.push(hash).expect("a full tile was followed by a new one above");
            carried = tile.root();
            level += 1;
        }
        self.size += 1;
    }

    /// How many leaves the log has.
    pub const fn size(&self) -> TreeSize {
        TreeSize(self.size)
    }
}

impl TileSource for MemoryTiles {
    type Error = MissingTile;

    fn hash_tile(&self, level: u8, index: u64, width: u16) -> Result<Arc<HashTile>, MissingTile> {
        let row = self.rows.get(usize::from(level)).map_or(&[][..], Vec::as_slice);
        let tile = usize::try_from(index).ok().and_then(|index| row.get(index));
        tile.filter(|tile| tile.len() >= width).cloned().ok_or(MissingTile { level, index, width })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tile::row_extent;
    use crate::tree::leaf_hash;

    #[test]
    fn the_rows_are_those_of_the_size_and_no_longer() {
        let mut tiles = MemoryTiles::new();
        (0..66_100_u64).for_each(|i| tiles.push(leaf_hash(&i.to_be_bytes())));
        assert_eq!(tiles.size(), TreeSize(66_100));
        for level in 0..4 {
            let row = row_extent(tiles.size(), level);
            for index in row.full.saturating_sub(1)..row.full + 2 {
                let width = row.width_of(index);
                if width > 0 {
                    assert_eq!(tiles.hash_tile(level, index, width).expect("there").len(), width);
                }
                let missing = MissingTile { level, index, width: width + 1 };
                assert_eq!(tiles.hash_tile(level, index, width + 1), Err(missing));
            }
        }
    }

    #[test]
    fn a_tile_that_was_handed_out_does_not_change() {
        let mut tiles = MemoryTiles::new();
        tiles.push(Hash::ZERO);
        let before = tiles.hash_tile(0, 0, 1).expect("there");
        tiles.push(Hash::ZERO);
        assert_eq!((before.len(), tiles.hash_tile(0, 0, 2).expect("there").len()), (1, 2));
    }
}
