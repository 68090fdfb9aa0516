//! Where the registrar's statements stand. Each entry counts those before it, so they are searched for by halves.

use gt_core::entry::Entry;
use gt_core::{LeafIndex, TreeSize};

use super::{Held, MakeBundleError};
use crate::layout::{BUNDLE, within_bundle};
use crate::log::{LogReader, ReadError};
use crate::vault;

/// The registrar's statements in a log of this size, from `ledger.created` on, by rising index.
pub(super) fn statements(held: &impl Held, size: TreeSize) -> Result<Vec<LeafIndex>, MakeBundleError> {
    let registrar = held.registry().registrar_id();
    let tip = LeafIndex(size.0.saturating_sub(1));
    let (entry, vault) = held.entry_and_vault(tip)?;
    // Entry 0 makes the registrar, and is counted like its other statements.
    let all = entry.registry + u64::from(vault::publisher_of(&vault) == Some(registrar));
    let mut search = Search { log: held.log(), counts: Vec::new(), bundle: None, found: Vec::new() };
    search.between((0, 0), (size.0, all))?;
    Ok(search.found)
}

struct Search<'l> {
    log: &'l LogReader,
    /// How many statements of the registrar stand before each entry of the bundle that was read last.
    counts: Vec<u64>,
    bundle: Option<u64>,
    found: Vec<LeafIndex>,
}

impl Search<'_> {
    /// Finds those in a stretch. Its ends are given with the number of the registrar's statements before them.
    fn between(&mut self, from: (u64, u64), to: (u64, u64)) -> Result<(), MakeBundleError> {
        if from.1 >= to.1 {
            return Ok(());
        }
        if to.0 - from.0 == 1 {
            self.found.push(LeafIndex(from.0));
            return Ok(());
        }
        let middle = from.0.midpoint(to.0);
        let middle = (middle, self.before(middle)?);
        self.between(from, middle)?;
        self.between(middle, to)
    }

    fn before(&mut self, index: u64) -> Result<u64, MakeBundleError> {
        let bundle = index / BUNDLE;
        if self.bundle != Some(bundle) {
            let first = bundle * BUNDLE;
            let entries = self.log.entries_bytes(LeafIndex(first), BUNDLE)?;
            let read = |(bytes, at): (&Vec<u8>, u64)| {
                Entry::parse(bytes)
                    .map(|entry| entry.registry)
                    .map_err(|source| ReadError::Entry { index: LeafIndex(at), source })
            };
            self.counts = entries.iter().zip(first..).map(read).collect::<Result<_, _>>()?;
            self.bundle = Some(bundle);
        }
        let found = self.counts.get(within_bundle(index)).copied();
        Ok(found.ok_or(ReadError::NoSuchEntry { index: LeafIndex(index), size: self.log.size() })?)
    }
}
