use std::collections::HashMap;

use gt_core::LeafIndex;
use gt_core::link::LinkName;

use crate::bytes::{Reader, put_count, put_u64};
use crate::keyring::OwnerTag;

/// The owners that have entries, each with a number that never changes.
#[derive(Default, Debug, PartialEq, Eq)]
pub(super) struct Owners {
    rows: Vec<Row>,
    by_tag: HashMap<OwnerTag, u32>,
    by_id: HashMap<LinkName, u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    tag: OwnerTag,
    /// l(0), the opaque id.
    id: LinkName,
    /// How many entries it has; 0 once its keys are gone.
    count: u64,
    last: u64,
}

/// A row's length.
const ROW: usize = 32 + 16 + 8 + 8;

const GONE: Row = Row { tag: [0; 32], id: [0; 16], count: 0, last: 0 };

impl Owners {
    /// Counts an entry of an owner. Returns the owner's number, and its entry before, and one more; 0 if this is the first one.
    pub(super) fn add(&mut self, tag: &OwnerTag, name: LinkName, index: LeafIndex) -> (u32, u64) {
        if let Some(number) = self.by_tag.get(tag) {
            let row = &mut self.rows[*number as usize];
            let before = row.last + 1;
            (row.count, row.last) = (row.count + 1, index.0);
            return (*number, before);
        }
        let number = u32::try_from(self.rows.len()).expect("fewer than 2^32 owners");
        // Its first link is l(0).
        self.rows.push(Row { tag: *tag, id: name, count: 1, last: index.0 });
        self.by_tag.insert(*tag, number);
        self.by_id.insert(name, number);
        (number, 0)
    }

    pub(super) fn tag(&self, number: u32) -> Option<OwnerTag> {
        self.rows.get(number as usize).filter(|row| row.count > 0).map(|row| row.tag)
    }

    pub(super) fn tag_of_id(&self, id: &LinkName) -> Option<OwnerTag> {
        self.tag(*self.by_id.get(id)?)
    }

    /// The owner's number, how many entries it has, and its last one.
    pub(super) fn find(&self, tag: &OwnerTag) -> Option<(u32, u64, LeafIndex)> {
        let number = *self.by_tag.get(tag)?;
        let row = &self.rows[number as usize];
        Some((number, row.count, LeafIndex(row.last)))
    }

    pub(super) fn forget(&mut self, tag: &OwnerTag, goes_on: Option<OwnerTag>) {
        let Some(number) = self.by_tag.remove(tag) else { return };
        let row = &mut self.rows[number as usize];
        if let Some(new) = goes_on {
            row.tag = new;
            self.by_tag.insert(new, number);
        } else {
            self.by_id.remove(&row.id);
            *row = GONE;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Each owner's tag, opaque id, and how many entries it has.
    pub(super) fn all(&self) -> impl Iterator<Item = (&OwnerTag, &LinkName, u64)> {
        self.rows.iter().filter(|row| row.count > 0).map(|row| (&row.tag, &row.id, row.count))
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        put_count(out, self.rows.len());
        out.reserve(self.rows.len() * ROW);
        for row in &self.rows {
            out.extend_from_slice(&row.tag);
            out.extend_from_slice(&row.id);
            put_u64(out, row.count);
            put_u64(out, row.last);
        }
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Option<Self> {
        let count = reader.count(ROW)?;
        let mut owners = Self {
            rows: Vec::with_capacity(count),
            by_tag: HashMap::with_capacity(count),
            by_id: HashMap::with_capacity(count),
        };
        for number in 0..u32::try_from(count).ok()? {
            let row =
                Row { tag: reader.array()?, id: reader.array()?, count: reader.u64()?, last: reader.u64()? };
            let doubled = row.count > 0
                && (owners.by_tag.insert(row.tag, number).is_some()
                    || owners.by_id.insert(row.id, number).is_some());
            if doubled {
                return None;
            }
            owners.rows.push(row);
        }
        Some(owners)
    }
}
