//! Where the blocks of a run lie, and which keys are in which: held in memory.

use std::cmp::Ordering;
use std::ops::Range;

use crate::bytes::{Reader, Writer};

/// The blocks, in order.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// The keys that part blocks, one after another.
    keys: Vec<u8>,
    blocks: Vec<Block>,
}

#[derive(Debug)]
struct Block {
    /// The key's first bytes: they mostly tell, and need not be looked for in memory.
    start: [u8; 8],
    /// In the keys: that from which on rows are in this block and not in the one before.
    key: Range<usize>,
    /// Where in the file it ends.
    end: u64,
}

impl Index {
    pub(super) const fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Where the last block ends.
    pub(super) fn end(&self) -> u64 {
        self.blocks.last().map_or(0, |block| block.end)
    }

    /// Adds a block of so many bytes. `last` is the last key of the one before, `first` the first of this: of all keys that part them the
    /// shortest is kept.
    pub(super) fn add(&mut self, last: &[u8], first: &[u8], length: usize) {
        let common = last.iter().zip(first).take_while(|(last, first)| last == first).count();
        self.push(&first[..first.len().min(common + 1)], length as u64);
    }

    fn push(&mut self, key: &[u8], length: u64) {
        let (at, end) = (self.keys.len(), self.end() + length);
        self.keys.extend_from_slice(key);
        self.blocks.push(Block { start: start(key), key: at..self.keys.len(), end });
    }

    fn key(&self, block: &Block) -> &[u8] {
        &self.keys[block.key.clone()]
    }

    /// Where in the file a block lies.
    pub(super) fn place(&self, number: usize) -> Range<u64> {
        let start = number.checked_sub(1).map_or(0, |before| self.blocks[before].end);
        start..self.blocks[number].end
    }

    /// The block in which a key would be.
    pub(super) fn find(&self, key: &[u8]) -> Option<usize> {
        let start = start(key);
        let is_before = |block: &Block| match block.start.cmp(&start) {
            Ordering::Equal => self.key(block) <= key,
            other => other.is_lt(),
        };
        self.blocks.partition_point(is_before).checked_sub(1)
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let numbers = (0..self.len()).map(|number| {
            let place = self.place(number);
            (self.key(&self.blocks[number]), place.end - place.start)
        });
        let write = |writer: Writer, (key, length): (&[u8], u64)| writer.bytes(key).number(length);
        Writer::default().list(numbers, write).finish()
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut index = Self::default();
        for _ in 0..reader.number()? {
            let (key, length) = (reader.bytes()?, reader.number()?);
            let is_behind = index.blocks.last().is_none_or(|last| index.key(last) < key);
            let end = index.end().checked_add(length)?;
            if !is_behind || end == index.end() {
                return None;
            }
            index.push(key, length);
        }
        Some(index)
    }
}

/// The first bytes of a key, zeros behind a shorter one: in the order of the keys, but for keys that they do not tell apart.
fn start(key: &[u8]) -> [u8; 8] {
    let (mut start, length) = ([0; 8], key.len().min(8));
    start[..length].copy_from_slice(&key[..length]);
    start
}
