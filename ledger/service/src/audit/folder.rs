use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use gt_core::TreeSize;
use gt_core::tile::{FULL_WIDTH, HASH_LEN};

use super::inventory;
use super::source::{
    LogSource, MAX_BUNDLE, MAX_CHECKPOINT, MAX_TILE, Part, SourceError, Surplus, leading_entries,
};
use crate::layout;
use crate::vault;

/// The longest vault file, in bytes.
const MAX_VAULT: usize = FULL_WIDTH as usize * (4 + vault::MAX_BODY + 32);

/// A data folder, to read and never to change.
pub struct DataFolder {
    root: PathBuf,
    running: bool,
}

impl DataFolder {
    /// The data folder at `root`. Whether a ledger has it open is asked once, here.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), running: is_locked(root) }
    }

    /// Whether a ledger process has the folder open, so that bytes beyond the checkpoint are to be expected.
    pub const fn is_running(&self) -> bool {
        self.running
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
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
        self.part(&file, MAX_CHECKPOINT)?.ok_or_else(|| missing(&file))
    }

    fn bundle(&self, n: u64, width: u16) -> Result<Part, SourceError> {
        let (full, open) = (layout::full_entries(n), layout::open_entries(n));
        if width == FULL_WIDTH {
            return self.either(&full, &open, MAX_BUNDLE);
        }
        let mut part = self.either(&open, &full, MAX_BUNDLE)?;
        part.bytes.truncate(leading_entries(&part.bytes, width));
        Ok(part)
    }

    fn tile(&self, level: u8, n: u64, width: u16) -> Result<Part, SourceError> {
        let (full, open) = (layout::full_tile(level, n), layout::open_tile(level, n));
        if width == FULL_WIDTH {
            return self.either(&full, &open, MAX_TILE);
        }
        let mut part = self.either(&open, &full, MAX_TILE)?;
        part.bytes.truncate(usize::from(width) * HASH_LEN);
        Ok(part)
    }

    fn surplus(&self, size: TreeSize) -> Surplus {
        inventory::of_log(self, size)
    }
}

/// Whether a process holds the folder's lock. The lock is asked for on the existing file, opened read-only, and given back at once.
pub(super) fn is_locked(root: &Path) -> bool {
    let Ok(file) = File::open(root.join(layout::lock())) else { return false };
    matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock))
}

fn missing(file: &Path) -> SourceError {
    SourceError::Missing { place: file.display().to_string() }
}
