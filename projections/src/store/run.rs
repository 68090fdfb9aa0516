//! Runs: rows as they were written together, each run in a file of its own that is never changed.
//!
//! | part | content |
//! |---|---|
//! | blocks | each: its rows ([`super::block`]), and their CRC-32, four bytes |
//! | index | their number; for each the key that parts it from the one before, and its length |
//! | filter | which ids it has rows about ([`super::filter`]) |
//! | foot | five numbers of eight bytes: the run's own, the lengths of blocks, index and filter, how many ids; and the CRC-32 of index, filter and these |
//!
//! Numbers of a fixed length are little-endian. Index and filter are held in memory, so a row that is asked for costs one read in each run
//! that may have it. A file that does not read as it was written is damage, and makes the views be built again.

mod index;
mod reading;
mod writing;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::block::Unpacking;
use super::filter::{Filter, Print};
use super::{StoreError, damaged};
use crate::bytes::{Reader, Writer};
use crate::key::Key;
use index::Index;

pub(super) use reading::RunReader;
pub(super) use writing::{RunWriter, write};

/// A row that is written, or removed.
pub(crate) type Change = (Key, Option<Vec<u8>>);

/// A run of rows. It can be read for as long as somebody has it, whether its file is removed or not.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) id: u64,
    file: File,
    index: Index,
    ids: Filter,
    /// How many ids it has rows about.
    id_count: u64,
    /// The CRC-32 in its foot.
    check: [u8; CHECK],
}

/// What the layout says of a run: its number, and the CRC-32 in its foot, so that no other takes its place.
pub(super) struct Named {
    id: u64,
    check: u64,
}

/// Memory for blocks that are read one after another.
#[derive(Default)]
pub(super) struct Buffer(Vec<u8>);

/// From which key to which, both included, how many rows at most, and from which side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span<'k> {
    pub(super) from: &'k [u8],
    pub(super) to: &'k [u8],
    pub(super) most: usize,
    pub(super) backwards: bool,
}

const FOOT: usize = 5 * 8 + 4;
const CHECK: usize = 4;
const ENDING: &str = "run";

/// The file of a run.
pub(super) fn path(folder: &Path, id: u64) -> PathBuf {
    folder.join(format!("{id:016x}.{ENDING}"))
}

/// Removes a run's file, if it is there.
pub(super) fn remove(folder: &Path, id: u64) -> Result<(), StoreError> {
    match fs::remove_file(path(folder, id)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::Run(error)),
        _ => Ok(()),
    }
}

/// The runs whose files lie in the folder, whole or not.
pub(super) fn in_folder(folder: &Path) -> Result<Vec<u64>, StoreError> {
    let mut ids = Vec::new();
    for item in fs::read_dir(folder).map_err(StoreError::Run)? {
        let name = item.map_err(StoreError::Run)?.file_name();
        let id = name.to_str().and_then(|name| name.split_once('.')).filter(|(_, ending)| *ending == ENDING);
        ids.extend(id.and_then(|(id, _)| u64::from_str_radix(id, 16).ok()));
    }
    Ok(ids)
}

impl Named {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { id: reader.number()?, check: reader.number()? })
    }

    /// Opens the run, which was written to its end.
    pub(super) fn open(&self, folder: &Path) -> Result<Run, StoreError> {
        let run = Run::open(folder, self.id)?;
        if u64::from(u32::from_le_bytes(run.check)) == self.check { Ok(run) } else { Err(damaged()) }
    }
}

impl Run {
    fn open(folder: &Path, id: u64) -> Result<Self, StoreError> {
        let file = match File::open(path(folder, id)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(damaged()),
            opened => opened.map_err(StoreError::Run)?,
        };
        let length = file.metadata().map_err(StoreError::Run)?.len();
        let foot_at = length.checked_sub(FOOT as u64).ok_or_else(damaged)?;
        let mut foot = [0; FOOT];
        read_at(&file, foot_at, &mut foot)?;
        let number = |at: usize| foot[at * 8..].first_chunk().copied().map_or(0, u64::from_le_bytes);
        let (blocks, index, filter, id_count) = (number(1), number(2), number(3), number(4));
        let held = index.checked_add(filter).ok_or_else(damaged)?;
        if number(0) != id || blocks.checked_add(held) != Some(foot_at) || id_count > filter {
            return Err(damaged());
        }
        let mut held = vec![0; usize::try_from(held).map_err(|_| damaged())?];
        read_at(&file, blocks, &mut held)?;
        let (numbers, check) = foot.split_last_chunk().ok_or_else(damaged)?;
        if checksum(&[&held, numbers]) != *check {
            return Err(damaged());
        }
        let (index, filter) = held.split_at(usize::try_from(index).map_err(|_| damaged())?);
        let mut reader = Reader::new(index);
        let index = Index::read(&mut reader).and_then(|index| reader.finish(index)).ok_or_else(damaged)?;
        if index.end() != blocks {
            return Err(damaged());
        }
        Ok(Self { id, file, index, ids: Filter::from_bytes(filter.to_vec()), id_count, check: *check })
    }

    /// What the layout says of it.
    pub(super) fn write(&self, writer: Writer) -> Writer {
        writer.number(self.id).number(u32::from_le_bytes(self.check).into())
    }

    pub(super) const fn blocks(&self) -> usize {
        self.index.len()
    }

    pub(super) const fn id_count(&self) -> u64 {
        self.id_count
    }

    /// The rows of a block.
    fn block<'b>(&self, number: usize, Buffer(buffer): &'b mut Buffer) -> Result<&'b [u8], StoreError> {
        let place = self.index.place(number);
        let length = usize::try_from(place.end - place.start).map_err(|_| damaged())?;
        if buffer.len() < length {
            buffer.resize(length, 0);
        }
        let block = &mut buffer[..length];
        read_at(&self.file, place.start, block)?;
        checked(block)
    }

    /// Whether it may have rows about this id; it may of whatever has none.
    pub(super) fn may_have(&self, print: Option<Print>) -> bool {
        print.is_none_or(|print| self.ids.may_have(print))
    }

    /// What it says of a key, if anything.
    #[allow(clippy::option_option)] // The inner one is the row: none if it is removed.
    pub(super) fn get(&self, key: &[u8], buffer: &mut Buffer) -> Result<Option<Option<Vec<u8>>>, StoreError> {
        let Some(number) = self.index.find(key) else { return Ok(None) };
        let mut rows = Unpacking::new(self.block(number, buffer)?);
        while let Some((found, value)) = rows.next()? {
            if found >= key {
                return Ok((found == key).then(|| value.map(<[u8]>::to_vec)));
            }
        }
        Ok(None)
    }

    /// Its rows within the span. If there are as many as there may be, there may be more.
    pub(super) fn span(&self, span: Span<'_>, buffer: &mut Buffer) -> Result<Vec<Change>, StoreError> {
        let mut all = Vec::new();
        let Some(last) = self.index.find(span.to) else { return Ok(all) };
        let first = self.index.find(span.from).unwrap_or_default();
        let mut blocks = first..=last;
        while all.len() < span.most {
            let next = if span.backwards { blocks.next_back() } else { blocks.next() };
            let Some(number) = next else { break };
            let within = self.rows(number, span, buffer)?;
            if span.backwards {
                all.extend(within.into_iter().rev());
            } else {
                all.extend(within);
            }
        }
        all.truncate(span.most);
        Ok(all)
    }

    fn rows(&self, number: usize, span: Span<'_>, buffer: &mut Buffer) -> Result<Vec<Change>, StoreError> {
        let (mut rows, mut within) = (Unpacking::new(self.block(number, buffer)?), Vec::new());
        while let Some((key, value)) = rows.next()? {
            if key > span.to {
                break;
            }
            if key >= span.from {
                within.push((key.to_vec(), value.map(<[u8]>::to_vec)));
            }
        }
        Ok(within)
    }
}

/// Reads bytes of a file. That they are not there, or cannot be read, is damage.
fn read_at(file: &File, at: u64, bytes: &mut [u8]) -> Result<(), StoreError> {
    file.read_exact_at(bytes, at).map_err(|_| damaged())
}

/// The rows of a block, if they are those that were written.
fn checked(block: &[u8]) -> Result<&[u8], StoreError> {
    let (rows, check) = block.split_at_checked(block.len().wrapping_sub(CHECK)).ok_or_else(damaged)?;
    if rows.is_empty() || checksum(&[rows]) != check { Err(damaged()) } else { Ok(rows) }
}

fn checksum(parts: &[&[u8]]) -> [u8; CHECK] {
    let mut hasher = crc32fast::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().to_le_bytes()
}
