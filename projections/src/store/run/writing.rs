//! Writing a run.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::index::Index;
use super::{CHECK, Run, checksum, path, remove};
use crate::key::{self, Key};
use crate::store::StoreError;
use crate::store::block::Packing;
use crate::store::filter::{Filter, Print};

/// A run that is being written. Dropped before it is finished, nothing is left of it.
pub(in crate::store) struct RunWriter {
    folder: PathBuf,
    id: u64,
    file: BufWriter<File>,
    index: Index,
    /// The last key of the block before, and the first of this one.
    before: Key,
    first: Option<Key>,
    packing: Packing,
    ids: Filter,
    id_count: u64,
    /// What was written since the disk was last waited for.
    unsynced: usize,
    is_finished: bool,
}

const BUFFER: usize = 1 << 20;
/// A large file is handed to the disk in parts, so that nobody else who waits for the disk waits for all of it.
const SYNCED: usize = 32 << 20;

/// Writes rows that are in memory, in the order of their keys.
pub(in crate::store) fn write<'r>(
    folder: &Path,
    id: u64,
    rows: impl Iterator<Item = (&'r Key, &'r Option<Vec<u8>>)> + Clone,
) -> Result<Run, StoreError> {
    let mut ids = rows.clone().filter_map(|(key, _)| key::stem(key)).peekable();
    let mut count = 0;
    while let Some(id) = ids.next() {
        count += u64::from(ids.peek() != Some(&id));
    }
    let mut run = RunWriter::new(folder, id, count)?;
    for (key, value) in rows {
        run.add(key, value.as_deref())?;
    }
    run.finish()
}

impl RunWriter {
    /// `most_ids`: how many ids it has rows about, or some more.
    pub(in crate::store) fn new(folder: &Path, id: u64, most_ids: u64) -> Result<Self, StoreError> {
        let file = File::create(path(folder, id)).map_err(StoreError::Run)?;
        Ok(Self {
            folder: folder.to_owned(),
            id,
            file: BufWriter::with_capacity(BUFFER, file),
            index: Index::default(),
            before: Key::new(),
            first: None,
            packing: Packing::default(),
            ids: Filter::with_room(most_ids),
            id_count: 0,
            unsynced: 0,
            is_finished: false,
        })
    }

    /// Adds a row. The keys come in their order.
    pub(in crate::store) fn add(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), StoreError> {
        let stem = key::stem(key);
        if let Some(stem) = stem.filter(|_| key::stem(self.packing.last()) != stem) {
            self.ids.add(Print::of(stem));
            self.id_count += 1;
        }
        if !self.packing.add(key, value) {
            self.write_block().map_err(StoreError::Run)?;
            self.packing.add(key, value);
        }
        if self.first.is_none() {
            self.first = Some(key.to_vec());
        }
        Ok(())
    }

    fn write_block(&mut self) -> io::Result<()> {
        let rows = self.packing.take();
        self.file.write_all(&rows)?;
        self.file.write_all(&checksum(&[&rows]))?;
        let length = rows.len() + CHECK;
        self.index.add(&self.before, &self.first.take().unwrap_or_default(), length);
        self.packing.last().clone_into(&mut self.before);
        self.unsynced += length;
        if self.unsynced > SYNCED {
            self.file.flush()?;
            self.file.get_ref().sync_data()?;
            self.unsynced = 0;
        }
        Ok(())
    }

    /// The run, durable. It counts once the layout names it.
    pub(in crate::store) fn finish(mut self) -> Result<Run, StoreError> {
        let check = self.write_rest().map_err(StoreError::Run)?;
        let file = File::open(path(&self.folder, self.id)).map_err(StoreError::Run)?;
        self.is_finished = true;
        let (index, ids) = (std::mem::take(&mut self.index), std::mem::take(&mut self.ids));
        Ok(Run { id: self.id, file, index, ids, id_count: self.id_count, check })
    }

    /// Writes what is not written yet, and waits until all of it is durable. Returned is the CRC-32 in its foot.
    fn write_rest(&mut self) -> io::Result<[u8; CHECK]> {
        if !self.packing.is_empty() {
            self.write_block()?;
        }
        let index = self.index.write();
        let numbers =
            [self.id, self.index.end(), index.len() as u64, self.ids.bytes().len() as u64, self.id_count];
        let numbers = numbers.map(u64::to_le_bytes).concat();
        let check = checksum(&[&index, self.ids.bytes(), &numbers]);
        for part in [&index, self.ids.bytes(), &numbers, &check] {
            self.file.write_all(part)?;
        }
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        File::open(&self.folder)?.sync_all()?;
        Ok(check)
    }
}

impl Drop for RunWriter {
    fn drop(&mut self) {
        if !self.is_finished
            && let Err(error) = remove(&self.folder, self.id)
        {
            tracing::warn!(%error, "a file of the views that was not finished could not be removed");
        }
    }
}
