//! Blocks: sorted rows, packed one after another, some sixty of them: what a run is read in. In sled, whose leaves hold sixteen values
//! whatever their size, a batch of the journal is a few of them.
//!
//! A row is: how many bytes its key has in common with the key before it, how many more it has, the length of its value and 1 (0 if
//! the row is removed), those bytes of the key, the value. Numbers are LEB128.

use crate::bytes::{Reader, Writer};
use crate::key::Key;

/// No block grows beyond this many bytes, unless a single row is longer: a row that is looked for costs a whole one, and a leaf of sled's
/// must stay well below a segment's fourth, or it is moved to a file of its own.
pub(super) const MOST_BYTES: usize = 4000;

/// A block that is being filled.
#[derive(Default)]
pub(super) struct Packing {
    bytes: Vec<u8>,
    last: Key,
}

/// The rows of a block, in order.
pub(super) struct Unpacking<'b> {
    reader: Reader<'b>,
    key: Key,
}

/// A row as it stands in a block: its key, and its value, unless it is removed.
pub(super) type Packed<'k, 'b> = (&'k [u8], Option<&'b [u8]>);

/// A row does not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damaged;

impl Packing {
    /// Adds a row, if there is room for it. The keys come in their order.
    pub(super) fn add(&mut self, key: &[u8], value: Option<&[u8]>) -> bool {
        let length = key.len() + value.map_or(0, <[u8]>::len) + 8;
        if !self.bytes.is_empty() && self.bytes.len() + length > MOST_BYTES {
            return false;
        }
        let common = if self.bytes.is_empty() { 0 } else { common(&self.last, key) };
        self.bytes = Writer::over(std::mem::take(&mut self.bytes))
            .number(common as u64)
            .number((key.len() - common) as u64)
            .number(value.map_or(0, |value| value.len() as u64 + 1))
            .raw(&key[common..])
            .raw(value.unwrap_or_default())
            .finish();
        self.last.truncate(common);
        self.last.extend_from_slice(&key[common..]);
        true
    }

    /// The key that was added last, to this block or to one before it.
    pub(super) fn last(&self) -> &[u8] {
        &self.last
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The block. What is added next begins another one.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::replace(&mut self.bytes, Vec::with_capacity(MOST_BYTES))
    }
}

impl<'b> Unpacking<'b> {
    pub(super) const fn new(block: &'b [u8]) -> Self {
        Self::after(block, Key::new())
    }

    /// The rows behind that with this key.
    pub(super) const fn after(rest: &'b [u8], key: Key) -> Self {
        Self { reader: Reader::new(rest), key }
    }

    /// The key of the row that was read last, and how many bytes follow it.
    pub(super) fn stop(self) -> (Key, usize) {
        (self.key, self.reader.left())
    }

    /// The next row; its value is none if the row is removed.
    pub(super) fn next(&mut self) -> Result<Option<Packed<'_, 'b>>, Damaged> {
        if self.reader.is_at_end() {
            return Ok(None);
        }
        let value = self.row().ok_or(Damaged)?;
        Ok(Some((&self.key, value)))
    }

    #[allow(clippy::option_option)] // Whether it reads, and whether the row has a value.
    fn row(&mut self) -> Option<Option<&'b [u8]>> {
        let common = usize::try_from(self.reader.number()?).ok()?;
        let more = usize::try_from(self.reader.number()?).ok()?;
        let length = usize::try_from(self.reader.number()?).ok()?;
        if common > self.key.len() {
            return None;
        }
        self.key.truncate(common);
        self.key.extend_from_slice(self.reader.raw(more)?);
        match length.checked_sub(1) {
            Some(length) => self.reader.raw(length).map(Some),
            None => Some(None),
        }
    }
}

fn common(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::super::run::Change;
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn unpacked(block: &[u8]) -> Result<Vec<Change>, Damaged> {
        let (mut rows, mut all) = (Unpacking::new(block), Vec::new());
        while let Some((key, value)) = rows.next()? {
            all.push((key.to_vec(), value.map(<[u8]>::to_vec)));
        }
        Ok(all)
    }

    proptest! {
        #[test]
        fn rows_that_were_packed_are_unpacked(rows: BTreeMap<Vec<u8>, Option<Vec<u8>>>) {
            let (mut packing, mut blocks) = (Packing::default(), Vec::new());
            for (key, value) in &rows {
                if !packing.add(key, value.as_deref()) {
                    blocks.push(packing.take());
                    prop_assert!(packing.add(key, value.as_deref()), "an empty block takes any row");
                }
            }
            blocks.push(packing.take());
            let all: Vec<_> = blocks.iter().flat_map(|block| unpacked(block).expect("a block reads")).collect();
            prop_assert_eq!(all, rows.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_are_rows_or_damage(bytes: Vec<u8>) {
            let _ = unpacked(&bytes);
        }
    }

    #[test]
    fn a_block_ends_where_it_is_full() {
        let mut packing = Packing::default();
        assert!(packing.add(b"a", Some(&[1; MOST_BYTES * 2])) && !packing.add(b"b", None));
        assert_eq!(unpacked(&[9, 1, 1, b'k']), Err(Damaged), "a key that begins like none before it");
    }
}
