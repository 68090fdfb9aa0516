//! Writing blocks and snapshots, in an order that a crash cannot spoil: blocks, made durable; then the snapshot that knows of them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::form::Parts;
use super::{PLACE, VERSION};
use crate::disk::Disk;
use crate::index::{
    BlockFile, BlockName, Generation, Index, IndexError, OVERHEAD, Planned, StateKey, Stored, file_of, seal,
};
use crate::layout;
use crate::random;

/// How much is given to the file at once.
const CHUNK: usize = 1 << 20;

/// Writes to `state/`.
pub(super) struct Writer {
    disk: Disk,
    generation: Generation,
    end: u64,
    /// Whether files of other generations may be there.
    untidy: bool,
}

impl Writer {
    /// Begins a new file.
    pub(super) fn anew(disk: Disk) -> Self {
        Self { disk, generation: random::bytes(), end: 0, untidy: true }
    }

    /// Goes on with a file that holds `end` bytes of which a snapshot knows.
    pub(super) const fn going_on(disk: Disk, generation: Generation, end: u64) -> Self {
        Self { disk, generation, end, untidy: true }
    }

    /// The folder, for another one who writes to it.
    pub(super) fn disk(&self) -> Disk {
        self.disk.another()
    }

    pub(super) const fn end(&self) -> u64 {
        self.end
    }

    pub(super) const fn generation(&self) -> Generation {
        self.generation
    }

    /// Writes blocks where they were planned, and then a snapshot.
    ///
    /// A crash before the snapshot's rename leaves blocks that no snapshot knows; the next write cuts them off.
    pub(super) fn write(
        &mut self,
        key: &Arc<StateKey>,
        planned: &[Planned],
        snapshot: Option<Parts>,
    ) -> io::Result<BlockFile> {
        let file = file_of(self.generation);
        self.cut(&file)?;
        // First, so that what it was made of is let go.
        let sealed = snapshot.map(|parts| key.seal(&[VERSION], PLACE, parts.into_bytes()));
        let mut bytes = Vec::new();
        for block in planned {
            bytes.extend(seal(key, self.generation, &block.name, &block.plain));
            if bytes.len() >= CHUNK {
                self.disk.append(&file, &bytes)?;
                bytes.clear();
            }
        }
        self.disk.append(&file, &bytes)?;
        self.disk.sync(&file)?;
        if let Some(last) = planned.last() {
            self.end = last.stored.at + u64::from(last.stored.len);
        }
        if let Some(sealed) = sealed {
            self.disk.replace(&layout::snapshot(), &sealed)?;
            self.tidy()?;
        }
        BlockFile::open(self.disk.root(), self.generation, Arc::clone(key))
    }

    /// Writes all blocks of an index to a new file, under this key. The file before stays until a snapshot knows of the new one.
    pub(super) fn move_blocks(
        &mut self,
        key: &Arc<StateKey>,
        index: &Index,
    ) -> Result<(BlockFile, Vec<(BlockName, Stored)>), IndexError> {
        let generation: Generation = random::bytes();
        let (file, mut bytes) = (file_of(generation), Vec::new());
        let (mut end, mut blocks) = (0, Vec::new());
        index.each_block(|name, plain| {
            let len = u32::try_from(plain.len() + OVERHEAD).map_err(io::Error::other)?;
            blocks.push((*name, Stored { at: end, len }));
            end += u64::from(len);
            bytes.extend(seal(key, generation, name, &plain));
            if bytes.len() >= CHUNK {
                self.disk.append(&file, &bytes)?;
                bytes.clear();
            }
            Ok(())
        })?;
        self.disk.append(&file, &bytes)?;
        self.disk.sync(&file)?;
        let written = BlockFile::open(self.disk.root(), generation, Arc::clone(key))?;
        self.disk.close(&file_of(self.generation));
        (self.generation, self.end, self.untidy) = (generation, end, true);
        Ok((written, blocks))
    }

    /// Removes the snapshot, and what an interrupted write has left of another, so that the next start makes everything anew.
    pub(super) fn remove_snapshot(&mut self) {
        let file = layout::snapshot();
        for file in [file.with_extension("new"), file] {
            if self.disk.root().join(&file).exists()
                && let Err(error) = self.disk.remove_durably(&file)
            {
                tracing::error!(%error, file = %file.display(), "this file of the ledger's state cannot be removed: remove it by hand before the next start");
            }
        }
    }

    /// Removes the snapshot and every file of blocks. What is open of them can be read until this process ends.
    pub(super) fn remove_everything(&mut self) {
        self.remove_snapshot();
        self.disk.close(&file_of(self.generation));
        (self.generation, self.end) = (random::bytes(), 0);
        self.remove_older_blocks();
    }

    /// Removes every file of blocks but the one that is written to, and says so where it cannot.
    pub(super) fn remove_older_blocks(&mut self) {
        if let Err(error) = self.remove_other_blocks() {
            tracing::error!(%error, "the files state/index.* cannot be removed, which tell under an old key-encryption key whose entries belong together: remove them by hand");
        }
    }

    /// Cuts off what an interrupted write has left.
    fn cut(&mut self, file: &Path) -> io::Result<()> {
        match fs::metadata(self.disk.root().join(file)) {
            Ok(there) if there.len() > self.end => self.disk.cut(file, self.end),
            Ok(there) if there.len() < self.end => {
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, "blocks that were written are gone"))
            }
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.end == 0 => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Removes files that no snapshot knows any more.
    fn tidy(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.untidy) { self.remove_other_blocks() } else { Ok(()) }
    }

    fn remove_other_blocks(&mut self) -> io::Result<()> {
        let (kept, folder) = (file_of(self.generation), PathBuf::from("state"));
        for entry in fs::read_dir(self.disk.root().join(&folder))? {
            let file = folder.join(entry?.file_name());
            let is_of_blocks = file.file_stem().is_some_and(|stem| stem == "index");
            if is_of_blocks && file != kept {
                self.disk.remove(&file)?;
            }
        }
        self.disk.sync_folder(&folder)
    }
}
