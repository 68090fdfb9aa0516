//! New keys: one batch of records a commit in `keyring/journal`, `u32` length ‖ SHA-256 of the records ‖ the records; and how they come
//! into the shards.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use gt_core::Hash;
use rayon::prelude::*;

use super::packs::packed;
use super::records::Taken;
use super::{KeyRecord, Keyring, KeyringError, SHARDS_TOGETHER, damaged, io_error, shard_file, torn_file};
use crate::disk::{Disk, Syncing, read_if_there};

/// The longest record of one owner, wrapped, in bytes: packs are not in a journal.
const MAX_RECORD: usize = 4096;

/// The length and the sum before a batch's records.
const HEADER: usize = 36;

/// The whole batches at the start of a journal.
pub(crate) struct Batches<'a> {
    /// The records of each.
    pub(super) records: Vec<&'a [u8]>,
    /// Where the whole batches end.
    pub(crate) end: usize,
    /// A broken batch is followed by a whole one, so it is damage and no torn tail.
    pub(crate) damaged: bool,
}

pub(crate) fn file() -> PathBuf {
    PathBuf::from("keyring/journal")
}

fn frame(records: &[u8]) -> Vec<u8> {
    let length = u32::try_from(records.len()).expect("a batch's keys are far below 4 GiB");
    [&length.to_be_bytes(), Hash::of(records).as_bytes().as_slice(), records].concat()
}

pub(crate) fn read(bytes: &[u8]) -> Batches<'_> {
    let mut batches = Batches { records: Vec::new(), end: 0, damaged: false };
    while let Some(records) = whole_batch(&bytes[batches.end..]) {
        batches.records.push(records);
        batches.end += HEADER + records.len();
    }
    // A commit waits for its batch, so only the last one can be torn: cut short, or with zeros where sectors were lost, its length
    // included. Whatever a whole batch follows was durable once.
    let after = bytes.len().min(batches.end + 1);
    batches.damaged = (after..bytes.len()).any(|at| whole_batch(&bytes[at..]).is_some());
    batches
}

/// The records of the batch at the start of `bytes`, if it is whole.
fn whole_batch(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<32>()?;
    let records = rest.get(..u32::from_be_bytes(*length) as usize)?;
    // Most of what is no batch ends here, so that looking for one does not hash half the journal at every byte.
    let first = u32::from_be_bytes(*records.first_chunk::<4>()?) as usize;
    (first <= MAX_RECORD && Hash::of(records).as_bytes() == sum).then_some(records)
}

/// Its length, 0 if there is none.
pub(crate) fn len(disk: &Disk) -> u64 {
    fs::metadata(disk.root().join(file())).map_or(0, |there| there.len())
}

impl Keyring {
    /// Makes new records durable.
    pub fn persist(disk: &mut Disk, new: &[KeyRecord]) -> Result<(), KeyringError> {
        let Some(syncing) = Self::begin_to_persist(disk, new)? else { return Ok(()) };
        Self::finish_persisting(disk, syncing)
    }

    /// Writes new records and begins to make them durable; `None` if there are none. No checkpoint may rest on them before
    /// [`Self::finish_persisting`].
    pub fn begin_to_persist(disk: &mut Disk, new: &[KeyRecord]) -> Result<Option<Syncing>, KeyringError> {
        if new.is_empty() {
            return Ok(None);
        }
        let records: Vec<u8> = new.iter().flat_map(|record| record.bytes.iter().copied()).collect();
        let journal = file();
        disk.append(&journal, &frame(&records))
            .and_then(|()| disk.sync_meanwhile(&journal))
            .map(Some)
            .map_err(io_error(&journal))
    }

    /// Waits until the records are durable.
    pub fn finish_persisting(disk: &Disk, syncing: Syncing) -> Result<(), KeyringError> {
        disk.finish_sync(syncing).map_err(io_error(&file()))
    }

    /// Folds the journal into the shards: those of which it has records are written anew. A crash in between leaves records in both, and
    /// they are the same records.
    ///
    /// What a power cut left of an unfinished batch is set aside in `keyring/torn`: nothing sealed rests on it.
    pub fn fold_journal(&self, disk: &mut Disk) -> Result<(), KeyringError> {
        self.fold_journal_from(0, disk)
    }

    /// Sets aside what a power cut left of an unfinished batch, since others are to follow it; folds a journal of this length or more, and
    /// writes a shorter one anew: what is read of it need not be durable, and entries are to rest on it.
    pub(crate) fn fold_journal_from(&self, least: usize, disk: &mut Disk) -> Result<(), KeyringError> {
        let journal = file();
        let bytes =
            read_if_there(&disk.root().join(&journal)).map_err(io_error(&journal))?.unwrap_or_default();
        if bytes.is_empty() {
            return Ok(());
        }
        let batches = read(&bytes);
        if batches.end < bytes.len() {
            let torn = torn_file();
            disk.append(&torn, &bytes[batches.end..])
                .and_then(|()| disk.sync(&torn))
                .map_err(io_error(&torn))?;
        }
        if batches.end < least {
            // After an `fsync` that failed, another one of the same file proves nothing.
            return disk.replace(&journal, &bytes[..batches.end]).map_err(io_error(&journal));
        }
        self.fold(&batches.records, disk)?;
        disk.cut(&journal, 0).map_err(io_error(&journal))
    }

    /// Writes the shards anew that these records are of.
    fn fold(&self, batches: &[&[u8]], disk: &mut Disk) -> Result<(), KeyringError> {
        let mut added: BTreeMap<u8, Vec<Taken>> = BTreeMap::new();
        for records in batches {
            let says = self.read(&file(), records)?.into_iter().flat_map(|opened| opened.says);
            says.for_each(|taken| added.entry(taken.tag()[0]).or_default().push(taken));
        }
        let mut added = added.into_iter().peekable();
        while added.peek().is_some() {
            let together: Vec<_> = added.by_ref().take(SHARDS_TOGETHER).collect();
            let root = disk.root();
            let files = together.into_par_iter().map(|(shard, added)| self.shard_with(shard, added, root));
            let files = files.collect::<Result<Vec<_>, _>>()?;
            disk.replace_together(&files).map_err(io_error(Path::new("keyring")))?;
        }
        Ok(())
    }

    /// A shard's file as it is with what is added: of what the files say, whatever is held, and only if it can be read back.
    fn shard_with(
        &self,
        shard: u8,
        added: Vec<Taken>,
        root: &Path,
    ) -> Result<(PathBuf, Vec<u8>), KeyringError> {
        let file = shard_file(shard.into());
        let there = read_if_there(&root.join(&file)).map_err(io_error(&file))?;
        let mut rows = self.rows(shard, &file, &there.unwrap_or_default())?;
        for taken in added {
            rows.take(taken).ok_or_else(|| damaged(&self::file(), 0))?;
        }
        let bytes = packed(&rows, shard, &self.shard_keys[usize::from(shard)], &[]);
        if !self.rows(shard, &file, &bytes)?.is(&rows) {
            return Err(damaged(&file, bytes.len()));
        }
        Ok((file, bytes))
    }
}
