//! Runs: rows as they were written together, in blocks that are never changed.
//!
//! The first key of each block is held in memory; so a row that is asked for costs one read of sled's in each run that may have it.

use std::ops::Range;
use std::sync::Arc;

use sled::Tree;

use super::StoreError;
use super::block::{MOST_BYTES, Packed, Packing, Unpacking};
use super::damaged;
use super::filter::{Filter, Print, print_of};
use crate::bytes::{Reader, Writer};
use crate::key::{self, Key};

/// A row that is written, or removed.
pub(crate) type Change = (Key, Option<Vec<u8>>);

/// A run of rows.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) id: u64,
    /// The first key of each block.
    firsts: Vec<Key>,
    /// The ids with which keys begin.
    ids: Filter,
}

/// A run that is being written.
pub(super) struct RunWriter<'t> {
    tree: &'t Tree,
    run: Run,
    first: Key,
    prints: Vec<Print>,
    packing: Packing,
}

/// A run that is read from its first row to its last.
pub(super) struct RunReader<'t> {
    tree: &'t Tree,
    run: Arc<Run>,
    /// The number of the block after this one.
    next: usize,
    block: sled::IVec,
    /// The row in the block, and where it ends.
    row: Option<Place>,
    end: usize,
    key: Key,
}

/// Where in a block a row's value lies, unless it is removed.
type Place = Option<Range<usize>>;

/// From which key to which, both included, how many rows at most, and from which side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span<'k> {
    pub(super) from: &'k [u8],
    pub(super) to: &'k [u8],
    pub(super) most: usize,
    pub(super) backwards: bool,
}

/// What the names of a run's blocks begin with, of the list of their first keys, and of its filter.
pub(super) const BLOCKS: u8 = b'B';
pub(super) const FIRSTS: u8 = b'F';
pub(super) const IDS: u8 = b'I';
pub(super) const PARTS: [u8; 3] = [BLOCKS, FIRSTS, IDS];

/// The name of a row of sled's.
pub(super) fn name(tag: u8, run: u64, number: u64) -> [u8; 17] {
    let mut name = [tag; 17];
    name[1..9].copy_from_slice(&run.to_be_bytes());
    name[9..].copy_from_slice(&number.to_be_bytes());
    name
}

impl<'t> RunWriter<'t> {
    pub(super) fn new(tree: &'t Tree, id: u64) -> Self {
        let run = Run { id, firsts: Vec::new(), ids: Filter::default() };
        Self { tree, run, first: Key::new(), prints: Vec::new(), packing: Packing::default() }
    }

    /// Adds a row. The keys come in their order.
    pub(super) fn add(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), StoreError> {
        if !self.packing.add(key, value) {
            self.write_block()?;
            self.packing.add(key, value);
        }
        if self.first.is_empty() {
            self.first = key.to_vec();
        }
        let print = key::stem(key).map(Print::of);
        self.prints.extend(print.filter(|print| self.prints.last() != Some(print)));
        Ok(())
    }

    fn write_block(&mut self) -> Result<(), StoreError> {
        let number = self.run.firsts.len() as u64;
        self.tree.insert(name(BLOCKS, self.run.id, number), self.packing.take())?;
        self.run.firsts.push(std::mem::take(&mut self.first));
        Ok(())
    }

    /// The run. It counts once the layout names it.
    pub(super) fn finish(mut self) -> Result<Run, StoreError> {
        if !self.packing.is_empty() {
            self.write_block()?;
        }
        let (mut packing, mut number) = (Packing::default(), 0);
        for first in &self.run.firsts {
            if !packing.add(first, None) {
                self.tree.insert(name(FIRSTS, self.run.id, number), packing.take())?;
                packing.add(first, None);
                number += 1;
            }
        }
        self.tree.insert(name(FIRSTS, self.run.id, number), packing.take())?;
        self.run.ids = Filter::of(&self.prints);
        for (number, part) in self.run.ids.bytes().chunks(MOST_BYTES).enumerate() {
            self.tree.insert(name(IDS, self.run.id, number as u64), part)?;
        }
        Ok(self.run)
    }
}

impl Run {
    pub(super) const fn blocks(&self) -> usize {
        self.firsts.len()
    }

    /// What the layout says of it.
    pub(super) fn write(writer: Writer, run: &Self) -> Writer {
        writer.number(run.id).number(run.firsts.len() as u64).number(run.ids.bytes().len() as u64)
    }

    /// The run of which the layout says this.
    pub(super) fn read(tree: &Tree, reader: &mut Reader<'_>) -> Result<Self, StoreError> {
        let mut number = || reader.number().ok_or_else(damaged);
        let (id, blocks, filter) = (number()?, number()?, number()?);
        let mut firsts = Vec::new();
        for row in tree.scan_prefix(&name(FIRSTS, id, 0)[..9]) {
            let (_, block) = row?;
            let mut rows = Unpacking::new(&block);
            while let Some((first, _)) = rows.next()? {
                firsts.push(first.to_vec());
            }
        }
        let mut ids = Vec::new();
        for row in tree.scan_prefix(&name(IDS, id, 0)[..9]) {
            ids.extend_from_slice(&row?.1);
        }
        if firsts.len() as u64 != blocks || !firsts.is_sorted() || ids.len() as u64 != filter {
            return Err(damaged());
        }
        Ok(Self { id, firsts, ids: Filter::from_bytes(ids) })
    }

    fn block(&self, tree: &Tree, number: usize) -> Result<sled::IVec, StoreError> {
        let block = tree.get(name(BLOCKS, self.id, number as u64))?;
        block.filter(|block| !block.is_empty()).ok_or_else(damaged)
    }

    /// The block in which a key would be.
    fn place(&self, key: &[u8]) -> Option<usize> {
        self.firsts.partition_point(|first| &first[..] <= key).checked_sub(1)
    }

    /// What it says of a key, if anything.
    #[allow(clippy::option_option)] // The inner one is the row: none if it is removed.
    pub(super) fn get(&self, tree: &Tree, key: &[u8]) -> Result<Option<Option<Vec<u8>>>, StoreError> {
        if print_of(key, key).is_some_and(|print| !self.ids.may_have(print)) {
            return Ok(None);
        }
        let Some(place) = self.place(key) else { return Ok(None) };
        let block = self.block(tree, place)?;
        let mut rows = Unpacking::new(&block);
        while let Some((found, value)) = rows.next()? {
            if found >= key {
                return Ok((found == key).then(|| value.map(<[u8]>::to_vec)));
            }
        }
        Ok(None)
    }

    /// Its rows within the span. If there are as many as there may be, there may be more.
    pub(super) fn span(&self, tree: &Tree, span: Span<'_>) -> Result<Vec<Change>, StoreError> {
        let mut all = Vec::new();
        if print_of(span.from, span.to).is_some_and(|print| !self.ids.may_have(print)) {
            return Ok(all);
        }
        let Some(last) = self.place(span.to) else { return Ok(all) };
        let first = self.place(span.from).unwrap_or_default();
        let mut blocks: Vec<usize> = Vec::new();
        if span.backwards {
            blocks.extend((first..=last).rev().take(span.most));
        } else {
            blocks.extend((first..=last).take(span.most.saturating_add(1)));
        }
        for number in blocks {
            let within = self.rows(tree, number, span)?;
            if span.backwards {
                all.extend(within.into_iter().rev());
            } else {
                all.extend(within);
            }
            if all.len() >= span.most {
                all.truncate(span.most);
                break;
            }
        }
        Ok(all)
    }

    fn rows(&self, tree: &Tree, number: usize, span: Span<'_>) -> Result<Vec<Change>, StoreError> {
        let block = self.block(tree, number)?;
        let (mut rows, mut within) = (Unpacking::new(&block), Vec::new());
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

impl<'t> RunReader<'t> {
    pub(super) fn new(tree: &'t Tree, run: Arc<Run>) -> Result<Self, StoreError> {
        let (block, key) = (sled::IVec::default(), Key::new());
        let mut reader = Self { tree, run, next: 0, block, row: None, end: 0, key };
        reader.step()?;
        Ok(reader)
    }

    /// The row: its key, and its value, unless it is removed. None after the last.
    pub(super) fn row(&self) -> Option<Packed<'_, '_>> {
        let value = self.row.as_ref()?.clone().map(|place| &self.block[place]);
        Some((&self.key, value))
    }

    /// Goes on to the next row.
    pub(super) fn step(&mut self) -> Result<(), StoreError> {
        loop {
            let mut rows = Unpacking::after(&self.block[self.end..], std::mem::take(&mut self.key));
            let length = rows.next()?.map(|(_, value)| value.map(<[u8]>::len));
            let left;
            (self.key, left) = rows.stop();
            self.end = self.block.len() - left;
            self.row = length.map(|length| length.map(|length| self.end - length..self.end));
            if self.row.is_some() || self.next == self.run.firsts.len() {
                return Ok(());
            }
            self.block = self.run.block(self.tree, self.next)?;
            (self.next, self.end) = (self.next + 1, 0);
            self.key.clear();
        }
    }
}
