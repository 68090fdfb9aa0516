use std::sync::Arc;

use gt_core::LeafIndex;
use gt_core::link::LinkName;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rayon::prelude::*;

use crate::bytes::{Reader, put_count};
use crate::keyring::OwnerTag;

/// The owners that have entries, each with a number that never changes. An owner is a row, and some 16 bytes by which it is found.
#[derive(Default, Debug)]
pub(super) struct Owners {
    rows: Rows,
    by_tag: HashTable<u32>,
    by_id: HashTable<u32>,
}

/// A row's length.
const ROW: usize = 64;

/// How many rows are shared, or copied, together.
const TOGETHER: usize = 4096;

/// How many rows are fetched before one of them is looked at.
const AT_ONCE: usize = 16;

/// The rows, in pieces: whoever writes a snapshot has the pieces as they were, and one that changes meanwhile is copied.
#[derive(Default, Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rows(Vec<Arc<Vec<Row>>>);

/// An owner as it stands in a snapshot, so that one is made by copying: tag (32) ‖ l(0), the opaque id (16) ‖ how many entries it has,
/// none once its keys are gone ‖ the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row([u8; ROW]);

const GONE: Row = Row([0; ROW]);

impl Rows {
    /// What a snapshot says of them.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        put_count(out, self.len());
        for row in self.all() {
            out.extend_from_slice(&row.0);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.last().map_or(0, |last| (self.0.len() - 1) * TOGETHER + last.len())
    }

    fn all(&self) -> impl Iterator<Item = &Row> {
        self.0.iter().flat_map(|rows| rows.iter())
    }

    fn get(&self, number: u32) -> Option<&Row> {
        let number = number as usize;
        self.0.get(number / TOGETHER)?.get(number % TOGETHER)
    }

    /// A row whose number a table has.
    fn at(&self, number: u32) -> &Row {
        self.get(number).expect("numbers are those of rows")
    }

    fn at_mut(&mut self, number: u32) -> &mut Row {
        let number = number as usize;
        &mut Arc::make_mut(&mut self.0[number / TOGETHER])[number % TOGETHER]
    }

    /// The numbers of those that have entries, found by this part of them; `None` if two have it alike.
    fn table<const N: usize>(&self, part: impl Fn(&Row) -> &[u8; N]) -> Option<HashTable<u32>> {
        let mut table = HashTable::with_capacity(self.len());
        for (number, row) in (0..).zip(self.all()).filter(|(_, row)| row.count() > 0) {
            let is_alike = |other: &u32| part(self.at(*other)) == part(row);
            match table.entry(hash(part(row)), is_alike, |other| hash(part(self.at(*other)))) {
                Entry::Vacant(vacant) => vacant.insert(number),
                Entry::Occupied(_) => return None,
            };
        }
        Some(table)
    }

    fn push(&mut self, row: Row) {
        match self.0.last_mut().filter(|last| last.len() < TOGETHER) {
            Some(last) => Arc::make_mut(last).push(row),
            None => self.0.push(Arc::new(vec![row])),
        }
    }
}

impl Row {
    fn new(tag: &OwnerTag, id: &LinkName, count: u64, last: u64) -> Self {
        let mut row = GONE;
        row.0[..32].copy_from_slice(tag);
        row.0[32..48].copy_from_slice(id);
        row.set(count, last);
        row
    }

    fn set(&mut self, count: u64, last: u64) {
        self.0[48..56].copy_from_slice(&count.to_be_bytes());
        self.0[56..].copy_from_slice(&last.to_be_bytes());
    }

    fn tag(&self) -> &OwnerTag {
        self.0.first_chunk().expect("a row begins with a tag")
    }

    fn id(&self) -> &LinkName {
        self.0[32..].first_chunk().expect("a tag is followed by an id")
    }

    fn count(&self) -> u64 {
        self.number(48)
    }

    fn last(&self) -> u64 {
        self.number(56)
    }

    fn number(&self, at: usize) -> u64 {
        u64::from_be_bytes(*self.0[at..].first_chunk().expect("numbers have 8 bytes"))
    }
}

impl Owners {
    /// Counts an entry of an owner. Returns the owner's number, and its entry before, and one more; 0 if this is the first one.
    pub(super) fn add(&mut self, tag: &OwnerTag, name: LinkName, index: LeafIndex) -> (u32, u64) {
        if let Some(number) = self.number(tag) {
            let row = self.rows.at_mut(number);
            let before = row.last() + 1;
            row.set(row.count() + 1, index.0);
            return (number, before);
        }
        // Its first link is l(0).
        let number = self.push(Row::new(tag, &name, 1, index.0));
        (number, 0)
    }

    pub(super) fn tag(&self, number: u32) -> Option<OwnerTag> {
        self.rows.get(number).filter(|row| row.count() > 0).map(|row| *row.tag())
    }

    pub(super) fn tag_of_id(&self, id: &LinkName) -> Option<OwnerTag> {
        self.tag(*self.by_id.find(hash(id), |number| self.rows.at(*number).id() == id)?)
    }

    /// The owner's number, how many entries it has, and its last one.
    pub(super) fn find(&self, tag: &OwnerTag) -> Option<(u32, u64, LeafIndex)> {
        let number = self.number(tag)?;
        let row = self.rows.at(number);
        Some((number, row.count(), LeafIndex(row.last())))
    }

    /// Returns the owner's number, if nothing of it goes on.
    pub(super) fn forget(&mut self, tag: &OwnerTag, goes_on: Option<OwnerTag>) -> Option<u32> {
        let number = self.number(tag)?;
        let is_it = |found: &u32| *found == number;
        if let Ok(found) = self.by_tag.find_entry(hash(tag), is_it) {
            found.remove();
        }
        let row = self.rows.at_mut(number);
        if let Some(new) = goes_on {
            *row = Row::new(&new, row.id(), row.count(), row.last());
            let rows = &self.rows;
            self.by_tag.insert_unique(hash(&new), number, |number| hash(rows.at(*number).tag()));
        } else {
            let id = *row.id();
            *row = GONE;
            if let Ok(found) = self.by_id.find_entry(hash(&id), is_it) {
                found.remove();
            }
        }
        goes_on.is_none().then_some(number)
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// How many owners there are of whom this holds. They are asked for in the order of their tags' first bytes, by which the keyring is
    /// cut, since each look-up in the whole of it would wait for memory; and some at once, since each row does.
    pub(super) fn count(&self, holds: impl Fn(&OwnerTag, &LinkName) -> bool + Sync) -> usize {
        let mut numbers = vec![Vec::new(); 256];
        for (number, row) in (0..).zip(self.rows.all()).filter(|(_, row)| row.count() > 0) {
            numbers[usize::from(row.tag()[0])].push(number);
        }
        let count = |numbers: &[u32]| {
            let mut rows = [GONE; AT_ONCE];
            rows.iter_mut().zip(numbers).for_each(|(row, number)| *row = *self.rows.at(*number));
            rows[..numbers.len()].iter().filter(|row| holds(row.tag(), row.id())).count()
        };
        let counts = numbers.par_iter().map(|numbers| numbers.chunks(AT_ONCE).map(count).sum::<usize>());
        counts.sum()
    }

    /// The rows as they are now.
    pub(super) fn rows(&self) -> Rows {
        self.rows.clone()
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Option<Self> {
        let count = reader.count(ROW)?;
        let (rows, rest) = reader.0.split_at(count * ROW);
        reader.0 = rest;
        let read = |row: &[u8; ROW]| Some(Row(*row)).filter(|row| row.count() > 0).unwrap_or(GONE);
        let together = |rows: &[[u8; ROW]]| Arc::new(rows.iter().map(read).collect());
        // A start waits for this: rows are copied on all cores, and the two tables filled at the same time.
        let rows = Rows(rows.as_chunks().0.par_chunks(TOGETHER).map(together).collect());
        let (by_tag, by_id) = rayon::join(|| rows.table(|row| row.tag()), || rows.table(|row| row.id()));
        Some(Self { by_tag: by_tag?, by_id: by_id?, rows })
    }

    fn number(&self, tag: &OwnerTag) -> Option<u32> {
        self.by_tag.find(hash(tag), |number| self.rows.at(*number).tag() == tag).copied()
    }

    fn push(&mut self, row: Row) -> u32 {
        let number = u32::try_from(self.rows.len()).expect("fewer than 2^32 owners");
        self.rows.push(row);
        let rows = &self.rows;
        self.by_tag.insert_unique(hash(row.tag()), number, |number| hash(rows.at(*number).tag()));
        self.by_id.insert_unique(hash(row.id()), number, |number| hash(rows.at(*number).id()));
        number
    }
}

impl PartialEq for Owners {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows
    }
}

/// Tags and links are HMACs, or random but for a tag's first byte: their own bytes are as good as a hash of them.
fn hash(bytes: &[u8]) -> u64 {
    let (_, rest) = bytes.split_at(8);
    u64::from_le_bytes(*rest.first_chunk().expect("tags and links have 16 bytes or more"))
}
