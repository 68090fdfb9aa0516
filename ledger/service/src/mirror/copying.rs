use gt_core::checkpoint::Checkpoint;
use gt_core::entry::Entry;
use gt_core::prove::{self, TileSource};
use gt_core::tile::{FULL_WIDTH, HASH_LEN, HashTile, TileKind, row_extent, split_bundle};
use gt_core::tree::{Frontier, leaf_hash};
use gt_core::{Hash, TreeSize};

use super::error::{LogFault, MirrorError};
use super::folder::Progress;
use super::head::Head;
use super::succession::Succession;
use super::tiles::{Tiles, fault_of};
use super::writer::Writer;
use crate::audit::{DataFolder, LogSource, Part};
use crate::layout::{self, BUNDLE, within_bundle};

/// What a mirror holds, as far as going on needs it: one tile a level, whatever the log's size.
pub(super) struct Held {
    size: TreeSize,
    frontier: Frontier,
    succession: Succession,
    /// The leaf hashes of the growing bundle.
    leaves: HashTile,
    /// The growing tile of each level above, from level 1 up.
    upper: Vec<Growing>,
}

/// The growing tile of one level.
struct Growing {
    index: u64,
    tile: HashTile,
}

/// A bundle whose entries are those of the tile that is served.
struct Bundle {
    place: String,
    bytes: Vec<u8>,
    tile: HashTile,
    /// The mirror had it already, from a copy that was interrupted.
    kept: bool,
}

/// Copies a served log behind what a mirror holds: a bundle at a time, each checked before it is written.
pub(super) struct Copying<'a> {
    folder: &'a DataFolder,
    served: &'a Head<'a>,
    writer: &'a mut Writer,
    held: Held,
}

impl Held {
    /// Nothing.
    pub(super) const fn nothing() -> Self {
        Self {
            size: TreeSize(0),
            frontier: Frontier::new(),
            succession: Succession::new(),
            leaves: HashTile::new(),
            upper: Vec::new(),
        }
    }

    /// What the folder holds under its checkpoint, which must be so.
    pub(super) fn read(folder: &DataFolder, checkpoint: &Checkpoint) -> Result<Self, LogFault> {
        let (size, stated) = (checkpoint.size(), checkpoint.root());
        let tiles = Tiles { source: folder, size };
        let frontier = prove::frontier(&tiles, size).map_err(|error| fault_of(error, size))?;
        let found = frontier.root();
        if found != stated {
            return Err(LogFault::OtherRoot { size, found, stated });
        }
        let mut levels = Vec::new();
        for level in 0.. {
            let row = row_extent(size, level);
            if row.full == 0 && row.partial == 0 {
                break;
            }
            let tile = match row.partial {
                0 => HashTile::new(),
                width => HashTile::clone(&*tiles.hash_tile(level, row.full, width)?),
            };
            levels.push(Growing { index: row.full, tile });
        }
        let leaves = levels.remove(0).tile;
        let (last, hash) = last_entry(folder, &tiles)?;
        Ok(Self { size, frontier, succession: Succession::after(&last, hash), leaves, upper: levels })
    }

    /// The growing tile of a level, from 1 up.
    fn level(&mut self, level: u8) -> &mut Growing {
        let at = usize::from(level) - 1;
        if self.upper.len() == at {
            self.upper.push(Growing { index: 0, tile: HashTile::new() });
        }
        &mut self.upper[at]
    }
}

/// The last entry that the folder holds, whose leaf hash must be that of the tile.
fn last_entry(folder: &DataFolder, tiles: &Tiles<'_>) -> Result<(Entry, Hash), LogFault> {
    let index = tiles.size.0 - 1;
    let number = index / BUNDLE;
    let width = row_extent(tiles.size, 0).width_of(number);
    let Part { place, bytes } = folder.bundle(number, width)?;
    let entries = split_bundle(&bytes).ok().filter(|entries| entries.len() == usize::from(width));
    let Some(bytes) = entries.and_then(|entries| entries.last().copied()) else {
        return Err(LogFault::Bundle { place, expected: width });
    };
    let hash = leaf_hash(bytes);
    if tiles.hash_tile(0, number, width)?.hash(width - 1) != Some(hash) {
        return Err(LogFault::TileHash { place });
    }
    match Entry::parse(bytes) {
        Ok(entry) => Ok((entry, hash)),
        Err(source) => Err(LogFault::Entry { place, index, source }),
    }
}

impl<'a> Copying<'a> {
    pub(super) const fn new(
        folder: &'a DataFolder,
        served: &'a Head<'a>,
        writer: &'a mut Writer,
        held: Held,
    ) -> Self {
        Self { folder, served, writer, held }
    }

    /// Copies up to the served checkpoint. The caller makes durable what was written, and then publishes the checkpoint.
    pub(super) fn run(mut self, progress: &mut dyn FnMut(Progress)) -> Result<(), MirrorError> {
        let (from, size) = (self.held.size.0, self.size().0);
        for number in from / BUNDLE..size.div_ceil(BUNDLE) {
            let width = row_extent(self.size(), 0).width_of(number);
            let bundle = self.verified(number, width).map_err(MirrorError::Served)?;
            let known = if number == from / BUNDLE { within_bundle(from) } else { 0 };
            self.follow(&bundle, number * BUNDLE, known).map_err(MirrorError::Served)?;
            self.write(number, width, &bundle)?;
            progress(Progress { copied: (number * BUNDLE + u64::from(width)) - from, of: size - from });
        }
        self.finish()
    }

    const fn size(&self) -> TreeSize {
        self.served.checkpoint().size()
    }

    /// A bundle whose entries have the leaf hashes that are served. One that an interrupted copy left is as good as another.
    fn verified(&mut self, number: u64, width: u16) -> Result<Bundle, LogFault> {
        let stated = self.served_tile(0, number, width)?;
        if width == FULL_WIDTH
            && let Ok(Part { place, bytes }) = self.folder.bundle(number, width)
            && let Some(tile) = leaf_hashes(&bytes, width)
            && tile.to_bytes() == stated.bytes
        {
            return Ok(Bundle { place, bytes, tile, kept: true });
        }
        let Part { place, bytes } = self.served.source.bundle(number, width)?;
        let Some(tile) = leaf_hashes(&bytes, width) else {
            return Err(LogFault::Bundle { place, expected: width });
        };
        if tile.to_bytes() != stated.bytes {
            return Err(LogFault::TileHash { place: stated.place });
        }
        Ok(Bundle { place, bytes, tile, kept: false })
    }

    /// Checks that the bundle begins with what the mirror has of it, and that every further entry follows the one before.
    fn follow(&mut self, bundle: &Bundle, first: u64, known: usize) -> Result<(), LogFault> {
        let held = &mut self.held;
        if known > 0 && !bundle.tile.to_bytes().starts_with(&held.leaves.to_bytes()) {
            return Err(LogFault::TileHash { place: bundle.place.clone() });
        }
        let entries = split_bundle(&bundle.bytes).expect("its leaf hashes were worked out");
        for ((bytes, index), offset) in entries.into_iter().zip(first..).zip(0..).skip(known) {
            let place = || bundle.place.clone();
            let entry = match Entry::parse(bytes) {
                Ok(entry) => entry,
                Err(source) => return Err(LogFault::Entry { place: place(), index, source }),
            };
            let hash = bundle.tile.hash(offset).expect("a hash for each entry");
            let followed = held.succession.follow(&entry, hash);
            followed.map_err(|source| LogFault::Succession { place: place(), source })?;
            held.frontier.push(hash);
        }
        Ok(())
    }

    fn write(&mut self, number: u64, width: u16, bundle: &Bundle) -> Result<(), MirrorError> {
        let entries = layout::mirrored(TileKind::Entries, number, width);
        if bundle.kept {
            self.writer.keep(entries)?;
        } else {
            self.writer.write(entries, &bundle.bytes)?;
        }
        let hashes = layout::mirrored(TileKind::Hashes { level: 0 }, number, width);
        self.writer.write(hashes, &bundle.tile.to_bytes())?;
        bundle.tile.root().map_or(Ok(()), |root| self.complete(1, root))
    }

    /// Adds the root of a full tile to the level above.
    fn complete(&mut self, level: u8, root: Hash) -> Result<(), MirrorError> {
        let growing = self.held.level(level);
        growing.tile.push(root).expect("a full tile was followed by a new one");
        let Some(above) = growing.tile.root() else { return Ok(()) };
        let next = Growing { index: growing.index + 1, tile: HashTile::new() };
        let full = std::mem::replace(growing, next);
        self.write_tile(level, &full)?;
        self.complete(level + 1, above)
    }

    /// Writes the partial tiles of the upper levels, and compares the root.
    fn finish(mut self) -> Result<(), MirrorError> {
        let upper = std::mem::take(&mut self.held.upper);
        for (growing, level) in upper.iter().zip(1..) {
            if !growing.tile.is_empty() {
                self.write_tile(level, growing)?;
            }
        }
        let (size, found, stated) = (self.size(), self.held.frontier.root(), self.served.checkpoint().root());
        if found == stated {
            Ok(())
        } else {
            Err(MirrorError::Served(LogFault::OtherRoot { size, found, stated }))
        }
    }

    fn write_tile(&mut self, level: u8, growing: &Growing) -> Result<(), MirrorError> {
        let (index, width, bytes) = (growing.index, growing.tile.len(), growing.tile.to_bytes());
        let stated = self.served_tile(level, index, width).map_err(MirrorError::Served)?;
        if stated.bytes != bytes {
            return Err(MirrorError::Served(LogFault::TileHash { place: stated.place }));
        }
        // The checkpoint that stands until the new one is there covers it, so a crash must not find it half written.
        if row_extent(self.held.size, level).width_of(index) == width {
            return Ok(());
        }
        self.writer.write(layout::mirrored(TileKind::Hashes { level }, index, width), &bytes)
    }

    /// A tile as it is served, of the right length.
    fn served_tile(&self, level: u8, index: u64, width: u16) -> Result<Part, LogFault> {
        let part = self.served.source.tile(level, index, width)?;
        let (found, expected) = (part.bytes.len(), usize::from(width) * HASH_LEN);
        if found == expected {
            Ok(part)
        } else {
            Err(LogFault::TileLength { place: part.place, found, expected })
        }
    }
}

/// The leaf hashes of a bundle's entries, if it holds just so many.
fn leaf_hashes(bundle: &[u8], width: u16) -> Option<HashTile> {
    let entries = split_bundle(bundle).ok().filter(|entries| entries.len() == usize::from(width))?;
    let mut tile = HashTile::new();
    for entry in entries {
        tile.push(leaf_hash(entry)).expect("at most 256 entries");
    }
    Some(tile)
}
