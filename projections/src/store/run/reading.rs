//! Reading a run from its first row to its last.

use std::ops::Range;
use std::sync::Arc;

use super::{CHECK, Run, checked, read_at};
use crate::key::Key;
use crate::store::block::{Packed, Unpacking};
use crate::store::{StoreError, damaged};

/// A run that is read from its first row to its last.
pub(in crate::store) struct RunReader {
    run: Arc<Run>,
    /// The number of the block after this one.
    next: usize,
    /// Some blocks, and where in the file they begin and end.
    read: Vec<u8>,
    place: Range<u64>,
    /// The row in what was read, where it ends, and where the block's rows do.
    row: Option<Place>,
    end: usize,
    block_end: usize,
    key: Key,
}

/// Where in what was read a row's value lies, unless it is removed.
type Place = Option<Range<usize>>;

/// So many bytes are read at once, or one block.
const AT_ONCE: u64 = 256 << 10;

impl RunReader {
    pub(in crate::store) fn new(run: Arc<Run>) -> Result<Self, StoreError> {
        let mut reader = Self {
            run,
            next: 0,
            read: Vec::new(),
            place: 0..0,
            row: None,
            end: 0,
            block_end: 0,
            key: Key::new(),
        };
        reader.step()?;
        Ok(reader)
    }

    /// The row: its key, and its value, unless it is removed. None after the last.
    pub(in crate::store) fn row(&self) -> Option<Packed<'_, '_>> {
        let value = self.row.as_ref()?.clone().map(|place| &self.read[place]);
        Some((&self.key, value))
    }

    /// Goes on to the next row.
    pub(in crate::store) fn step(&mut self) -> Result<(), StoreError> {
        loop {
            let rest = &self.read[self.end..self.block_end];
            let mut rows = Unpacking::after(rest, std::mem::take(&mut self.key));
            let length = rows.next()?.map(|(_, value)| value.map(<[u8]>::len));
            let left;
            (self.key, left) = rows.stop();
            self.end = self.block_end - left;
            self.row = length.map(|length| length.map(|length| self.end - length..self.end));
            if self.row.is_some() || self.next == self.run.blocks() {
                return Ok(());
            }
            self.go_to_block()?;
        }
    }

    fn go_to_block(&mut self) -> Result<(), StoreError> {
        let index = &self.run.index;
        let block = index.place(self.next);
        if block.end > self.place.end {
            let most = block.start + AT_ONCE;
            let end = (self.next + 1..index.len()).map(|number| index.place(number).end);
            let end = end.take_while(|end| *end <= most).last().unwrap_or(block.end);
            self.place = block.start..end;
            let length = usize::try_from(self.place.end - self.place.start).map_err(|_| damaged())?;
            self.read.resize(length, 0);
            read_at(&self.run.file, self.place.start, &mut self.read)?;
        }
        let within = |at: u64| usize::try_from(at - self.place.start).expect("what was read is in memory");
        let bytes = within(block.start)..within(block.end);
        checked(&self.read[bytes.clone()])?;
        (self.end, self.block_end) = (bytes.start, bytes.end - CHECK);
        self.next += 1;
        self.key.clear();
        Ok(())
    }
}
