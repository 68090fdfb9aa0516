//! Where a batch stands in the log, by what it says of itself. Pure.

use gt_core::Hash;
use gt_core::entry::{Entry, Predecessor};
use gt_core::statement::PublisherId;
use gt_core::tree::Frontier;

use crate::jetstream::assemble::StreamBatch;
use crate::vault::VaultRecord;

/// Why a batch is no part of the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum BatchFault {
    #[error("an entry does not read: {0}")]
    Entry(#[from] gt_core::entry::EntryError),
    #[error(transparent)]
    State(#[from] crate::state::StateError),
    #[error("its head is not that of the tree which it makes")]
    Head,
    #[error("it begins at entry {found}, and the log ends before {expected}")]
    Place { expected: u64, found: u64 },
}

/// Carries a tree on by a batch that begins where the tree ends, and says rightly what tree it makes. Otherwise the tree stays as it was.
pub(super) fn fits(batch: &StreamBatch, origin: &str, tree: &mut Frontier) -> Result<(), BatchFault> {
    let expected = tree.size().0;
    let first = batch.entries.first().map(|sealed| Entry::parse(&sealed.bytes)).transpose()?;
    // One that only begins an epoch stands where the tree ends.
    let found = first.map_or(batch.closing.head.size().0, |entry| entry.index.0);
    if found != expected {
        return Err(BatchFault::Place { expected, found });
    }
    let mut after = tree.clone();
    batch.entries.iter().for_each(|sealed| after.push(sealed.leaf_hash));
    let head = &batch.closing.head;
    if head.origin() != origin || head.size() != after.size() || head.root() != after.root() {
        return Err(BatchFault::Head);
    }
    *tree = after;
    Ok(())
}

/// Steps past a batch's entries as far as they can be looked at without keys. False leaves nobody a step further.
pub(super) fn follows(batch: &StreamBatch, registrar: &PublisherId, predecessor: &mut Predecessor) -> bool {
    let mut after = *predecessor;
    let follows = batch.entries.iter().all(|sealed| {
        let (entry, record) =
            (Entry::parse(&sealed.bytes), VaultRecord::decode(&sealed.vault, &sealed.leaf_hash));
        let (Ok(entry), Ok((record, _))) = (entry, record) else { return false };
        after.follow(&entry, sealed.leaf_hash, record.publisher == *registrar).is_ok()
    });
    if follows {
        *predecessor = after;
    }
    follows
}

/// Whether a batch's entries name each other, and the one before them.
pub(super) fn chains(batch: &StreamBatch, mut index: u64, mut prev: Hash) -> bool {
    batch.entries.iter().all(|sealed| {
        let follows =
            Entry::parse(&sealed.bytes).is_ok_and(|entry| entry.index.0 == index && entry.prev == prev);
        (index, prev) = (index + 1, sealed.leaf_hash);
        follows
    })
}
