use std::cmp::Ordering;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gt_core::checkpoint::{Checkpoint, SignedCheckpoint, SignedCheckpointError};
use gt_core::entry::Entry;
use gt_core::tile::{BundleError, FULL_WIDTH, index_path, parse_index_path, row_extent, whole_entries};
use gt_core::tree::{self, Frontier};
use gt_core::{Hash, TreeSize};

use crate::disk::{Disk, read_if_there};
use crate::layout::{self, BUNDLE, within_bundle};
use crate::log::writer::{Full, FullKind, LogWriter};
use crate::vault::{VaultError, frame_len};

/// How many entries beyond the checkpoint an interrupted commit can have left: one batch, while another is being prepared. A
/// checkpoint that lies ready covers no more.
pub(super) const MAX_TAIL: u64 = 1000;

/// The levels of hash tiles that a tree of 2^63 entries can have.
const LEVELS: std::ops::RangeInclusive<u8> = 0..=7;

/// A log that is ready to be written to.
pub struct Recovered {
    /// The writer, at the checkpoint's size.
    pub writer: LogWriter,
    /// How many whole entries beyond the checkpoint were removed: sealed for nobody, since no receipt rested on them.
    pub removed_entries: u64,
}

/// Why a data folder cannot be opened. Nothing has been changed that was sealed.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// A file cannot be read or written.
    #[error(
        "{file} in the data folder cannot be read or written. Nothing that was sealed has been changed: see to the disk, and start again: {source}"
    )]
    Io {
        /// Which file.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// A checkpoint does not read.
    #[error("{file} is no checkpoint: {source}")]
    Checkpoint {
        /// Which file.
        file: String,
        /// Why.
        #[source]
        source: SignedCheckpointError,
    },
    /// The checkpoint is older than one that was handed out, or than what the folder holds.
    #[error(
        "the checkpoint covers {size} entries, but {evidence}: somebody put back an older checkpoint. Restore the newer one; nothing that was sealed has been changed"
    )]
    CheckpointOlder {
        /// The checkpoint's size.
        size: TreeSize,
        /// What shows that it is older.
        evidence: String,
    },
    /// Something that the checkpoint covers is missing or too short.
    #[error("{file} holds less than the checkpoint covers")]
    Missing {
        /// Which file.
        file: String,
    },
    /// A bundle does not read.
    #[error("{file} is no entry bundle: {source}")]
    Bundle {
        /// Which file.
        file: String,
        /// Why.
        source: BundleError,
    },
    /// A vault file does not read.
    #[error("{file} does not read: {source}")]
    Vault {
        /// Which file.
        file: String,
        /// Why.
        source: VaultError,
    },
    /// The entries do not give the checkpoint's root.
    #[error(
        "the entries give the root {found}, and the checkpoint says {expected}: run fsck to see where they differ"
    )]
    OtherRoot {
        /// The checkpoint's root.
        expected: Hash,
        /// The root of the entries.
        found: Hash,
    },
}

/// Opens the log for writing: removes what an interrupted commit left beyond the checkpoint, and rebuilds the growing tiles through
/// the writer's own code.
pub fn recover(disk: Disk, checkpoint: Option<&Checkpoint>) -> Result<Recovered, RecoverError> {
    let size = checkpoint.map_or(TreeSize(0), Checkpoint::size);
    let writer = LogWriter {
        disk,
        frontier: Frontier::new(),
        levels: Vec::new(),
        unsynced: Vec::new(),
        unnamed: Vec::new(),
        full: Vec::new(),
        unsettled: None,
        is_beside_named: false,
    };
    let mut recovery = Recovery { writer, size };
    recovery.check_not_older()?;
    let removed_entries = recovery.remove_tail()?;
    recovery.promote_left_over()?;
    recovery.rebuild_tiles()?;
    if let Some(checkpoint) = checkpoint {
        let found = recovery.writer.root();
        if found != checkpoint.root() {
            return Err(RecoverError::OtherRoot { expected: checkpoint.root(), found });
        }
    }
    Ok(Recovered { writer: recovery.writer, removed_entries })
}

struct Recovery {
    writer: LogWriter,
    size: TreeSize,
}

impl Recovery {
    fn root(&self) -> &Path {
        self.writer.disk.root()
    }

    fn bundles(&self) -> u64 {
        self.size.0 / BUNDLE
    }

    /// Full bundles and tiles are moved to `tile/` after the checkpoint that covers them, so one beyond it shows that the checkpoint is older.
    fn check_not_older(&self) -> Result<(), RecoverError> {
        let older = |evidence| RecoverError::CheckpointOlder { size: self.size, evidence };
        for bundle in listed(self.root(), Path::new("tile/entries"))? {
            if bundle >= self.bundles() {
                return Err(older(format!("tile/entries/{} is full", index_path(bundle))));
            }
        }
        for level in LEVELS {
            let full = row_extent(self.size, level).full;
            let there = listed(self.root(), &PathBuf::from(format!("tile/{level}")))?;
            if let Some(beyond) = there.into_iter().find(|index| *index >= full) {
                return Err(older(format!("tile/{level}/{} is full", index_path(beyond))));
            }
        }
        let file = layout::handed_out();
        let Some(bytes) = read_if_there(&self.root().join(&file)).map_err(io_error(&file))? else {
            return Ok(());
        };
        // Written without waiting for the disk, so after a power cut it may not read; then it says nothing.
        match SignedCheckpoint::parse(&bytes) {
            Ok(handed_out) if handed_out.checkpoint().size() > self.size => {
                Err(older(format!("one of {} was handed out", handed_out.checkpoint().size())))
            }
            _ => Ok(()),
        }
    }

    /// Cuts the growing bundle and vault file to the checkpoint, and removes later ones. Looks at everything before it cuts anything:
    /// if the checkpoint turns out to be an older one, what lies beyond it is not torn but sealed.
    fn remove_tail(&mut self) -> Result<u64, RecoverError> {
        let (last, kept) = (self.bundles(), within_bundle(self.size.0));
        let (mut cuts, mut removed, mut last_is_there) = (Vec::new(), 0, kept == 0);
        for bundle in listed(self.root(), Path::new("open/entries"))? {
            let file = layout::open_entries(bundle);
            let bytes = fs::read(self.root().join(&file)).map_err(io_error(&file))?;
            let keep = match bundle.cmp(&last) {
                Ordering::Less => usize::from(FULL_WIDTH),
                Ordering::Equal => kept,
                Ordering::Greater => 0,
            };
            let tail = Tail::of(&bytes, bundle, keep)
                .ok_or_else(|| RecoverError::Missing { file: file.display().to_string() })?;
            last_is_there |= bundle == last;
            removed += tail.entries;
            cuts.push((file, tail.start, bytes.len()));
        }
        if removed > MAX_TAIL {
            let evidence = format!("{removed} more are in open/");
            return Err(RecoverError::CheckpointOlder { size: self.size, evidence });
        }
        if !last_is_there {
            return Err(RecoverError::Missing { file: layout::open_entries(last).display().to_string() });
        }
        for (file, end, len) in cuts {
            self.cut_or_remove(&file, end, len)?;
        }
        self.cut_vault(last, kept)?;
        self.remove_unused_checkpoint()?;
        Ok(removed)
    }

    fn cut_vault(&mut self, last: u64, kept: usize) -> Result<(), RecoverError> {
        let there = listed(self.root(), Path::new("vault"))?;
        if kept > 0 && !there.contains(&last) {
            // A record is found by its place: the next one would begin a new file, where this bundle's first one stands.
            return Err(RecoverError::Missing { file: layout::vault(last).display().to_string() });
        }
        for bundle in there.into_iter().filter(|bundle| *bundle >= last) {
            let file = layout::vault(bundle);
            let bytes = fs::read(self.root().join(&file)).map_err(io_error(&file))?;
            let mut end = 0;
            for _ in 0..if bundle == last { kept } else { 0 } {
                end += frame_len(&bytes[end..])
                    .map_err(|source| RecoverError::Vault { file: file.display().to_string(), source })?;
            }
            self.cut_or_remove(&file, end, bytes.len())?;
        }
        Ok(())
    }

    /// It is the one before, or covers what was just removed: whatever is sealed in its place must not look like a fork of it.
    fn remove_unused_checkpoint(&mut self) -> Result<(), RecoverError> {
        let file = layout::new_checkpoint();
        if !self.root().join(&file).exists() {
            return Ok(());
        }
        self.writer.disk.remove_durably(&file).map_err(io_error(&file))
    }

    fn cut_or_remove(&mut self, file: &Path, end: usize, len: usize) -> Result<(), RecoverError> {
        let disk = &mut self.writer.disk;
        if end == 0 {
            disk.remove_durably(file)
        } else if end < len {
            disk.cut(file, end as u64)
        } else {
            Ok(())
        }
        .map_err(io_error(file))
    }

    /// Moves full bundles that a crash left in `open/`.
    fn promote_left_over(&mut self) -> Result<(), RecoverError> {
        for bundle in listed(self.root(), Path::new("open/entries"))? {
            if bundle < self.bundles() {
                let kind = FullKind::Entries { vault: layout::vault(bundle) };
                let (from, to) = (layout::open_entries(bundle), layout::full_entries(bundle));
                self.writer.full.push(Full { from, to, kind });
            }
        }
        self.writer.promote().map_err(io_error(Path::new("open/entries")))
    }

    /// Hash tiles are derived, and a commit does not wait for them: the growing ones are written anew, and a full one that is
    /// missing is written again from what lies below it.
    fn rebuild_tiles(&mut self) -> Result<(), RecoverError> {
        for level in LEVELS {
            for index in listed(self.root(), &PathBuf::from(format!("open/{level}")))? {
                let file = layout::open_tile(level, index);
                self.writer.disk.remove(&file).map_err(io_error(&file))?;
            }
        }
        let mut level = 0;
        while level == 0 || self.size.0 >> (8 * u32::from(level)) > 0 {
            self.rebuild_level(level)?;
            level += 1;
        }
        self.writer.promote().map_err(io_error(Path::new("open")))?;
        let peaks = self.peaks();
        self.writer.frontier = Frontier::from_peaks(self.size, peaks);
        Ok(())
    }

    fn rebuild_level(&mut self, level: u8) -> Result<(), RecoverError> {
        let extent = row_extent(self.size, level);
        let there: HashSet<u64> =
            listed(self.root(), &PathBuf::from(format!("tile/{level}")))?.into_iter().collect();
        for index in (0..extent.full).filter(|index| !there.contains(index)) {
            let hashes = self.hashes_below(level, index, FULL_WIDTH)?;
            self.writer.start_tile(level, index);
            self.write_hashes(level, hashes)?;
        }
        self.writer.start_tile(level, extent.full);
        if extent.partial > 0 {
            let hashes = self.hashes_below(level, extent.full, extent.partial)?;
            self.write_hashes(level, hashes)?;
        }
        Ok(())
    }

    fn write_hashes(&mut self, level: u8, hashes: Vec<Hash>) -> Result<(), RecoverError> {
        self.writer.append_row(level, hashes).map(|_| ()).map_err(io_error(&layout::open_tile(level, 0)))
    }

    /// The hashes of a tile, from the bundle or the tiles below it.
    fn hashes_below(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, RecoverError> {
        if level == 0 {
            let (bytes, file) = super::bundle_bytes(self.root(), index).map_err(|_| {
                RecoverError::Missing { file: layout::full_entries(index).display().to_string() }
            })?;
            let whole = whole_entries(&bytes)
                .map_err(|source| RecoverError::Bundle { file: file.clone(), source })?;
            let entries = whole.entries.get(..usize::from(width)).ok_or(RecoverError::Missing { file })?;
            return Ok(entries.iter().map(|entry| tree::leaf_hash(entry)).collect());
        }
        (index * BUNDLE..index * BUNDLE + u64::from(width))
            .map(|below| self.tile_root(level - 1, below))
            .collect()
    }

    fn tile_root(&self, level: u8, index: u64) -> Result<Hash, RecoverError> {
        let missing =
            || RecoverError::Missing { file: layout::full_tile(level, index).display().to_string() };
        for file in [layout::full_tile(level, index), layout::open_tile(level, index)] {
            if let Some(bytes) = read_if_there(&self.root().join(&file)).map_err(io_error(&file))? {
                let tile = gt_core::tile::HashTile::from_bytes(&bytes).map_err(|_| missing())?;
                return tile.root().ok_or_else(missing);
            }
        }
        Err(missing())
    }

    /// The roots of the complete subtrees that make up the tree, largest first: the growing tiles hold them all.
    fn peaks(&self) -> Vec<Hash> {
        let mut peaks = Vec::new();
        for open in self.writer.levels.iter().rev() {
            let (mut offset, len) = (0, open.tile.len());
            for height in (0..8).rev() {
                if len & (1 << height) != 0 {
                    peaks.extend(open.tile.subtree(height, offset));
                    offset += 1 << height;
                }
            }
        }
        peaks
    }
}

/// What lies in a growing bundle beyond the checkpoint. After a power cut that can be anything: the beginning of what was written, or
/// zeros where it should be, which read as entries without bytes.
struct Tail {
    /// Where the covered entries end.
    start: usize,
    /// How many entries of an interrupted commit follow.
    entries: u64,
}

impl Tail {
    /// `None` if the bundle does not hold `keep` entries.
    fn of(bytes: &[u8], bundle: u64, keep: usize) -> Option<Self> {
        let entries = whole_prefix(bytes)?;
        let (covered, beyond) = entries.split_at_checked(keep)?;
        let start = covered.iter().map(|entry| entry.len() + 2).sum();
        let of_commit = beyond
            .iter()
            .zip(bundle * BUNDLE + keep as u64..)
            .take_while(|(bytes, index)| Entry::parse(bytes).is_ok_and(|entry| entry.index.0 == *index));
        Some(Self { start, entries: of_commit.count() as u64 })
    }
}

/// The entries at the start of a growing bundle that are framed whole.
pub(super) fn whole_prefix(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let whole = whole_entries(bytes).or_else(|error| match error {
        BundleError::TooManyEntries { offset } | BundleError::TornEntry { offset } => {
            whole_entries(&bytes[..offset])
        }
    });
    Some(whole.ok()?.entries)
}

/// The indexes of the files below a folder, by their C2SP paths, rising. What bears no such name is passed over; `fsck` names it.
pub(crate) fn listed(root: &Path, folder: &Path) -> Result<Vec<u64>, RecoverError> {
    let mut indexes = Vec::new();
    let mut folders = vec![(folder.to_owned(), String::new())];
    while let Some((at, prefix)) = folders.pop() {
        let entries = match fs::read_dir(root.join(&at)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => return Err(io_error(&at)(source)),
        };
        for entry in entries {
            let entry = entry.map_err(io_error(&at))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if entry.file_type().map_err(io_error(&at))?.is_dir() {
                folders.push((at.join(&name), format!("{prefix}{name}/")));
            } else if let Ok(index) = parse_index_path(&format!("{prefix}{name}")) {
                indexes.push(index);
            }
        }
    }
    indexes.sort_unstable();
    Ok(indexes)
}

pub(super) fn io_error(file: &Path) -> impl FnOnce(io::Error) -> RecoverError {
    let file = file.display().to_string();
    move |source| RecoverError::Io { file, source }
}
