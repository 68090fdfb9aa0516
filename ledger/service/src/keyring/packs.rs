//! Many owners' keys wrapped together: to unwrap them one by one, and to find each one's tag anew, would be most of a start.
//!
//! A pack is a record of kind 5: for each owner tag ‖ link key ‖ `u8` length ‖ owner (nothing for one of whom only records are left) ‖
//! `u16` count ‖ count × (`u8` length ‖ agency ‖ data key, but for such an owner ‖ record key).

use gt_core::link::LinkKey;
use gt_core::statement::Owner;
use zeroize::Zeroizing;

use super::records::Take;
use super::rekey::Removal;
use super::rows::Rows;
use super::wrap::wrap;
use super::{AgencyKeys, OwnerKeys, OwnerTag};
use crate::bytes::Reader;

/// From how many bytes on a pack is closed: so much is lost with one damaged sector.
const PACK: usize = 16 * 1024;

/// How many agencies of an owner stand together; one with more stands there again, with the others.
const AGENCIES: usize = 128;

/// The longest part of an owner: what it begins with, and so many agencies.
const LONGEST: usize = 67 + 255 + AGENCIES * (1 + 255 + 64);

/// What is packed for one shard.
pub(super) struct Packs<'k> {
    shard_key: &'k Zeroizing<[u8; 32]>,
    shard: u8,
    plain: Zeroizing<Vec<u8>>,
    out: Vec<u8>,
}

impl<'k> Packs<'k> {
    pub(super) fn new(shard: u8, shard_key: &'k Zeroizing<[u8; 32]>) -> Self {
        // Never moved while it grows: that would leave keys behind.
        let plain = Zeroizing::new(Vec::with_capacity(PACK + LONGEST));
        Self { shard_key, shard, plain, out: Vec::new() }
    }

    /// Adds an owner; without its name and its data keys if they are `ended`.
    pub(super) fn add(&mut self, tag: &OwnerTag, held: OwnerKeys<'_>, ended: bool) {
        let owner = if ended { None } else { held.owner() };
        let mut agencies = held.agencies().peekable();
        loop {
            self.begin(tag, held.link, owner.as_ref());
            let counted = self.plain.len() - 2;
            let mut count = 0_u16;
            for (agency, keys) in agencies.by_ref().take(AGENCIES) {
                put_text(&mut self.plain, agency.as_str());
                if owner.is_some() {
                    self.plain.extend_from_slice(&keys.data);
                }
                self.plain.extend_from_slice(&keys.record);
                count += 1;
            }
            self.plain[counted..counted + 2].copy_from_slice(&count.to_be_bytes());
            if self.plain.len() >= PACK {
                self.close();
            }
            if agencies.peek().is_none() {
                return;
            }
        }
    }

    /// How many bytes there are so far, or a few more.
    pub(super) fn len(&self) -> usize {
        self.out.len() + self.plain.len()
    }

    /// The packs so far, framed.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.close();
        self.out
    }

    fn begin(&mut self, tag: &OwnerTag, link: &LinkKey, owner: Option<&Owner>) {
        if self.plain.is_empty() {
            self.plain.push(5);
        }
        self.plain.extend_from_slice(tag);
        self.plain.extend_from_slice(link.as_bytes());
        put_text(&mut self.plain, &owner.map(Owner::key_text).unwrap_or_default());
        self.plain.extend_from_slice(&[0, 0]);
    }

    fn close(&mut self) {
        if !self.plain.is_empty() {
            wrap(self.shard_key, &[b'k', self.shard], &self.plain).frame(self.shard, &mut self.out);
            self.plain.clear();
        }
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.push(u8::try_from(text.len()).expect("names of owners and agencies are short"));
    out.extend_from_slice(text.as_bytes());
}

/// Has what a shard's pack says taken. `None` if it is none, or of another shard, or not taken.
pub(super) fn parse(bytes: &[u8], shard: u8, take: &mut impl Take) -> Option<()> {
    let reader = &mut Reader(bytes);
    while !reader.is_done() {
        let (tag, link): (OwnerTag, [u8; 32]) = (reader.array()?, reader.array()?);
        if tag[0] != shard {
            return None;
        }
        let name = Some(text(reader)?).filter(|name| !name.is_empty());
        let owner = take.owner(tag, name, LinkKey::from_bytes(link))?;
        for _ in 0..u16::from_be_bytes(reader.array()?) {
            let code = text(reader)?;
            let data = if name.is_some() { reader.array()? } else { [0; 32] };
            take.agency(owner, code, AgencyKeys { data, record: reader.array()? })?;
        }
    }
    Some(())
}

fn text<'b>(reader: &mut Reader<'b>) -> Option<&'b str> {
    let [len] = reader.array()?;
    let (text, rest) = reader.0.split_at_checked(len.into())?;
    reader.0 = rest;
    core::str::from_utf8(text).ok()
}

/// All of a shard, wrapped under a shard key; but for what is removed.
pub(super) fn packed(
    rows: &Rows,
    shard: u8,
    shard_key: &Zeroizing<[u8; 32]>,
    removals: &[Removal],
) -> Vec<u8> {
    let mut packs = Packs::new(shard, shard_key);
    for (tag, held) in rows.all() {
        add_what_stays(&mut packs, tag, held, removals);
    }
    packs.finish()
}

/// What is left of an owner's keys once these are removed, if anything is.
pub(super) fn add_what_stays(
    packs: &mut Packs<'_>,
    tag: &OwnerTag,
    held: OwnerKeys<'_>,
    removals: &[Removal],
) {
    match removals.iter().find(|removal| removal.tag == *tag) {
        None => packs.add(tag, held, held.is_ended()),
        Some(Removal { goes_on: Some(tag), .. }) => packs.add(tag, held, true),
        Some(Removal { goes_on: None, .. }) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn arbitrary_bytes_are_taken_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut taken = Vec::new();
            let read = parse(&bytes, bytes.first().copied().unwrap_or_default(), &mut taken);
            prop_assert!(read.is_none() || bytes.is_empty() || !taken.is_empty());
        }
    }
}
