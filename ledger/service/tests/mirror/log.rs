//! A log to mirror: entries that follow one another under a signed head, served at any size that it has had.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::entry::Entry;
use gt_core::note::NoteSigner;
use gt_core::prove::{self, MemoryTiles, TileSource};
use gt_core::tile::{FULL_WIDTH, TileKind, TilePath, encode_entry, row_extent};
use gt_core::time::Timestamp;
use gt_core::tree::leaf_hash;
use gt_core::verify::Pin;
use gt_core::{Hash, LeafIndex, TreeSize};
use gt_ledger::audit::Mirror;
use gt_ledger::mirror::{MirrorError, MirrorFolder, Round};

pub(crate) const ORIGIN: &str = "ledger.example/mirrored";

pub(crate) type Fetched = Result<Option<Vec<u8>>, Box<dyn Error + Send + Sync>>;

/// The entries of a log, and its tree.
pub(crate) struct Log {
    pub(crate) entries: Vec<Vec<u8>>,
    tiles: MemoryTiles,
    origin: String,
    seed: u8,
}

impl Log {
    pub(crate) fn new(size: u64) -> Self {
        Self::altered(size, |_| {})
    }

    /// The same up to entry `parts`, and from there on another history.
    pub(crate) fn fork(parts: u64, size: u64) -> Self {
        Self::altered(size, |entry| {
            if entry.index.0 >= parts {
                entry.statement = Hash::of(entry.statement.as_bytes());
            }
        })
    }

    /// A log whose entries somebody has altered before they were sealed.
    pub(crate) fn altered(size: u64, alter: impl Fn(&mut Entry)) -> Self {
        let (mut entries, mut tiles, mut prev) = (Vec::new(), MemoryTiles::new(), Hash::ZERO);
        for index in 0..size {
            let received_at = 1_780_000_000_000 + i64::try_from(index / 3).expect("small");
            let mut entry = Entry {
                index: LeafIndex(index),
                prev,
                received_at: Timestamp::from_millis(received_at).expect("in range"),
                // One in a hundred is the registrar's.
                registry: index.div_ceil(100),
                links: Vec::new(),
                statement: Hash::of(&index.to_be_bytes()),
            };
            alter(&mut entry);
            let bytes = entry.to_bytes();
            prev = leaf_hash(&bytes);
            tiles.push(prev);
            entries.push(bytes);
        }
        Self { entries, tiles, origin: ORIGIN.to_owned(), seed: 1 }
    }

    pub(crate) fn of_origin(mut self, origin: &str) -> Self {
        origin.clone_into(&mut self.origin);
        self
    }

    pub(crate) fn signed_by(mut self, seed: u8) -> Self {
        self.seed = seed;
        self
    }

    /// What a verifier pins of it.
    pub(crate) fn pin(&self) -> Pin {
        let key = self.signer().verifier_key().clone();
        Pin {
            origin: self.origin.clone(),
            verifier_keys: vec![key],
            genesis: Some(leaf_hash(&self.entries[0])),
        }
    }

    fn signer(&self) -> NoteSigner {
        NoteSigner::new(&self.origin, &[self.seed; 32]).expect("a good name")
    }

    pub(crate) fn checkpoint(&self, size: u64) -> SignedCheckpoint {
        let root = prove::root(&self.tiles, TreeSize(size)).expect("in memory");
        let checkpoint = Checkpoint::new(&self.origin, TreeSize(size), root).expect("sound");
        SignedCheckpoint::sign(checkpoint, &[&self.signer()]).expect("sound")
    }

    /// What stands under a path when the log has this size: nothing but what C2SP asks for.
    pub(crate) fn file(&self, size: u64, path: &str) -> Option<Vec<u8>> {
        if path == "checkpoint" {
            return Some(self.checkpoint(size).to_string().into_bytes());
        }
        let tile = TilePath::parse(path).ok()?;
        if width_at(size, &tile) != tile.width() {
            return None;
        }
        if let TileKind::Hashes { level } = tile.kind() {
            return self.tiles.hash_tile(level, tile.index(), tile.width()).ok()?.prefix(tile.width());
        }
        let first = usize::try_from(tile.index() * 256).expect("small");
        let mut bytes = Vec::new();
        for entry in &self.entries[first..first + usize::from(tile.width())] {
            encode_entry(&mut bytes, entry).expect("short");
        }
        Some(bytes)
    }

    /// Serves the log at this size, as a folder of static files would.
    pub(crate) fn at(&self, size: u64) -> Mirror<impl Fn(&str, usize) -> Fetched + '_> {
        Mirror::new(move |path: &str, _limit: usize| Ok(self.file(size, path)))
    }

    /// The paths of all files of the log at this size.
    pub(crate) fn files(&self, size: u64) -> BTreeMap<String, Vec<u8>> {
        let mut paths = vec!["checkpoint".to_owned()];
        for level in 0..4 {
            let row = row_extent(TreeSize(size), level);
            for index in 0..row.full + u64::from(row.partial > 0) {
                let width = row.width_of(index);
                paths.push(TilePath::hashes(level, index, width).expect("a path").to_path());
                if level == 0 {
                    paths.push(TilePath::entries(index, width).expect("a path").to_path());
                }
            }
        }
        paths.into_iter().map(|path| (path.clone(), self.file(size, &path).expect("there"))).collect()
    }

    /// The files of a mirror that had these sizes one after the other: the log at the last one, and the partial tiles of those before
    /// whose full ones are not there yet.
    pub(crate) fn files_after(&self, sizes: &[u64]) -> BTreeMap<String, Vec<u8>> {
        let last = *sizes.last().expect("a size");
        let grows = |path: &str| {
            TilePath::parse(path)
                .is_ok_and(|tile| tile.width() < FULL_WIDTH && width_at(last, &tile) < FULL_WIDTH)
        };
        let before = sizes.iter().filter(|size| **size > 0).flat_map(|size| self.files(*size));
        let mut files: BTreeMap<_, _> = before.filter(|(path, _)| grows(path)).collect();
        files.extend(self.files(last));
        files
    }

    /// Whether a mirror's folder is that of the log at the last of these sizes, whatever it has kept of the ones before.
    pub(crate) fn is_mirrored(&self, folder: &Path, sizes: &[u64]) -> bool {
        let (found, kept) = (files_in(folder), self.files_after(sizes));
        let due = self.files(*sizes.last().expect("a size"));
        due.keys().all(|path| found.contains_key(path))
            && found.iter().all(|(path, bytes)| kept.get(path) == Some(bytes))
    }
}

/// How much of a tile a log of this size has.
fn width_at(size: u64, tile: &TilePath) -> u16 {
    let level = if let TileKind::Hashes { level } = tile.kind() { level } else { 0 };
    row_extent(TreeSize(size), level).width_of(tile.index())
}

/// Every file below a folder, by its path in it; but the empty file that keeps two processes apart.
pub(crate) fn files_in(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for item in fs::read_dir(at).expect("a folder") {
            let path = item.expect("an item").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below it").display().to_string();
                found.insert(name, fs::read(&path).expect("readable"));
            }
        }
    }
    assert!(found.remove("mirror.lock").is_none_or(|bytes| bytes.is_empty()));
    found
}

/// Brings the mirror in a folder up to a log of this size, under the log's pin.
pub(crate) fn copy(log: &Log, size: u64, to: &Path) -> Result<Round, MirrorError> {
    MirrorFolder::open(to, Some(log.pin()), None)?.catch_up(&log.at(size), &mut |_| {})
}

/// The same, where it must go well.
pub(crate) fn copied(log: &Log, size: u64, to: &Path) {
    let round = copy(log, size, to).unwrap_or_else(|error| panic!("{size}: {error}"));
    assert!(matches!(round, Round::Grown { to, .. } if to.0 == size), "{round:?}");
}

/// A folder in memory where there is one: what is durable is not what these tests are about.
pub(crate) fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder")
}
