//! The index: whose an entry's links are, where an owner's entries stand, and where a publisher's earlier statements are sealed.
//!
//! It grows with the log, so little of it is in memory: a row for each owner, and what no snapshot has written yet. The rest is in
//! blocks in a file of `state/`, under a key that is derived from the key-encryption key: whose entries belong together is what links
//! hide from everybody who lacks the keys. It is derived from the log, and can be made anew from it.

mod blocks;
mod owners;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use gt_core::chain::Chain;
use gt_core::entry::Entry;
use gt_core::link::LinkName;
use gt_core::statement::PublisherId;
use gt_core::{LeafIndex, TreeSize};

use crate::bytes::{Reader, put_count, put_u64};
use crate::keyring::OwnerTag;
use crate::layout::{BUNDLE, within_bundle};
use crate::state::LinkOwner;
pub use blocks::IndexError;
pub(crate) use blocks::{
    BlockFile, BlockName, CHAIN_BLOCK, Generation, OVERHEAD, StateKey, Stored, encode_chain, file_of, seal,
};
use blocks::{LinkOf, decode_chain, decode_links, encode_links};
use owners::Owners;
pub(crate) use owners::Rows;

/// How many entries a block of a chain has: as many as a bundle.
const CHAIN_LEN: usize = 256;

/// How many blocks that were read are kept for who reads on.
const CACHED: usize = 32;

/// The index of an open ledger.
#[derive(Default)]
pub(crate) struct Index {
    held: RwLock<Held>,
    cache: Mutex<VecDeque<(u64, Arc<Vec<LinkOf>>)>>,
    damaged: AtomicBool,
}

#[derive(Default)]
struct Held {
    owners: Owners,
    /// Where each bundle's links are in the file.
    bundles: Vec<Stored>,
    /// The links of the bundles after those: the last one grows.
    recent: VecDeque<Vec<LinkOf>>,
    /// Where each publisher's statements are in the file, 256 a block.
    chains: HashMap<PublisherId, Vec<Stored>>,
    file: Option<BlockFile>,
}

/// A block that is to be written, and where.
pub(crate) struct Planned {
    pub(crate) name: BlockName,
    pub(crate) stored: Stored,
    pub(crate) plain: Vec<u8>,
}

impl Index {
    /// Says whose links these are. They rise by their entries.
    pub(crate) fn add(&self, links: &[LinkOwner]) {
        let mut held = self.write();
        for (name, tag, index) in links {
            let (owner, before) = held.owners.add(tag, *name, *index);
            let Some(at) = (index.0 / BUNDLE).checked_sub(held.bundles.len() as u64) else { continue };
            let at = usize::try_from(at).expect("what is not written fits into memory");
            held.extend_recent(at + 1);
            let within = u8::try_from(within_bundle(index.0)).expect("less than 256");
            held.recent[at].push(LinkOf { within, name: first_8(name), owner, before });
        }
    }

    /// Whose an entry's links are, as far as the keys of their owners are there.
    pub(crate) fn links_of(&self, entry: &Entry) -> Result<HashMap<LinkName, OwnerTag>, IndexError> {
        if entry.links.is_empty() {
            return Ok(HashMap::new());
        }
        let within = within_bundle(entry.index.0);
        let held = self.read();
        self.with_links(&held, entry.index.0 / BUNDLE, |links| {
            let of_entry = links.iter().filter(|link| usize::from(link.within) == within);
            let named = of_entry.filter_map(|link| {
                let name =
                    entry.links.iter().map(|link| link.name).find(|name| first_8(name) == link.name)?;
                Some((name, held.owners.tag(link.owner)?))
            });
            named.collect()
        })
    }

    /// The entries of an owner, rising; none if its keys are gone.
    pub(crate) fn entries_of(&self, tag: &OwnerTag) -> Result<Vec<LeafIndex>, IndexError> {
        let Some((owner, count, last)) = self.read().owners.find(tag) else { return Ok(Vec::new()) };
        let (mut entries, mut next) = (Vec::new(), Some(last));
        while let Some(index) = next {
            entries.push(index);
            // For each anew: the sealer waits for whoever reads, and must not wait for a walk over the disk.
            let held = self.read();
            let found = self.with_links(&held, index.0 / BUNDLE, |links| {
                let within = within_bundle(index.0);
                let mut of_entry = links.iter().filter(|link| usize::from(link.within) == within);
                of_entry.find(|link| link.owner == owner).map(|link| link.before)
            })?;
            // It may have been erased meanwhile.
            if held.owners.find(tag).is_none() {
                return Ok(Vec::new());
            }
            let before = found.filter(|before| *before <= index.0).ok_or_else(|| self.damage())?;
            next = before.checked_sub(1).map(LeafIndex);
        }
        entries.reverse();
        if entries.len() as u64 == count { Ok(entries) } else { Err(self.damage()) }
    }

    /// How many entries an owner has, and 0 if its keys are gone.
    pub(crate) fn count_of(&self, tag: &OwnerTag) -> u64 {
        self.read().owners.find(tag).map_or(0, |(_, count, _)| count)
    }

    /// Whose opaque id it is.
    pub(crate) fn tag_of_id(&self, id: &LinkName) -> Option<OwnerTag> {
        self.read().owners.tag_of_id(id)
    }

    /// An owner's keys are destroyed: its entries are nobody's any more, or those of the tag under which its record keys go on.
    pub(crate) fn forget(&self, tag: &OwnerTag, goes_on: Option<OwnerTag>) {
        let mut held = self.write();
        if let Some(gone) = held.owners.forget(tag, goes_on) {
            held.recent.iter_mut().for_each(|links| links.retain(|link| link.owner != gone));
        }
    }

    /// Where a statement is sealed whose chain no longer has that in memory.
    pub(crate) fn entry_of(&self, publisher: &PublisherId, seq: u64) -> Result<LeafIndex, IndexError> {
        let held = self.read();
        let number = seq / CHAIN_BLOCK;
        let stored = held.chains.get(publisher).and_then(|blocks| blocks.get(usize::try_from(number).ok()?));
        let stored = *stored.ok_or_else(|| self.damage())?;
        let bytes = self.block(&held, &BlockName::Chain(*publisher, number), stored)?;
        let entries = decode_chain(&bytes).unwrap_or_default();
        entries.get(within_bundle(seq)).copied().ok_or_else(|| self.damage())
    }

    /// How many of a publisher's statements, from the first on, are in the file.
    pub(crate) fn written_of(&self, publisher: &PublisherId) -> u64 {
        self.read().chains.get(publisher).map_or(0, |blocks| CHAIN_BLOCK * blocks.len() as u64)
    }

    /// How many owners there are of whom this holds, by tag and opaque id; asked on all cores.
    pub(crate) fn count_owners(&self, holds: impl Fn(&OwnerTag, &LinkName) -> bool + Sync) -> usize {
        self.read().owners.count(holds)
    }

    /// How many owners have entries.
    pub(crate) fn owners(&self) -> usize {
        self.read().owners.len()
    }

    /// Whether something in the file was found not to be what was written.
    pub(crate) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Acquire)
    }

    /// The file that has been written so far.
    pub(crate) fn file(&self) -> Option<BlockFile> {
        self.read().file.clone()
    }

    /// Whole blocks that are not in the file yet, of a log of this size, as they would stand from `end` on.
    pub(crate) fn plan(
        &self,
        size: TreeSize,
        chains: &HashMap<PublisherId, Chain>,
        mut end: u64,
    ) -> Vec<Planned> {
        let mut held = self.write();
        let full = usize::try_from(size.0 / BUNDLE).expect("blocks are counted in memory");
        let new = full.saturating_sub(held.bundles.len());
        held.extend_recent(new);
        let links = held.recent.iter().take(new).zip(held.bundles.len() as u64..).map(|(links, bundle)| {
            let mut plain = Vec::new();
            encode_links(links, &mut plain);
            (BlockName::Links(bundle), plain)
        });
        let chains = chains.iter().flat_map(|(publisher, chain)| {
            let written = held.chains.get(publisher).map_or(0, |blocks| blocks.len() as u64);
            let (first, entries) = chain.kept();
            let skipped =
                usize::try_from((CHAIN_BLOCK * written).saturating_sub(first)).unwrap_or(usize::MAX);
            let whole = entries.get(skipped..).unwrap_or_default().chunks_exact(CHAIN_LEN);
            whole
                .zip(written..)
                .map(|(entries, number)| (BlockName::Chain(*publisher, number), encode_chain(entries)))
        });
        let planned = links.chain(chains).map(|(name, plain)| {
            let len = u32::try_from(plain.len() + OVERHEAD).expect("a block is small");
            let stored = Stored { at: end, len };
            end += u64::from(len);
            Planned { name, stored, plain }
        });
        planned.collect()
    }

    /// Planned blocks have become durable in this file.
    pub(crate) fn written(&self, file: BlockFile, blocks: impl IntoIterator<Item = (BlockName, Stored)>) {
        let mut held = self.write();
        held.file = Some(file);
        for (name, stored) in blocks {
            match name {
                BlockName::Links(_) => {
                    held.recent.pop_front();
                    held.bundles.push(stored);
                }
                BlockName::Chain(publisher, _) => held.chains.entry(publisher).or_default().push(stored),
            }
        }
    }

    /// Every block of the file, without the links of owners whose keys are gone, for a file that takes its place.
    pub(crate) fn each_block(
        &self,
        mut take: impl FnMut(&BlockName, Vec<u8>) -> Result<(), IndexError>,
    ) -> Result<(), IndexError> {
        let held = self.read();
        for (stored, bundle) in held.bundles.iter().zip(0..) {
            let name = BlockName::Links(bundle);
            let mut links = decode_links(&self.block(&held, &name, *stored)?).ok_or_else(|| self.damage())?;
            links.retain(|link| held.owners.tag(link.owner).is_some());
            let mut plain = Vec::new();
            encode_links(&links, &mut plain);
            take(&name, plain)?;
        }
        for (publisher, blocks) in &held.chains {
            for (stored, number) in blocks.iter().zip(0..) {
                let name = BlockName::Chain(*publisher, number);
                take(&name, self.block(&held, &name, *stored)?)?;
            }
        }
        Ok(())
    }

    /// Everything that was in the file is in another one now. Also drops the links of owners whose keys are gone.
    pub(crate) fn moved(&self, file: BlockFile, blocks: impl IntoIterator<Item = (BlockName, Stored)>) {
        let mut guard = self.write();
        let held = &mut *guard;
        held.file = Some(file);
        held.bundles.clear();
        held.chains.clear();
        for (name, stored) in blocks {
            match name {
                BlockName::Links(_) => held.bundles.push(stored),
                BlockName::Chain(publisher, _) => held.chains.entry(publisher).or_default().push(stored),
            }
        }
        for links in &mut held.recent {
            links.retain(|link| held.owners.tag(link.owner).is_some());
        }
        drop(guard);
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Looks at the links of a bundle.
    fn with_links<T>(
        &self,
        held: &Held,
        bundle: u64,
        look: impl FnOnce(&[LinkOf]) -> T,
    ) -> Result<T, IndexError> {
        let bundle_at = usize::try_from(bundle).map_err(|_| IndexError::Damaged)?;
        let Some(stored) = held.bundles.get(bundle_at) else {
            return Ok(look(held.recent.get(bundle_at - held.bundles.len()).map_or(&[], Vec::as_slice)));
        };
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, links)) = cache.iter().find(|(cached, _)| *cached == bundle) {
            let links = Arc::clone(links);
            drop(cache);
            return Ok(look(&links));
        }
        drop(cache);
        let bytes = self.block(held, &BlockName::Links(bundle), *stored)?;
        let links = Arc::new(decode_links(&bytes).ok_or_else(|| self.damage())?);
        let found = look(&links);
        cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.push_back((bundle, links));
        if cache.len() > CACHED {
            cache.pop_front();
        }
        Ok(found)
    }

    fn block(&self, held: &Held, name: &BlockName, stored: Stored) -> Result<Vec<u8>, IndexError> {
        let file = held.file.as_ref().ok_or_else(|| self.damage())?;
        file.read(name, stored).inspect_err(|_| drop(self.damage()))
    }

    /// What is kept of the index in `state/` is no longer to be used.
    fn damage(&self) -> IndexError {
        self.damaged.store(true, Ordering::Release);
        IndexError::Damaged
    }

    fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a snapshot says of it: owners; and where blocks are once these have been written, and what is in none.
    pub(crate) fn encode(&self, planned: &[Planned]) -> (Rows, Vec<u8>) {
        let (held, mut rest_of_it) = (self.read(), Vec::new());
        let out = &mut rest_of_it;
        let links = planned.iter().filter(|block| matches!(block.name, BlockName::Links(_)));
        let links: Vec<Stored> = links.map(|block| block.stored).collect();
        encode_stored(held.bundles.iter().chain(&links), held.bundles.len() + links.len(), out);
        let rest: Vec<&Vec<LinkOf>> = held.recent.iter().skip(links.len()).collect();
        put_count(out, rest.len());
        for links in rest {
            let mut plain = Vec::new();
            encode_links(links, &mut plain);
            put_count(out, plain.len());
            out.extend_from_slice(&plain);
        }
        let mut chains = held.chains.clone();
        for block in planned {
            if let BlockName::Chain(publisher, _) = block.name {
                chains.entry(publisher).or_default().push(block.stored);
            }
        }
        put_count(out, chains.len());
        for (publisher, blocks) in &chains {
            out.extend_from_slice(publisher.as_bytes());
            encode_stored(blocks.iter(), blocks.len(), out);
        }
        (held.owners.rows(), rest_of_it)
    }

    /// Reads what [`Self::encode`] wrote. The file is to be [attached](Self::attach).
    pub(crate) fn decode(reader: &mut Reader<'_>) -> Option<Self> {
        let owners = Owners::decode(reader)?;
        let bundles = decode_stored(reader)?;
        let mut recent = VecDeque::new();
        for _ in 0..reader.count(8)? {
            let len = reader.count(1)?;
            let (links, rest) = reader.0.split_at_checked(len)?;
            reader.0 = rest;
            recent.push_back(decode_links(links)?);
        }
        let count = reader.count(40)?;
        let mut chains = HashMap::with_capacity(count);
        for _ in 0..count {
            let publisher = PublisherId::from_bytes(reader.array()?);
            chains.insert(publisher, decode_stored(reader)?);
        }
        let held = Held { owners, bundles, recent, chains, file: None };
        Some(Self { held: RwLock::new(held), ..Self::default() })
    }

    /// The file in which the blocks are.
    pub(crate) fn attach(&self, file: BlockFile) {
        self.write().file = Some(file);
    }
}

impl Held {
    fn extend_recent(&mut self, len: usize) {
        while self.recent.len() < len {
            self.recent.push_back(Vec::new());
        }
    }
}

fn encode_stored<'s>(stored: impl Iterator<Item = &'s Stored>, count: usize, out: &mut Vec<u8>) {
    put_count(out, count);
    for one in stored {
        put_u64(out, one.at);
        out.extend_from_slice(&one.len.to_be_bytes());
    }
}

fn decode_stored(reader: &mut Reader<'_>) -> Option<Vec<Stored>> {
    (0..reader.count(12)?).map(|_| Some(Stored { at: reader.u64()?, len: reader.u32()? })).collect()
}

fn first_8(name: &LinkName) -> [u8; 8] {
    *name.first_chunk().expect("a name has 16 bytes")
}
