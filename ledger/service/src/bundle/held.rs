use std::sync::Arc;

use gt_core::LeafIndex;
use gt_core::entry::Entry;
use gt_core::registry::Registry;

use super::MakeBundleError;
use crate::index::Index;
use crate::keyring::Keyring;
use crate::layout::BUNDLE;
use crate::log::LogReader;
use crate::open::{self, OpenLedgerError, Texts};
use crate::open_ledger::Shared;
use crate::record::{Record, SignedRecord};

/// Where a bundle's material is held: a log, and the keys to what lies beside it.
pub(crate) trait Held {
    /// The log.
    fn log(&self) -> &LogReader;

    /// The registry as it stands, or as it stood later than the checkpoint that the log shows.
    fn registry(&self) -> Arc<Registry>;

    /// Looks at the keys. The sealer may be waiting for them, so `look` must be short.
    fn with_keys<T>(&self, look: impl FnOnce(&Keyring) -> T) -> T;

    /// Whose the links are.
    fn index(&self) -> &Index;

    /// An entry with its framed vault record.
    fn entry_and_vault(&self, index: LeafIndex) -> Result<(Entry, Vec<u8>), MakeBundleError> {
        let size = self.log().size();
        let one = self.log().entries_and_vault(index, 1)?.pop();
        one.ok_or(MakeBundleError::NoSuchEntry { index, size })
    }

    /// Reads entries with their framed vault records, a bundle of the log at a time. `indexes` rise.
    fn each_record(
        &self,
        indexes: &[LeafIndex],
        mut take: impl FnMut(Entry, Vec<u8>) -> Result<(), MakeBundleError>,
    ) -> Result<(), MakeBundleError> {
        for together in indexes.chunk_by(|one, next| one.0 / BUNDLE == next.0 / BUNDLE) {
            let (Some(first), Some(last)) = (together.first(), together.last()) else { continue };
            let read = self.log().entries_and_vault(*first, last.0 - first.0 + 1)?;
            if read.last().is_none_or(|(entry, _)| entry.index != *last) {
                return Err(MakeBundleError::NoSuchEntry { index: *last, size: self.log().size() });
            }
            for (entry, vault) in read {
                if together.binary_search(&entry.index).is_ok() {
                    take(entry, vault)?;
                }
            }
        }
        Ok(())
    }

    /// Up to `count` records from `first` on, no further than the end of its bundle; with whatever can be read of their statements.
    fn records(&self, first: LeafIndex, count: u64) -> Result<Vec<Record>, OpenLedgerError> {
        let records = self.records_with(first, count, |_| true)?;
        Ok(records.into_iter().map(SignedRecord::into_values).collect())
    }

    /// The same as it was signed, with those disclosed members that are wanted.
    fn records_with(
        &self,
        first: LeafIndex,
        count: u64,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<SignedRecord>, OpenLedgerError> {
        let raw = self.log().entries_and_vault(first, count).map_err(OpenLedgerError::Read)?;
        let genesis = self.registry().genesis();
        // The keys are looked at for each anew: the sealer waits for them, and must not wait for a whole bundle.
        raw.into_iter()
            .map(|(entry, vault)| {
                let links = self.index().links_of(&entry)?;
                self.with_keys(|keyring| open::record(entry, &vault, &genesis, keyring, &links, &wanted))
            })
            .collect()
    }

    /// What can be read of a statement and its disclosures. `None` if the record has ended.
    fn texts(&self, entry: &Entry, vault: &[u8]) -> Result<Option<Texts>, MakeBundleError> {
        let genesis = self.registry().genesis();
        let links = self.index().links_of(entry)?;
        Ok(self.with_keys(|keyring| open::texts(entry, vault, &genesis, keyring, &links))?)
    }
}

impl Held for Shared {
    fn log(&self) -> &LogReader {
        &self.log
    }

    fn registry(&self) -> Arc<Registry> {
        Self::registry(self)
    }

    fn with_keys<T>(&self, look: impl FnOnce(&Keyring) -> T) -> T {
        look(&self.keyring())
    }

    fn index(&self) -> &Index {
        &self.index
    }
}
