use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use gt_core::TreeSize;
use gt_core::tile::{FULL_WIDTH, HASH_LEN, TileKind};

use super::copied;
use super::inventory;
use super::source::{
    LogSource, MAX_BUNDLE, MAX_CHECKPOINT, MAX_TILE, Part, SourceError, Surplus, leading_entries,
};
use crate::layout::{self, OF_A_LEDGER};
use crate::secrets::folder_of;
use crate::vault;

/// The longest vault file, in bytes.
const MAX_VAULT: usize = FULL_WIDTH as usize * vault::MAX_RECORD;

/// What else a ledger's folder or a mirror has.
const OF_ANY: [&str; 5] = ["checkpoint.new", "tile", "views", "fork.json", "mirror.lock"];

/// A data folder or a mirror of its open log, to read and never to change.
pub struct DataFolder {
    root: PathBuf,
    running: bool,
    mirror: bool,
}

impl DataFolder {
    /// The data folder at `root`. Whether a process has it open is asked once, here.
    pub fn new(root: &Path) -> Self {
        let mirror = !OF_A_LEDGER.iter().any(|name| root.join(name).exists());
        Self { root: root.to_owned(), running: is_locked(root), mirror }
    }

    /// Whether the folder holds the open log and nothing else: no vault, so no statements.
    pub const fn is_mirror(&self) -> bool {
        self.mirror
    }

    /// Whether a process that writes has the folder open, so that bytes beyond the checkpoint are to be expected.
    pub const fn is_running(&self) -> bool {
        self.running
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether nothing in the folder is a ledger's or a mirror's, and no keys lie beside it. Where there are keys, somebody has emptied it.
    fn was_never_a_ledgers(&self) -> bool {
        let is_absent = |path: &Path| {
            fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
        };
        OF_A_LEDGER.iter().chain(&OF_ANY).all(|name| is_absent(&self.root.join(name)))
            && is_absent(&folder_of(&self.root))
    }

    /// The vault records of a bundle, with whatever follows them.
    pub(super) fn vault(&self, n: u64) -> Result<Part, SourceError> {
        self.part(&layout::vault(n), MAX_VAULT)?.ok_or_else(|| missing(&layout::vault(n)))
    }

    /// A file that may be missing.
    pub(super) fn part(&self, file: &Path, limit: usize) -> Result<Option<Part>, SourceError> {
        let place = file.display().to_string();
        let path = self.root.join(file);
        let read = || -> io::Result<Option<Vec<u8>>> {
            // A pipe or device would be waited for, and a link leads out of the folder.
            if !fs::symlink_metadata(&path)?.is_file() {
                return Ok(None);
            }
            let mut bytes = Vec::new();
            File::open(&path)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
            Ok(Some(bytes))
        };
        match read() {
            Ok(Some(bytes)) if bytes.len() > limit => Err(SourceError::TooLong { place }),
            Ok(Some(bytes)) => Ok(Some(Part { place, bytes })),
            Ok(None) => Err(SourceError::NoFile { place }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(SourceError::Unreachable { place, source: Box::new(source) }),
        }
    }

    /// A mirror's bundle or tile: the partial one as it stands, or as much of the full one. A mirror that is catching up has either.
    fn copied(
        &self,
        kind: TileKind,
        n: u64,
        width: u16,
        limit: usize,
        cut: impl Fn(&[u8]) -> usize,
    ) -> Result<Part, SourceError> {
        let (at, full) = (layout::mirrored(kind, n, width), layout::mirrored(kind, n, FULL_WIDTH));
        if let Some(part) = self.part(&at, limit)? {
            return Ok(part);
        }
        let mut part = self.part(&full, limit)?.ok_or_else(|| missing(&at))?;
        part.bytes.truncate(cut(&part.bytes));
        Ok(part)
    }

    /// The first of the two that is there. It is tried twice: a file that became full is moved meanwhile.
    fn either(&self, first: &Path, second: &Path, limit: usize) -> Result<Part, SourceError> {
        for file in [first, second, first] {
            if let Some(part) = self.part(file, limit)? {
                return Ok(part);
            }
        }
        Err(missing(first))
    }
}

impl LogSource for DataFolder {
    fn checkpoint(&self) -> Result<Part, SourceError> {
        let file = layout::checkpoint();
        match self.part(&file, MAX_CHECKPOINT)? {
            Some(part) => Ok(part),
            None if self.was_never_a_ledgers() => Err(SourceError::NoLedger { place: "in this folder" }),
            None => Err(missing(&file)),
        }
    }

    fn bundle(&self, n: u64, width: u16) -> Result<Part, SourceError> {
        if self.mirror {
            let cut = |bytes: &[u8]| leading_entries(bytes, width);
            return self.copied(TileKind::Entries, n, width, MAX_BUNDLE, cut);
        }
        let (full, open) = (layout::full_entries(n), layout::open_entries(n));
        if width == FULL_WIDTH {
            return self.either(&full, &open, MAX_BUNDLE);
        }
        let mut part = self.either(&open, &full, MAX_BUNDLE)?;
        part.bytes.truncate(leading_entries(&part.bytes, width));
        Ok(part)
    }

    fn tile(&self, level: u8, n: u64, width: u16) -> Result<Part, SourceError> {
        if self.mirror {
            let cut = |_: &[u8]| usize::from(width) * HASH_LEN;
            return self.copied(TileKind::Hashes { level }, n, width, MAX_TILE, cut);
        }
        let (full, open) = (layout::full_tile(level, n), layout::open_tile(level, n));
        if width == FULL_WIDTH {
            return self.either(&full, &open, MAX_TILE);
        }
        let mut part = self.either(&open, &full, MAX_TILE)?;
        part.bytes.truncate(usize::from(width) * HASH_LEN);
        Ok(part)
    }

    fn surplus(&self, size: TreeSize) -> Surplus {
        if self.mirror { copied::surplus(self, size) } else { inventory::of_log(self, size) }
    }
}

/// Whether a process holds the folder's lock. The lock is asked for on the existing file, opened read-only, and given back at once.
pub(super) fn is_locked(root: &Path) -> bool {
    let locked = |lock: PathBuf| {
        let Ok(file) = File::open(root.join(lock)) else { return false };
        matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock))
    };
    locked(layout::lock()) || locked(layout::mirror_lock())
}

fn missing(file: &Path) -> SourceError {
    SourceError::Missing { place: file.display().to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_missing_from_a_ledgers_folder_and_no_other() {
        let home = tempfile::tempdir().expect("a folder");
        let (root, keys) = (home.path().join("data"), home.path().join("data.secrets"));
        let is_missing = || match DataFolder::new(&root).checkpoint() {
            Err(SourceError::Missing { .. }) => true,
            Err(SourceError::NoLedger { .. }) => false,
            other => panic!("{other:?}"),
        };
        fs::create_dir_all(root.join("letters")).expect("made");
        fs::write(root.join("thesis.txt"), "years of work").expect("written");
        assert!(!is_missing(), "somebody's folder");
        for part in OF_A_LEDGER.iter().chain(&OF_ANY) {
            fs::create_dir(root.join(part)).expect("made");
            assert!(is_missing(), "{part}");
            fs::remove_dir(root.join(part)).expect("removed");
        }
        fs::create_dir(&keys).expect("made");
        assert!(is_missing(), "a ledger's folder that somebody has emptied");
    }
}
