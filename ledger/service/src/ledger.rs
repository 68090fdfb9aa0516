//! A ledger, open: submit statements, read what is sealed.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use gt_core::LeafIndex;
use gt_core::link::LinkName;
use gt_core::registry::Registry;
use gt_core::statement::{Owner, PublisherId};
use gt_core::time::Timestamp;
use tokio::sync::{oneshot, watch};

use crate::clock::{Clock, Watch};
use crate::disk::{Disk, Recorder};
pub use crate::integrity::IntegrityAlert;
use crate::integrity::{self, IntegrityLog};
use crate::keyring::{Keyring, OwnerTag};
use crate::log::{LogReader, Published};
use crate::open::{self, OpenLedgerError};
use crate::prepare::Prepared;
use crate::record::{ContextId, OwnerId, Record};
use crate::refusal::{ChainHead, Refusal};
use crate::sealer::{self, Embedded, Intake, Sealed, Sealer, SealerTimes, Threads};
use crate::secrets::Secrets;
use crate::state::State;

/// A ledger that is open for sealing and reading.
pub struct Ledger {
    intake: Mutex<Option<Intake>>,
    threads: Mutex<Option<Threads>>,
    shared: Arc<Shared>,
    removed_entries: u64,
    _lock: File,
}

/// What sealing and reading share.
pub(crate) struct Shared {
    pub(crate) log: Arc<LogReader>,
    keyring: RwLock<Keyring>,
    registry: RwLock<Arc<Registry>>,
    heads: RwLock<HashMap<PublisherId, ChainHead>>,
    links: RwLock<HashMap<LinkName, OwnerTag>>,
    stopped: AtomicBool,
    size: watch::Sender<u64>,
    times: Mutex<SealerTimes>,
    pub(crate) integrity: IntegrityLog,
}

impl Ledger {
    /// Opens the data folder: takes the lock, removes what an interrupted commit left, rebuilds the state from the log, starts the sealer.
    pub fn open(
        root: &Path,
        secrets: &Secrets,
        clock: Box<dyn Clock>,
        recorder: Option<Arc<dyn Recorder>>,
    ) -> Result<Self, OpenLedgerError> {
        let opened = open::open(root, secrets, Disk::new(root, recorder))?;
        let open::Opened { lock, writer, log, keyring, mut state, removed_entries } = opened;
        let last = state.predecessor.received_at.ok_or(OpenLedgerError::Empty)?;
        let shared = Arc::new(Shared::new(root, Arc::clone(&log), keyring, &mut state));
        let sealer = Sealer {
            port: Box::new(Embedded::new(writer, log)),
            signer: secrets.note_signer().map_err(OpenLedgerError::Secrets)?,
            watch: Watch::new(clock, last),
            shared: Arc::clone(&shared),
            state,
        };
        let (intake, threads) =
            sealer::start(sealer, Arc::clone(&shared)).map_err(OpenLedgerError::Threads)?;
        Ok(Self {
            intake: Mutex::new(Some(intake)),
            threads: Mutex::new(Some(threads)),
            shared,
            removed_entries,
            _lock: lock,
        })
    }

    /// Hands a statement to the sealer. The answer comes once the seal is durable; it can be awaited or waited for.
    pub fn submit(&self, prepared: Prepared) -> oneshot::Receiver<Result<Sealed, Refusal>> {
        let intake = self.intake.lock().unwrap_or_else(PoisonError::into_inner);
        intake.as_ref().map_or_else(sealer::stopped, |intake| intake.submit(prepared))
    }

    /// Reads, submits and waits. For callers that are threads of their own.
    pub fn seal_blocking(&self, compact: &[u8]) -> Result<Sealed, Refusal> {
        self.submit(Prepared::new(compact)?).blocking_recv().unwrap_or(Err(Refusal::Stopped))
    }

    /// Takes no more statements, and returns once everything that was accepted is sealed.
    pub fn close(&self) {
        self.intake.lock().unwrap_or_else(PoisonError::into_inner).take();
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(threads) = threads {
            threads.join();
        }
    }

    /// The log's files.
    pub fn log(&self) -> &LogReader {
        &self.shared.log
    }

    /// The latest durable checkpoint and the growing tiles.
    pub fn published(&self) -> Arc<Published> {
        self.shared.log.published()
    }

    /// The registry as it stands.
    pub fn registry(&self) -> Arc<Registry> {
        self.shared.registry()
    }

    /// The head of a publisher's chain.
    pub fn head(&self, publisher: &PublisherId) -> ChainHead {
        self.shared.head(publisher)
    }

    /// Whether the sealer has stopped; reading goes on.
    pub fn is_stopped(&self) -> bool {
        self.shared.stopped.load(Ordering::Acquire)
    }

    /// Where the sealer's threads have spent their time so far.
    pub fn sealer_times(&self) -> SealerTimes {
        *self.shared.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of the log's size each time it grows.
    pub fn watch_size(&self) -> watch::Receiver<u64> {
        self.shared.size.subscribe()
    }

    /// How many entries beyond the checkpoint were removed at start-up: an interrupted commit's, for which no receipt went out.
    pub const fn removed_entries(&self) -> u64 {
        self.removed_entries
    }

    /// Up to `count` records from `first` on, no further than the end of its bundle; with whatever can be read of their statements.
    pub fn records(&self, first: LeafIndex, count: u64) -> Result<Vec<Record>, OpenLedgerError> {
        let raw = self.shared.log.entries_and_vault(first, count).map_err(OpenLedgerError::Read)?;
        let genesis = self.shared.registry().genesis();
        let (keyring, links) = (self.shared.keyring(), self.shared.links());
        raw.into_iter()
            .map(|(entry, vault)| open::record(entry, &vault, &genesis, &keyring, &links))
            .collect()
    }

    /// The compact SD-JWT of an entry, with the disclosures that can be read; `None` if the record has ended.
    pub fn presentation(&self, index: LeafIndex) -> Result<Option<String>, OpenLedgerError> {
        let raw = self.shared.log.entries_and_vault(index, 1).map_err(OpenLedgerError::Read)?;
        let genesis = self.shared.registry().genesis();
        let (keyring, links) = (self.shared.keyring(), self.shared.links());
        let Some((entry, vault)) = raw.first() else { return Ok(None) };
        Ok(open::texts(entry, vault, &genesis, &keyring, &links)?.map(|texts| texts.to_compact()))
    }

    /// The opaque id of an owner, if the ledger knows it.
    pub fn owner_id(&self, owner: &Owner) -> Option<OwnerId> {
        let keyring = self.shared.keyring();
        let keys = keyring.owner(&keyring.tag(owner))?;
        let name = keys.link.name(0);
        self.shared.links().contains_key(&name).then(|| OwnerId::from_bytes(name))
    }

    /// The opaque id of a place or other context.
    pub fn context_id(&self, reference: &str) -> ContextId {
        self.shared.keyring().context_id(reference)
    }

    /// The time of the last seal.
    pub fn last_received_at(&self) -> Option<Timestamp> {
        let size = self.shared.log.size();
        let last = size.0.checked_sub(1)?;
        let bytes = self.shared.log.entry_bytes(LeafIndex(last)).ok()?;
        gt_core::entry::Entry::parse(&bytes).ok().map(|entry| entry.received_at)
    }

    /// The integrity alerts: forks of chains, as they were noticed, and what the registry itself gives rise to.
    pub fn integrity_alerts(&self) -> Vec<serde_json::Value> {
        let mut alerts = self.shared.integrity.alerts();
        alerts.extend(integrity::of_registry(&self.shared.registry()));
        alerts
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn new(root: &Path, log: Arc<LogReader>, keyring: Keyring, state: &mut State) -> Self {
        let size = watch::Sender::new(log.size().0);
        let shared = Self {
            log,
            keyring: RwLock::new(keyring),
            registry: RwLock::new(Arc::new(state.registry.clone())),
            heads: RwLock::default(),
            links: RwLock::new(std::mem::take(&mut state.links)),
            stopped: AtomicBool::new(false),
            size,
            times: Mutex::default(),
            integrity: IntegrityLog::open(root),
        };
        shared.sealed(state, state.chains.keys().copied());
        shared
    }

    /// Says whose links these are.
    pub(crate) fn add_links(&self, names: Vec<(LinkName, OwnerTag)>) {
        self.links.write().unwrap_or_else(PoisonError::into_inner).extend(names);
    }

    /// Shows readers what has just become durable: these publishers' heads, the registry, the size.
    pub(crate) fn sealed(&self, state: &State, publishers: impl IntoIterator<Item = PublisherId>) {
        let mut heads = self.heads.write().unwrap_or_else(PoisonError::into_inner);
        for publisher in publishers {
            if let Some(chain) = state.chains.get(&publisher) {
                heads.insert(publisher, ChainHead { next_seq: chain.next_seq(), head: chain.head() });
            }
        }
        drop(heads);
        if self.registry().statements() != state.registry.statements() {
            *self.registry.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state.registry.clone());
        }
        self.size.send_replace(self.log.size().0);
    }

    pub(crate) fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.registry.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn keyring(&self) -> RwLockReadGuard<'_, Keyring> {
        self.keyring.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn keyring_mut(&self) -> RwLockWriteGuard<'_, Keyring> {
        self.keyring.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn links(&self) -> RwLockReadGuard<'_, HashMap<LinkName, OwnerTag>> {
        self.links.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn head(&self, publisher: &PublisherId) -> ChainHead {
        let known = self.heads.read().unwrap_or_else(PoisonError::into_inner).get(publisher).copied();
        known.unwrap_or_else(|| ChainHead { next_seq: 0, head: self.registry().first_prev(publisher) })
    }

    /// Adds to the sealer's times.
    pub(crate) fn times_mut(&self, add: impl FnOnce(&mut SealerTimes)) {
        add(&mut self.times.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn set_stopped(&self) {
        self.stopped.store(true, Ordering::Release);
    }
}
