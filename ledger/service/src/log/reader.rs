use std::collections::{HashMap, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use gt_core::checkpoint::SignedCheckpoint;
use gt_core::entry::{Entry, EntryError};
use gt_core::prove::TileSource;
use gt_core::tile::{BundleError, FULL_WIDTH, HashTile, HashTileError, row_extent, whole_entries};
use gt_core::{LeafIndex, TreeSize};

use crate::disk::{self, HELD_IN_MEMORY};
use crate::layout::{self, BUNDLE, within_bundle};
use crate::vault::{VaultError, frame_len};

const CACHED_TILES: usize = 256;

/// Reads a log that may be growing. It shows what the latest durable checkpoint covers, and nothing beyond.
pub struct LogReader {
    root: PathBuf,
    published: RwLock<Arc<Published>>,
    cache: Mutex<Cache>,
}

/// The log as the latest durable checkpoint shows it.
pub struct Published {
    /// The checkpoint.
    pub checkpoint: SignedCheckpoint,
    /// The growing tiles, lowest level first, each with its index.
    pub open_tiles: Vec<(u64, Arc<HashTile>)>,
}

/// Why something of the log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file cannot be read.
    #[error("{file} cannot be read")]
    Io {
        /// Which file.
        file: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A bundle is not framed as it must be.
    #[error("{file} is no entry bundle")]
    Bundle {
        /// Which file.
        file: String,
        /// Why.
        #[source]
        source: BundleError,
    },
    /// A hash tile is not one.
    #[error("{file} is no hash tile")]
    Tile {
        /// Which file.
        file: String,
        /// Why.
        #[source]
        source: HashTileError,
    },
    /// An entry does not read.
    #[error("entry {index} does not read")]
    Entry {
        /// Which one.
        index: LeafIndex,
        /// Why.
        #[source]
        source: EntryError,
    },
    /// A vault record does not read.
    #[error("the vault record of entry {index} does not read")]
    Vault {
        /// Which one.
        index: LeafIndex,
        /// Why.
        #[source]
        source: VaultError,
    },
    /// The log does not reach this far.
    #[error("there is no entry {index}: the log has {size}")]
    NoSuchEntry {
        /// Which one.
        index: LeafIndex,
        /// The log's size.
        size: TreeSize,
    },
    /// A file holds less than the checkpoint says.
    #[error("{file} holds less than the checkpoint covers")]
    TooShort {
        /// Which file.
        file: String,
    },
}

#[derive(Default)]
struct Cache {
    tiles: HashMap<(u8, u64), Arc<HashTile>>,
    order: VecDeque<(u8, u64)>,
}

impl LogReader {
    /// A reader of the folder at `root`.
    pub fn new(root: &Path, published: Published) -> Self {
        Self {
            root: root.to_owned(),
            published: RwLock::new(Arc::new(published)),
            cache: Mutex::new(Cache::default()),
        }
    }

    /// The data folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The log as the latest durable checkpoint shows it.
    pub fn published(&self) -> Arc<Published> {
        Arc::clone(&self.published.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The size of the log.
    pub fn size(&self) -> TreeSize {
        self.published().checkpoint.checkpoint().size()
    }

    /// Shows a new checkpoint, which is durable, and the tiles that it filled.
    pub fn publish(&self, published: Published, completed: Vec<(u8, u64, Arc<HashTile>)>) {
        for (level, index, tile) in completed {
            self.remember(level, index, tile);
        }
        *self.published.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(published);
    }

    /// The bytes of a bundle, full or growing, and the file that they came from. A growing one may go beyond the checkpoint.
    pub fn bundle(&self, bundle: u64) -> Result<(Vec<u8>, String), ReadError> {
        bundle_bytes(&self.root, bundle)
    }

    /// The entry's bytes.
    pub fn entry_bytes(&self, index: LeafIndex) -> Result<Vec<u8>, ReadError> {
        let size = self.size();
        if !size.contains(index) {
            return Err(ReadError::NoSuchEntry { index, size });
        }
        let mut one = self.entries_bytes(index, 1)?;
        one.pop().ok_or(ReadError::NoSuchEntry { index, size })
    }

    /// The bytes of up to `count` entries of one bundle from `first` on, as far as the checkpoint goes; none from its end on.
    pub fn entries_bytes(&self, first: LeafIndex, count: u64) -> Result<Vec<Vec<u8>>, ReadError> {
        let end = self.size().0.min(first.0.saturating_add(count)).min((first.0 / BUNDLE + 1) * BUNDLE);
        // A follower that has read everything asks again from the end on, where there may be no bundle yet.
        let Some(last) = end.checked_sub(1).filter(|last| *last >= first.0) else { return Ok(Vec::new()) };
        let (bundle, file) = bundle_bytes(&self.root, first.0 / BUNDLE)?;
        let whole =
            whole_entries(&bundle).map_err(|source| ReadError::Bundle { file: file.clone(), source })?;
        let range = within_bundle(first.0)..=within_bundle(last);
        let entries = whole.entries.get(range).ok_or(ReadError::TooShort { file })?;
        Ok(entries.iter().map(|entry| entry.to_vec()).collect())
    }

    /// Up to `count` entries of one bundle with their framed vault records.
    pub fn entries_and_vault(
        &self,
        first: LeafIndex,
        count: u64,
    ) -> Result<Vec<(Entry, Vec<u8>)>, ReadError> {
        let entries = self.entries_bytes(first, count)?;
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let file = layout::vault(first.0 / BUNDLE);
        // Whoever reads whole bundles goes on to the next ones; and the writer has let go of those that are so old.
        let later = self.size().0.saturating_sub(first.0) / BUNDLE;
        let is_old = entries.len() as u64 == BUNDLE && later > HELD_IN_MEMORY as u64;
        let vault = if is_old { read_once(&self.root, &file) } else { read(&self.root, &file) }?;
        let mut at = 0;
        let mut frame = |index: u64| {
            let rest = &vault[at.min(vault.len())..];
            let len =
                frame_len(rest).map_err(|source| ReadError::Vault { index: LeafIndex(index), source })?;
            at += len;
            Ok(rest[..len].to_vec())
        };
        for skipped in first.0 / BUNDLE * BUNDLE..first.0 {
            frame(skipped)?;
        }
        entries
            .iter()
            .zip(first.0..)
            .map(|(bytes, index)| {
                let entry = Entry::parse(bytes)
                    .map_err(|source| ReadError::Entry { index: LeafIndex(index), source })?;
                Ok((entry, frame(index)?))
            })
            .collect()
    }

    fn remember(&self, level: u8, index: u64, tile: Arc<HashTile>) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.tiles.insert((level, index), tile).is_none() {
            cache.order.push_back((level, index));
        }
        if cache.order.len() > CACHED_TILES
            && let Some(oldest) = cache.order.pop_front()
        {
            cache.tiles.remove(&oldest);
        }
    }
}

impl TileSource for LogReader {
    type Error = ReadError;

    fn hash_tile(&self, level: u8, index: u64, _width: u16) -> Result<Arc<HashTile>, ReadError> {
        if let Some(tile) =
            self.cache.lock().unwrap_or_else(PoisonError::into_inner).tiles.get(&(level, index))
        {
            return Ok(Arc::clone(tile));
        }
        let published = self.published();
        if row_extent(published.checkpoint.checkpoint().size(), level).width_of(index) < FULL_WIDTH {
            let open = published.open_tiles.get(usize::from(level)).filter(|(at, _)| *at == index);
            return open.map(|(_, tile)| Arc::clone(tile)).ok_or_else(|| ReadError::TooShort {
                file: layout::open_tile(level, index).display().to_string(),
            });
        }
        let (bytes, file) =
            either(&self.root, &layout::full_tile(level, index), &layout::open_tile(level, index))?;
        let tile =
            HashTile::from_bytes(&bytes).map_err(|source| ReadError::Tile { file: file.clone(), source })?;
        if !tile.is_full() {
            return Err(ReadError::TooShort { file });
        }
        let tile = Arc::new(tile);
        self.remember(level, index, Arc::clone(&tile));
        Ok(tile)
    }
}

/// The bytes of a bundle, full or growing, and the file that they came from.
pub fn bundle_bytes(root: &Path, bundle: u64) -> Result<(Vec<u8>, String), ReadError> {
    either(root, &layout::full_entries(bundle), &layout::open_entries(bundle))
}

/// Reads the full file, else the growing one; and the full one once more, since it may have been moved in between.
fn either(root: &Path, full: &Path, open: &Path) -> Result<(Vec<u8>, String), ReadError> {
    for file in [full, open] {
        match fs::read(root.join(file)) {
            Ok(bytes) => return Ok((bytes, file.display().to_string())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(ReadError::Io { file: file.display().to_string(), source }),
        }
    }
    read(root, full).map(|bytes| (bytes, full.display().to_string()))
}

/// Reads a file that will not be read again soon.
fn read_once(root: &Path, file: &Path) -> Result<Vec<u8>, ReadError> {
    disk::read_once(&root.join(file))
        .map_err(|source| ReadError::Io { file: file.display().to_string(), source })
}

fn read(root: &Path, file: &Path) -> Result<Vec<u8>, ReadError> {
    fs::read(root.join(file)).map_err(|source| ReadError::Io { file: file.display().to_string(), source })
}
