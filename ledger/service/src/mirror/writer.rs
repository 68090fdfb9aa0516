use std::io;
use std::path::{Path, PathBuf};

use gt_core::checkpoint::SignedCheckpoint;
use rayon::prelude::*;

use super::error::MirrorError;
use crate::disk::Disk;
use crate::layout;

/// After so many files they are made durable, so that what is held in memory stays bounded.
const SYNC_AFTER: usize = 512;

/// Writes a mirror's files: tiles first, durably; then the checkpoint that covers them; then what it no longer needs goes. A crash
/// anywhere in between leaves the old checkpoint or the new one, with everything that it covers.
pub(super) struct Writer {
    disk: Disk,
    unsynced: Vec<PathBuf>,
}

impl Writer {
    pub(super) const fn new(disk: Disk) -> Self {
        Self { disk, unsynced: Vec::new() }
    }

    /// Writes a tile or bundle. No checkpoint covers it yet, so it may be torn until [`Self::make_durable`] has returned.
    pub(super) fn write(&mut self, path: PathBuf, bytes: &[u8]) -> Result<(), MirrorError> {
        self.disk.replace_lazily(&path, bytes).map_err(at(&path))?;
        self.keep(path)
    }

    /// Takes a file that is there and is as it must be. Whether it is durable is not known.
    pub(super) fn keep(&mut self, path: PathBuf) -> Result<(), MirrorError> {
        self.unsynced.push(path);
        if self.unsynced.len() >= SYNC_AFTER { self.make_durable() } else { Ok(()) }
    }

    /// Makes all that was written or kept durable, names included.
    pub(super) fn make_durable(&mut self) -> Result<(), MirrorError> {
        let files = std::mem::take(&mut self.unsynced);
        let disk = &self.disk;
        files.par_iter().try_for_each(|file| disk.sync(file).map_err(at(file)))?;
        // A folder may have been made by a process that was killed before its name was durable.
        let above = |file: &PathBuf| file.ancestors().skip(1).map(Path::to_owned).collect::<Vec<_>>();
        let mut folders: Vec<PathBuf> = files.iter().flat_map(above).collect();
        folders.sort();
        folders.dedup();
        folders.par_iter().try_for_each(|folder| disk.sync_folder(folder).map_err(at(folder)))
    }

    /// Replaces the checkpoint, durably. What it covers is durable.
    pub(super) fn publish(&mut self, checkpoint: &SignedCheckpoint) -> Result<(), MirrorError> {
        self.replace(&layout::checkpoint(), checkpoint.to_string().as_bytes())
    }

    /// Replaces a file, durably.
    pub(super) fn replace(&mut self, path: &Path, bytes: &[u8]) -> Result<(), MirrorError> {
        self.disk.replace(path, bytes).map_err(at(path))
    }

    /// Removes files, and the folders of partial tiles that this empties.
    pub(super) fn remove(&mut self, files: &[PathBuf]) -> Result<(), MirrorError> {
        for file in files {
            self.disk.remove(file).map_err(at(file))?;
            let Some(folder) = file.parent() else { continue };
            if folder.extension().is_some_and(|extension| extension == "p") {
                self.disk.remove_folder_if_empty(folder).map_err(at(folder))?;
            }
        }
        Ok(())
    }
}

/// Says of an error where it came up.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> MirrorError {
    let place = path.display().to_string();
    move |source| MirrorError::Io { place, source }
}
