use std::path::Path;
use std::sync::Arc;

use gt_core::bundle::Bundle;
use gt_core::checkpoint::SignedCheckpoint;
use gt_core::registry::Registry;
use gt_core::tile::{HashTile, row_extent};
use gt_core::verify::Pin;
use gt_core::{LeafIndex, TreeSize};

use super::{BundleRequest, Held, MakeBundleError, make};
use crate::audit::{DataFolder, LogSource as _};
use crate::index::Index;
use crate::keyring::Keyring;
use crate::log::{LogReader, Published};
use crate::open::{OpenLedgerError, open_keyring, read_checkpoint};
use crate::record::{ContextId, Record, SignedRecord};
use crate::secrets::Secrets;
use crate::state::State;

/// A data folder as its checkpoint shows it, to read and never to change. No lock is held, so a ledger that runs may have it open.
pub struct ReadOnlyLedger {
    log: LogReader,
    keyring: Keyring,
    registry: Arc<Registry>,
    index: Arc<Index>,
    erased_at: Option<LeafIndex>,
    pin: Pin,
}

impl ReadOnlyLedger {
    /// Reads the folder: checks its checkpoint's signature and that its entries lead to it, and opens its keys.
    ///
    /// Reads the whole log, and holds every link and its owner in memory, and every owner's keys.
    pub fn open(root: &Path, secrets: &Secrets) -> Result<Self, OpenLedgerError> {
        // First: the keys of all that it covers are durable before it is.
        let signed = read_checkpoint(root)?;
        let (origin, keys) = secrets.pin();
        signed.verify(origin, keys).map_err(OpenLedgerError::Signature)?;
        let pin = Pin { origin: origin.to_owned(), verifier_keys: keys.to_vec(), genesis: None };
        let (keyring, _) = open_keyring(root, secrets)?;
        let open_tiles = open_tiles(root, &signed)?;
        let log = LogReader::new(root, Published { checkpoint: signed, open_tiles });
        let index = Arc::new(Index::default());
        let state = State::rebuild(&log, &keyring, Arc::clone(&index), |_| ())?;
        let pin = Pin { genesis: Some(state.registry.genesis()), ..pin };
        let (registry, erased_at) = (Arc::new(state.registry), state.erased_at);
        Ok(Self { log, keyring, registry, index, erased_at, pin })
    }

    /// Makes a bundle.
    pub fn bundle(&self, request: &BundleRequest) -> Result<Bundle, MakeBundleError> {
        make(self, request)
    }

    /// The log, as far as the checkpoint goes.
    pub const fn log(&self) -> &LogReader {
        &self.log
    }

    /// The entry that sealed the latest erasure: what was read of the log before it may hold what it ended.
    pub const fn erased_at(&self) -> Option<LeafIndex> {
        self.erased_at
    }

    /// What pins this ledger, as the folder's secrets and its own entry 0 have it.
    pub const fn pin(&self) -> &Pin {
        &self.pin
    }

    /// Up to `count` records from `first` on, no further than the end of its bundle; with whatever can be read of their statements.
    pub fn records(&self, first: LeafIndex, count: u64) -> Result<Vec<Record>, OpenLedgerError> {
        Held::records(self, first, count)
    }

    /// The same as it was signed, with those disclosed members alone that are wanted, as [`crate::Ledger::records_with`] reads them.
    pub fn records_with(
        &self,
        first: LeafIndex,
        count: u64,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<SignedRecord>, OpenLedgerError> {
        Held::records_with(self, first, count, wanted)
    }

    /// The opaque id of a place or other context.
    pub fn context_id(&self, reference: &str) -> ContextId {
        self.keyring.context_id(reference)
    }
}

impl Held for ReadOnlyLedger {
    fn log(&self) -> &LogReader {
        &self.log
    }

    fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.registry)
    }

    fn with_keys<T>(&self, look: impl FnOnce(&Keyring) -> T) -> T {
        look(&self.keyring)
    }

    fn index(&self) -> &Index {
        &self.index
    }
}

/// The tiles that grow, as they are under the checkpoint: the first hashes of what their files hold by now.
fn open_tiles(root: &Path, signed: &SignedCheckpoint) -> Result<Vec<(u64, Arc<HashTile>)>, OpenLedgerError> {
    let (folder, size) = (DataFolder::new(root), signed.checkpoint().size());
    levels(size)
        .map(|level| {
            let row = row_extent(size, level);
            if row.partial == 0 {
                return Ok((row.full, Arc::new(HashTile::default())));
            }
            let unreadable = |file: String, source| OpenLedgerError::Io { file, source };
            let part = folder.tile(level, row.full, row.partial).map_err(|error| {
                unreadable(format!("hash tile {} of level {level}", row.full), std::io::Error::other(error))
            })?;
            let tile = HashTile::from_bytes(&part.bytes)
                .map_err(|error| unreadable(part.place, std::io::Error::other(error)))?;
            Ok((row.full, Arc::new(tile)))
        })
        .collect()
}

/// The levels at which a tree of this size has hashes.
fn levels(size: TreeSize) -> impl Iterator<Item = u8> {
    (0..=u8::MAX).take_while(move |level| {
        let row = row_extent(size, *level);
        row.full > 0 || row.partial > 0
    })
}
