use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gt_core::checkpoint::SignedCheckpoint;
use gt_core::tile::{FULL_WIDTH, HashTile, encode_entry};
use gt_core::tree::Frontier;
use gt_core::{Hash, TreeSize};

use crate::disk::Disk;
use crate::layout::{self, BUNDLE, within_bundle};

/// An entry as it goes to disk.
#[derive(Debug, Clone)]
pub struct SealedEntry {
    /// The entry's bytes.
    pub bytes: Vec<u8>,
    /// Their leaf hash.
    pub leaf_hash: Hash,
    /// The vault's record, framed.
    pub vault: Vec<u8>,
}

/// Appends to the log. The order of its calls is the commit order of DESIGN section 3:
/// [`append`](Self::append), [`make_durable_with`](Self::make_durable_with), [`publish_ready`](Self::publish_ready), and then, after the
/// receipts if one likes, [`promote`](Self::promote); or [`make_durable`](Self::make_durable) and [`publish`](Self::publish), which wait for the checkpoint by itself.
pub struct LogWriter {
    pub(super) disk: Disk,
    pub(super) frontier: Frontier,
    pub(super) levels: Vec<OpenTile>,
    pub(super) unsynced: Vec<PathBuf>,
    /// Folders in which files were made.
    pub(super) unnamed: Vec<PathBuf>,
    pub(super) full: Vec<Full>,
    /// The checkpoint in force, until its name is durable.
    pub(super) unsettled: Option<SignedCheckpoint>,
    /// Whether the file beside it is there, and its name durable.
    pub(super) is_beside_named: bool,
}

/// A file that became full and waits for the checkpoint to be moved.
pub(super) struct Full {
    pub(super) from: PathBuf,
    pub(super) to: PathBuf,
    pub(super) kind: FullKind,
}

/// The growing tile of one level, in memory and on disk.
#[derive(Debug, Clone)]
pub(super) struct OpenTile {
    pub(super) index: u64,
    pub(super) tile: Arc<HashTile>,
}

pub(super) enum FullKind {
    /// A bundle, durable already, and the vault file that is complete with it.
    Entries { vault: PathBuf },
    /// A hash tile. It is derived from entries, so a commit does not wait for one that grows.
    Hashes { synced: bool },
}

impl Full {
    const fn is_unsynced(&self) -> bool {
        matches!(self.kind, FullKind::Hashes { synced: false })
    }

    const fn set_synced(&mut self) {
        if let FullKind::Hashes { synced } = &mut self.kind {
            *synced = true;
        }
    }
}

impl LogWriter {
    /// The size of the tree with everything that was appended.
    pub fn size(&self) -> TreeSize {
        self.frontier.size()
    }

    /// The root of the tree with everything that was appended.
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// The tree that these entries would make of it.
    pub fn head_after(&self, entries: &[SealedEntry]) -> (TreeSize, Hash) {
        let mut frontier = self.frontier.clone();
        for entry in entries {
            frontier.push(entry.leaf_hash);
        }
        (frontier.size(), frontier.root())
    }

    /// The growing tiles, lowest level first.
    pub fn open_tiles(&self) -> Vec<(u64, Arc<HashTile>)> {
        self.levels.iter().map(|level| (level.index, Arc::clone(&level.tile))).collect()
    }

    /// Access to the folder for the state that lies beside the log.
    pub fn disk(&mut self) -> &mut Disk {
        &mut self.disk
    }

    /// Writes entries, their vault records and the hashes that they complete. Returns the tiles that became full.
    ///
    /// A crash from here to [`Self::publish`] leaves bytes beyond the checkpoint, which start-up removes, or keeps if the next checkpoint lies
    /// ready and covers them.
    pub fn append(&mut self, entries: &[SealedEntry]) -> io::Result<Vec<(u8, u64, Arc<HashTile>)>> {
        let mut completed = Vec::new();
        let mut rest = entries;
        while !rest.is_empty() {
            let size = self.frontier.size().0;
            let (bundle, room) = (size / BUNDLE, usize::from(FULL_WIDTH) - within_bundle(size));
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.append_to_bundle(bundle, now)?;
            for entry in now {
                self.frontier.push(entry.leaf_hash);
            }
            self.append_hashes(0, now.iter().map(|entry| entry.leaf_hash).collect(), &mut completed)?;
            rest = later;
        }
        Ok(completed)
    }

    fn append_to_bundle(&mut self, bundle: u64, entries: &[SealedEntry]) -> io::Result<()> {
        let mut log = Vec::new();
        for entry in entries {
            encode_entry(&mut log, &entry.bytes).map_err(io::Error::other)?;
        }
        let vault: Vec<&[u8]> = entries.iter().map(|entry| entry.vault.as_slice()).collect();
        let (open, vault_file) = (layout::open_entries(bundle), layout::vault(bundle));
        for (file, parts) in [(&open, &[log.as_slice()][..]), (&vault_file, vault.as_slice())] {
            if self.disk.append_parts_unnamed(file, parts)? {
                self.unnamed.extend(file.parent().map(Path::to_owned));
            }
            self.unsynced.push(file.clone());
        }
        if (self.frontier.size().0 % BUNDLE) + entries.len() as u64 == BUNDLE {
            let kind = FullKind::Entries { vault: vault_file };
            self.full.push(Full { from: open, to: layout::full_entries(bundle), kind });
        }
        Ok(())
    }

    fn append_hashes(
        &mut self,
        level: u8,
        hashes: Vec<Hash>,
        completed: &mut Vec<(u8, u64, Arc<HashTile>)>,
    ) -> io::Result<()> {
        let Some((index, tile)) = self.append_row(level, hashes)? else { return Ok(()) };
        let root = tile.root().ok_or_else(|| io::Error::other("a full tile has a root"))?;
        completed.push((level, index, tile));
        self.append_hashes(level + 1, vec![root], completed)
    }

    /// Adds hashes to the growing tile of a level, which they do not overfill; returns the tile if they fill it.
    pub(super) fn append_row(
        &mut self,
        level: u8,
        hashes: Vec<Hash>,
    ) -> io::Result<Option<(u64, Arc<HashTile>)>> {
        let position = usize::from(level);
        if self.levels.len() == position {
            self.start_tile(level, 0);
        }
        let open = &mut self.levels[position];
        let (index, file) = (open.index, layout::open_tile(level, open.index));
        let mut bytes = Vec::with_capacity(32 * hashes.len());
        let tile = Arc::make_mut(&mut open.tile);
        for hash in hashes {
            tile.push(hash).map_err(io::Error::other)?;
            bytes.extend_from_slice(hash.as_bytes());
        }
        // Its name is made durable when it is moved; until then recovery makes it again.
        self.disk.append_unnamed(&file, &bytes)?;
        if !open.tile.is_full() {
            return Ok(None);
        }
        let full = std::mem::replace(&mut open.tile, Arc::new(HashTile::new()));
        open.index += 1;
        self.full.push(Full {
            from: file,
            to: layout::full_tile(level, index),
            kind: FullKind::Hashes { synced: false },
        });
        Ok(Some((index, full)))
    }

    /// Begins a level's growing tile anew, at this index. For recovery, which fills levels one by one.
    pub(super) fn start_tile(&mut self, level: u8, index: u64) {
        let open = OpenTile { index, tile: Arc::new(HashTile::new()) };
        match self.levels.get_mut(usize::from(level)) {
            Some(slot) => *slot = open,
            None => self.levels.push(open),
        }
    }

    /// Makes the entries and vault records durable, with their files' names; and tiles that are full, since those are to be moved.
    pub fn make_durable(&mut self) -> io::Result<()> {
        self.sync_with(&[])
    }

    /// The same, and the checkpoint of the tree that they make, which lies beside the one in force until [`Self::publish_ready`].
    ///
    /// Once this has returned, receipts may rest on it: whatever a crash leaves of the names of the two, start-up takes the newer one if all
    /// that it covers is there ([`newest`](super::newest)).
    pub fn make_durable_with(&mut self, checkpoint: &SignedCheckpoint) -> io::Result<()> {
        // What lies beside the one in force may still bear its name on the disk, and is about to be written over.
        self.settle_checkpoint(&[])?;
        let beside = self.disk.write_beside(&layout::checkpoint(), checkpoint.to_string().as_bytes())?;
        if !self.is_beside_named {
            self.unnamed.push(PathBuf::new());
        }
        self.sync_with(&[beside])?;
        self.is_beside_named = true;
        Ok(())
    }

    fn sync_with(&mut self, more: &[PathBuf]) -> io::Result<()> {
        let (mut files, folders) = (std::mem::take(&mut self.unsynced), std::mem::take(&mut self.unnamed));
        files.extend(self.full.iter().filter(|full| full.is_unsynced()).map(|full| full.from.clone()));
        files.extend_from_slice(more);
        self.disk.sync_together(&distinct(files), &distinct(folders))?;
        for full in &mut self.full {
            full.set_synced();
        }
        Ok(())
    }

    /// Makes the checkpoint durable, in its place. From here on the entries are sealed, and a crash loses nothing.
    pub fn publish(&mut self, checkpoint: &SignedCheckpoint) -> io::Result<()> {
        self.settle_checkpoint(&[])?;
        self.disk.replace(&layout::checkpoint(), checkpoint.to_string().as_bytes())?;
        self.is_beside_named = false;
        self.remember(checkpoint)
    }

    /// Puts the checkpoint in force that [`Self::make_durable_with`] has laid beside the one before. It is durable already, and its name
    /// becomes so with [`Self::promote`], or before the next one is laid beside it.
    pub fn publish_ready(&mut self, checkpoint: SignedCheckpoint) -> io::Result<()> {
        self.is_beside_named = self.disk.exchange_into_place(&layout::checkpoint())?;
        self.unsettled = Some(checkpoint);
        Ok(())
    }

    /// Takes back the checkpoint that [`Self::make_durable_with`] has laid there, durably: start-up is not to find it.
    pub fn withdraw_ready(&mut self) -> io::Result<()> {
        self.is_beside_named = false;
        self.disk.remove_durably(&layout::new_checkpoint())
    }

    /// Makes these files durable, and with them the name of the checkpoint in force.
    fn settle_checkpoint(&mut self, files: &[PathBuf]) -> io::Result<()> {
        let folder: &[PathBuf] = if self.unsettled.is_some() { &[PathBuf::new()] } else { &[] };
        self.disk.sync_together(files, folder)?;
        match self.unsettled.take() {
            Some(checkpoint) => self.remember(&checkpoint),
            None => Ok(()),
        }
    }

    /// Not before the checkpoint bears its name for good, or a crash would make it look as if somebody had put back an older one.
    fn remember(&mut self, checkpoint: &SignedCheckpoint) -> io::Result<()> {
        self.disk.write_lazily(&layout::handed_out(), checkpoint.to_string().as_bytes())
    }

    /// Makes the name of the checkpoint in force durable, and moves full bundles and tiles, which it covers, to their C2SP paths. Their new
    /// names become durable with the next batch: until then a crash may leave some of them in `open/`, from where start-up moves them.
    pub fn promote(&mut self) -> io::Result<()> {
        let full = std::mem::take(&mut self.full);
        let unsynced = full.iter().filter(|full| full.is_unsynced()).map(|full| full.from.clone());
        self.settle_checkpoint(&unsynced.collect::<Vec<_>>())?;
        for Full { from, to, kind } in full {
            if let FullKind::Entries { vault } = kind {
                self.disk.finish(&vault);
            }
            self.disk.rename(&from, &to)?;
            self.unnamed
                .extend([&from, &to].into_iter().filter_map(|path| path.parent().map(Path::to_owned)));
        }
        Ok(())
    }
}

fn distinct(mut paths: Vec<PathBuf>) -> Vec<PathBuf> {
    paths.sort();
    paths.dedup();
    paths
}
