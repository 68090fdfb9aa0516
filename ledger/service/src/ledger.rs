//! A ledger, open: submit statements, read what is sealed.

mod node;
mod starting;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};

use gt_core::LeafIndex;
use gt_core::bundle::Bundle;
use gt_core::checkpoint::SignedCheckpoint;
use gt_core::registry::Registry;
use gt_core::statement::{Owner, PublisherId};
use gt_core::time::Timestamp;
use gt_schemas::Configuration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{broadcast, oneshot, watch};

use crate::bundle::{self, BundleRequest, Held as _, MakeBundleError};
use crate::clock::Clock;
use crate::configured::Configured;
use crate::disk::{Disk, Recorder};
pub use crate::integrity::IntegrityAlert;
use crate::integrity::{self};
use crate::jetstream::{Outgoing, Position};
use crate::log::{LogReader, Published};
use crate::open::{self, OpenLedgerError};
use crate::open_ledger::Shared;
use crate::prepare::Prepared;
use crate::record::{ContextId, OwnerId, Record, SignedRecord};
use crate::refusal::{ChainHead, Refusal};
use crate::sealer::{self, Home, Intake, Sealed, SealerTimes, Threads, Work};
use crate::secrets::Secrets;
use crate::snapshot::StateStart;
use crate::witness::{Rounds, WitnessStatus, Witnessing, WitnessingError};
use node::NodeHandle;
use starting::Parts;

/// A ledger that is open for sealing and reading.
pub struct Ledger {
    intake: Mutex<Option<Intake>>,
    works: Mutex<Option<SyncSender<Work>>>,
    threads: Mutex<Option<Threads>>,
    node: Option<NodeHandle>,
    shared: Arc<Shared>,
    root: PathBuf,
    removed_entries: u64,
    start: StateStart,
    _lock: File,
}

impl Ledger {
    /// Opens the data folder: takes the lock, removes what an interrupted commit left, makes the state from its snapshot and the log, starts the sealer.
    pub fn open(
        root: &Path,
        secrets: &Secrets,
        clock: Box<dyn Clock>,
        recorder: Option<Arc<dyn Recorder>>,
    ) -> Result<Self, OpenLedgerError> {
        Self::open_watched(root, secrets, clock, recorder, None)
    }

    /// The same with witnesses, who are asked before anything is sealed, the end of an interrupted erasure included. Fails if what they
    /// have seen contradicts the folder. Blocks for seconds if they do not answer.
    pub fn open_watched(
        root: &Path,
        secrets: &Secrets,
        clock: Box<dyn Clock>,
        recorder: Option<Arc<dyn Recorder>>,
        witnessing: Option<&Witnessing>,
    ) -> Result<Self, OpenLedgerError> {
        if Position::is_there(root) {
            return Err(OpenLedgerError::FollowsStream { folder: root.display().to_string() });
        }
        let opened = open::open(root, secrets, Disk::new(root, recorder))?;
        let signer = Some(secrets.log_signer()?);
        let parts = Parts::new(root, clock, opened)?;
        let home = Home::Embedded(Box::new(parts.local));
        parts.rest.start(home, signer, None, witnessing).map(|(ledger, _)| ledger)
    }

    /// Hands a statement to the sealer. The answer comes once the seal is durable; it can be awaited or waited for.
    pub fn submit(&self, prepared: Prepared) -> oneshot::Receiver<Result<Sealed, Refusal>> {
        let (sender, answer) = oneshot::channel();
        // The submitter may have gone; what was sealed is sealed all the same, and sending it again gives the receipt.
        self.submit_to(prepared, move |answer| drop(sender.send(answer)));
        answer
    }

    /// Hands a statement to the sealer. `answering` gets the answer on the sealer's own thread, in its turn, and must not wait.
    pub fn submit_to(
        &self,
        prepared: Prepared,
        answering: impl FnOnce(Result<Sealed, Refusal>) + Send + 'static,
    ) {
        let mut answering: sealer::Answering = Box::new(answering);
        if let Some(witnesses) = self.shared.witnesses.get() {
            answering = witnesses.hold(answering);
        }
        let intake = self.intake.lock().unwrap_or_else(PoisonError::into_inner);
        match intake.as_ref() {
            Some(intake) => intake.submit(prepared, answering),
            None => answering(Err(Refusal::Stopped)),
        }
    }

    /// Has witnesses watch this ledger from here on. Call it before the first statement is submitted: it fails if what they have seen
    /// contradicts the folder, and then nothing must be sealed. Blocks for seconds if witnesses do not answer.
    pub fn have_witnesses(&self, witnessing: &Witnessing) -> Result<(), WitnessingError> {
        Rounds::start(&self.root, &self.shared, witnessing, self.node.is_some())
    }

    /// How things stand with each witness; nothing without any.
    pub fn witnesses(&self) -> Vec<WitnessStatus> {
        self.shared.witnesses.get().map(|witnesses| witnesses.statuses()).unwrap_or_default()
    }

    /// The newest checkpoint that met the quorum of witnesses, with their cosignatures.
    pub fn cosigned(&self) -> Option<Arc<SignedCheckpoint>> {
        self.shared.witnesses.get()?.cosigned()
    }

    /// The newest checkpoint; with the witnesses' cosignatures, if it met their quorum.
    pub fn checkpoint(&self) -> SignedCheckpoint {
        let newest = self.published().checkpoint.clone();
        match self.cosigned() {
            Some(cosigned) if cosigned.checkpoint() == newest.checkpoint() => (*cosigned).clone(),
            _ => newest,
        }
    }

    /// Has the sealer do what is left to do after batches that another sealer committed: publish the checkpoint.
    pub fn nudge(&self) {
        if let Some(works) = self.works().filter(|_| self.node.is_some()) {
            // A sealer that has more to do than it can take needs no nudge.
            let _ = works.try_send(Work::Seal);
        }
    }

    /// Where the sealer's thread is given work; `None` once the ledger is closed.
    pub(crate) fn works(&self) -> Option<SyncSender<Work>> {
        self.works.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The entry that sealed the latest erasure: what was read of the log before it may hold what it ended.
    pub fn erased_at(&self) -> Option<LeafIndex> {
        self.shared.erased_at()
    }

    /// Whether this sealer committed the newest batch. Without a stream it always did.
    pub fn is_active(&self) -> bool {
        self.shared.is_active()
    }

    /// Whether this node only follows a stream, and never seals.
    pub fn only_follows(&self) -> bool {
        self.node.as_ref().is_some_and(|node| node.only_follows)
    }

    /// Where a node sends messages: they go out in order, on its one connection. `None` without a stream.
    pub fn outgoing(&self) -> Option<UnboundedSender<Outgoing>> {
        self.node.as_ref()?.outgoing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells of the size of the newest checkpoint that was seen on the broker.
    pub fn watch_announced(&self) -> watch::Receiver<u64> {
        self.shared.watch_announced()
    }

    /// Keeps forks that other nodes have seen, as those told them, with one wait for the disk. What is known, or none, is passed over.
    pub fn keep_forks<'a>(&self, alerts: impl IntoIterator<Item = &'a serde_json::Value>) {
        let forks: Vec<_> = alerts.into_iter().filter_map(IntegrityAlert::fork_from_json).collect();
        self.shared.integrity.keep_all(&forks);
    }

    /// Tells of each integrity alert as it is raised, as JSON.
    pub fn watch_integrity(&self) -> broadcast::Receiver<serde_json::Value> {
        self.shared.integrity.watch()
    }

    /// Reads, submits and waits. For callers that are threads of their own.
    pub fn seal_blocking(&self, compact: &[u8]) -> Result<Sealed, Refusal> {
        self.submit(Prepared::new(compact)?).blocking_recv().unwrap_or(Err(Refusal::Stopped))
    }

    /// Takes no more statements, and returns once everything that was accepted is sealed.
    pub fn close(&self) {
        if let Some(node) = &self.node {
            node.closing.store(true, Ordering::Release);
        }
        self.intake.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.works.lock().unwrap_or_else(PoisonError::into_inner).take();
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(threads) = threads {
            threads.join();
        }
        if let Some(witnesses) = self.shared.witnesses.get() {
            witnesses.close();
        }
        if let Some(node) = &self.node {
            node.outgoing.lock().unwrap_or_else(PoisonError::into_inner).take();
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

    /// The configuration in force: the latest that is sealed, or else the standard one.
    pub fn configuration(&self) -> Arc<Configuration> {
        self.configured().configuration
    }

    /// The configuration in force, and the entry that sealed it.
    pub fn configured(&self) -> Configured {
        self.shared.configured()
    }

    /// The head of a publisher's chain.
    pub fn head(&self, publisher: &PublisherId) -> ChainHead {
        self.shared.head(publisher)
    }

    /// Whether the sealer has stopped; reading goes on.
    pub fn is_stopped(&self) -> bool {
        self.shared.is_stopped()
    }

    /// Where the sealer's threads have spent their time so far.
    pub fn sealer_times(&self) -> SealerTimes {
        self.shared.times()
    }

    /// Tells of the log's size each time it grows.
    pub fn watch_size(&self) -> watch::Receiver<u64> {
        self.shared.watch_size()
    }

    /// How many entries beyond the checkpoint were removed at start-up: an interrupted commit's, for which no receipt went out.
    pub const fn removed_entries(&self) -> u64 {
        self.removed_entries
    }

    /// How the state was made when the ledger was opened: from a snapshot, or from the whole log.
    pub const fn state_start(&self) -> &StateStart {
        &self.start
    }

    /// Up to `count` records from `first` on, no further than the end of its bundle; with whatever can be read of their statements.
    pub fn records(&self, first: LeafIndex, count: u64) -> Result<Vec<Record>, OpenLedgerError> {
        self.shared.records(first, count)
    }

    /// The same as it was signed, with those disclosed members alone that are wanted, by name; of the others only whose they are is told.
    /// What nobody looks at is not decrypted, and so not held against its digest either.
    pub fn records_with(
        &self,
        first: LeafIndex,
        count: u64,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<SignedRecord>, OpenLedgerError> {
        self.shared.records_with(first, count, wanted)
    }

    /// The compact SD-JWT of an entry, with the disclosures that can be read; `None` if the record has ended.
    pub fn presentation(&self, index: LeafIndex) -> Result<Option<String>, OpenLedgerError> {
        let raw = self.shared.log.entries_and_vault(index, 1).map_err(OpenLedgerError::Read)?;
        let genesis = self.shared.registry().genesis();
        let Some((entry, vault)) = raw.first() else { return Ok(None) };
        let (links, keyring) = (self.shared.index.links_of(entry)?, self.shared.keyring());
        Ok(open::texts(entry, vault, &genesis, &keyring, &links)?.map(|texts| texts.to_compact()))
    }

    /// Makes an evidence bundle of what is sealed so far. Reads from disk, and may read the whole log.
    pub fn bundle(&self, request: &BundleRequest) -> Result<Bundle, MakeBundleError> {
        bundle::make(&*self.shared, request)
    }

    /// How many people and agencies have had entries of their own.
    pub fn owners(&self) -> usize {
        self.shared.index.owners()
    }

    /// The opaque id of an owner, if the ledger knows it.
    pub fn owner_id(&self, owner: &Owner) -> Option<OwnerId> {
        let keyring = self.shared.keyring();
        let keys = keyring.owner(&keyring.tag(owner))?;
        let name = keys.link.name(0);
        self.shared.index.tag_of_id(&name).map(|_| OwnerId::from_bytes(name))
    }

    /// The entries that name this owner, in whatever role, rising; none once they are nobody's.
    pub fn entries_of(&self, owner: &OwnerId) -> Result<Vec<LeafIndex>, OpenLedgerError> {
        let Some(tag) = self.shared.index.tag_of_id(owner.as_bytes()) else { return Ok(Vec::new()) };
        Ok(self.shared.index.entries_of(&tag)?)
    }

    /// Whose opaque id it is, while the ledger holds that owner's keys.
    pub fn owner_of(&self, id: &OwnerId) -> Option<Owner> {
        let tag = self.shared.index.tag_of_id(id.as_bytes())?;
        self.shared.keyring().owner(&tag).and_then(|keys| keys.owner())
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
