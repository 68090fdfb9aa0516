use std::sync::Arc;

use gt_core::TreeSize;
use gt_core::prove::{ProveError, TileSource};
use gt_core::tile::{HASH_LEN, HashTile, row_extent};

use super::error::LogFault;
use crate::audit::LogSource;

/// A log's hash tiles, as they stand in its tree of this size. Nothing vouches for them but what is worked out from them.
pub(super) struct Tiles<'a> {
    pub(super) source: &'a dyn LogSource,
    pub(super) size: TreeSize,
}

impl TileSource for Tiles<'_> {
    type Error = LogFault;

    /// The tile as wide as the tree has it, whatever less is needed: of a partial tile a log need not have another width.
    fn hash_tile(&self, level: u8, index: u64, _width: u16) -> Result<Arc<HashTile>, LogFault> {
        let width = row_extent(self.size, level).width_of(index);
        let part = self.source.tile(level, index, width)?;
        let (found, expected) = (part.bytes.len(), usize::from(width) * HASH_LEN);
        match HashTile::from_bytes(&part.bytes) {
            Ok(tile) if found == expected => Ok(Arc::new(tile)),
            _ => Err(LogFault::TileLength { place: part.place, found, expected }),
        }
    }
}

/// What is wrong with a log whose tree cannot be worked out. The sizes that are asked about are within the tree.
pub(super) fn fault_of(error: ProveError<LogFault>, size: TreeSize) -> LogFault {
    match error {
        ProveError::Source(fault) => fault,
        _ => LogFault::NotOneTree { size },
    }
}
