//! A ledger, open: submit statements, read what is sealed.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use gt_core::base64url;
use gt_core::link::LinkName;
use gt_core::registry::Registry;
use gt_core::statement::{Owner, PublisherId};
use gt_core::time::Timestamp;
use gt_core::{Hash, LeafIndex};
use tokio::sync::{oneshot, watch};

use crate::clock::{Clock, Watch};
use crate::disk::{Disk, Recorder, private};
use crate::keyring::{Keyring, OwnerTag};
use crate::layout;
use crate::log::{LogReader, Published};
use crate::open::{self, OpenLedgerError};
use crate::prepare::Prepared;
use crate::record::{ContextId, OwnerId, Record};
use crate::refusal::{ChainHead, Refusal};
use crate::secrets::Secrets;
use crate::sealer::{self, Embedded, Intake, Sealed, Sealer, Threads};
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
    pub(crate) root: PathBuf,
    pub(crate) log: Arc<LogReader>,
    keyring: RwLock<Keyring>,
    registry: RwLock<Arc<Registry>>,
    heads: RwLock<HashMap<PublisherId, ChainHead>>,
    links: RwLock<HashMap<LinkName, OwnerTag>>,
    stopped: AtomicBool,
    size: watch::Sender<u64>,
    integrity: Mutex<()>,
}

/// Something that shows that a key was copied, a system restored from a backup, or worse. A person must look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntegrityAlert {
    /// Two different statements with one `seq`, both with a valid signature.
    ChainFork {
        /// Whose chain.
        publisher: PublisherId,
        /// The `seq` that both have.
        seq: u64,
        /// Where the first one is sealed.
        sealed: LeafIndex,
        /// The hash of the one that was refused.
        refused: Hash,
    },
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
        let open::Opened { lock, writer, log, keyring, state, removed_entries } = opened;
        let last = state.predecessor.received_at.ok_or(OpenLedgerError::Empty)?;
        let shared = Arc::new(Shared::new(root, Arc::clone(&log), keyring, &state));
        let sealer = Sealer {
            port: Box::new(Embedded::new(writer, log)),
            signer: secrets.note_signer().map_err(OpenLedgerError::Secrets)?,
            watch: Watch::new(clock, last),
            shared: Arc::clone(&shared),
            state,
        };
        let (intake, threads) = sealer::start(sealer, Arc::clone(&shared)).map_err(OpenLedgerError::Threads)?;
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
        match intake.as_ref() {
            Some(intake) => intake.submit(prepared),
            None => {
                let (reply, answer) = oneshot::channel();
                sealer::refuse(reply, Refusal::Stopped);
                answer
            }
        }
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
        raw.into_iter().map(|(entry, vault)| open::record(entry, &vault, &genesis, &keyring, &links)).collect()
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

    /// The integrity alerts raised so far, as JSON objects, oldest first.
    pub fn integrity_alerts(&self) -> Vec<serde_json::Value> {
        let bytes = std::fs::read(self.shared.root.join(layout::integrity())).unwrap_or_default();
        bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn new(root: &Path, log: Arc<LogReader>, keyring: Keyring, state: &State) -> Self {
        let size = watch::Sender::new(log.size().0);
        let shared = Self {
            root: root.to_owned(),
            log,
            keyring: RwLock::new(keyring),
            registry: RwLock::new(Arc::new(state.registry.clone())),
            heads: RwLock::default(),
            links: RwLock::new(state.links.clone()),
            stopped: AtomicBool::new(false),
            size,
            integrity: Mutex::new(()),
        };
        shared.sealed(state, Vec::new());
        shared
    }

    /// Shows readers what has just become durable.
    pub(crate) fn sealed(&self, state: &State, names: Vec<(LinkName, OwnerTag)>) {
        self.links.write().unwrap_or_else(PoisonError::into_inner).extend(names);
        let mut heads = self.heads.write().unwrap_or_else(PoisonError::into_inner);
        for (publisher, chain) in &state.chains {
            heads.insert(*publisher, ChainHead { next_seq: chain.next_seq(), head: chain.head() });
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

    pub(crate) fn set_stopped(&self) {
        self.stopped.store(true, Ordering::Release);
    }

    /// Logs an integrity alert and keeps it; one that is known already is not kept twice.
    pub(crate) fn raise(&self, alert: &IntegrityAlert) {
        let _one_at_a_time: MutexGuard<'_, ()> = self.integrity.lock().unwrap_or_else(PoisonError::into_inner);
        let IntegrityAlert::ChainFork { publisher, seq, sealed, refused } = alert;
        tracing::error!(%publisher, seq, %sealed, %refused, "integrity alert: a publisher's chain has forked");
        let members = BTreeMap::from([
            ("id", base64url::encode(&Hash::of_parts(&[b"gt/integrity/1\0", refused.as_bytes()]).as_bytes()[..16])),
            ("pattern", "chain-fork".to_owned()),
            ("publisher", publisher.to_string()),
            ("seq", seq.to_string()),
            ("sealed", sealed.to_string()),
            ("refused", refused.to_string()),
        ]);
        let line = serde_json::json!(members).to_string();
        let file = self.root.join(layout::integrity());
        let known = std::fs::read_to_string(&file).is_ok_and(|text| text.lines().any(|earlier| earlier == line));
        if !known && let Err(error) = append_line(&file, &line) {
            tracing::error!(%error, "the integrity alert could not be kept");
        }
    }
}

fn append_line(file: &Path, line: &str) -> std::io::Result<()> {
    let mut file = private().append(true).create(true).open(file)?;
    file.write_all(format!("{line}\n").as_bytes())?;
    file.sync_data()
}
