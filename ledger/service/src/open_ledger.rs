//! What an open ledger holds in memory, as its sealer and its readers share it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use gt_core::LeafIndex;
use gt_core::registry::Registry;
use gt_core::statement::PublisherId;
use tokio::sync::watch;

use crate::configured::Configured;
use crate::index::Index;
use crate::integrity::IntegrityLog;
use crate::keyring::Keyring;
use crate::log::LogReader;
use crate::refusal::ChainHead;
use crate::sealer::SealerTimes;
use crate::state::State;
use crate::witness::Rounds;

/// What sealing and reading share.
pub(crate) struct Shared {
    pub(crate) log: Arc<LogReader>,
    pub(crate) index: Arc<Index>,
    keyring: RwLock<Keyring>,
    registry: RwLock<Arc<Registry>>,
    configured: RwLock<Configured>,
    heads: RwLock<HashMap<PublisherId, ChainHead>>,
    /// The entry that sealed the latest erasure, and one more; 0 if there is none.
    erased: AtomicU64,
    stopped: AtomicBool,
    active: AtomicBool,
    caught_up: AtomicBool,
    /// The epoch and the fingerprint of the key-encryption key that this node waits for.
    waits_for_key: Mutex<Option<(u64, String)>>,
    size: watch::Sender<u64>,
    announced: watch::Sender<u64>,
    times: Mutex<SealerTimes>,
    pub(crate) integrity: IntegrityLog,
    pub(crate) witnesses: OnceLock<Arc<Rounds>>,
}

/// What a batch changes for readers.
pub(crate) struct Shown {
    heads: Vec<(PublisherId, ChainHead)>,
    /// If the batch, or one that is not durable yet, has changed them.
    registry: Option<(Arc<Registry>, Configured)>,
    /// The entry that sealed the latest erasure, and one more; 0 if there is none.
    erased: u64,
}

impl Shared {
    pub(crate) fn new(
        integrity: IntegrityLog,
        log: Arc<LogReader>,
        keyring: Keyring,
        state: &State,
        index: Arc<Index>,
    ) -> Self {
        let size = watch::Sender::new(log.size().0);
        let shared = Self {
            log,
            index,
            keyring: RwLock::new(keyring),
            registry: RwLock::new(Arc::new(state.registry.clone())),
            configured: RwLock::new(state.configured.clone()),
            heads: RwLock::default(),
            erased: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            active: AtomicBool::new(false),
            caught_up: AtomicBool::new(false),
            waits_for_key: Mutex::default(),
            size,
            announced: watch::Sender::new(0),
            times: Mutex::default(),
            integrity,
            witnesses: OnceLock::new(),
        };
        shared.sealed(state, state.chains.keys().copied());
        shared
    }

    /// The entry that sealed the latest erasure.
    pub(crate) fn erased_at(&self) -> Option<LeafIndex> {
        self.erased.load(Ordering::Acquire).checked_sub(1).map(LeafIndex)
    }

    /// What readers are to be shown of a batch once it is durable, as the state stands when it is chained.
    pub(crate) fn shown_by(&self, state: &State, publishers: impl IntoIterator<Item = PublisherId>) -> Shown {
        let head = |publisher: PublisherId| {
            let chain = state.chains.get(&publisher)?;
            Some((publisher, ChainHead { next_seq: chain.next_seq(), head: chain.head() }))
        };
        let changed = self.registry().statements() != state.registry.statements();
        Shown {
            heads: publishers.into_iter().filter_map(head).collect(),
            registry: changed.then(|| (Arc::new(state.registry.clone()), state.configured.clone())),
            erased: state.erased_at.map_or(0, |index| index.0 + 1),
        }
    }

    /// Shows readers what has just become durable: publishers' heads, the registry, the configuration, the size.
    pub(crate) fn show(&self, shown: Shown) {
        self.heads.write().unwrap_or_else(PoisonError::into_inner).extend(shown.heads);
        if let Some((registry, configured)) = shown.registry {
            *self.registry.write().unwrap_or_else(PoisonError::into_inner) = registry;
            *self.configured.write().unwrap_or_else(PoisonError::into_inner) = configured;
        }
        // Before the size: whoever sees that the log has grown must know which of it can no longer be read.
        self.erased.store(shown.erased, Ordering::Release);
        self.size.send_replace(self.log.size().0);
        if let Some(witnesses) = self.witnesses.get() {
            witnesses.grown();
        }
    }

    /// Shows readers what has become durable just now.
    pub(crate) fn sealed(&self, state: &State, publishers: impl IntoIterator<Item = PublisherId>) {
        self.show(self.shown_by(state, publishers));
    }

    pub(crate) fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.registry.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn configured(&self) -> Configured {
        self.configured.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn keyring(&self) -> RwLockReadGuard<'_, Keyring> {
        self.keyring.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn keyring_mut(&self) -> RwLockWriteGuard<'_, Keyring> {
        self.keyring.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn head(&self, publisher: &PublisherId) -> ChainHead {
        let known = self.heads.read().unwrap_or_else(PoisonError::into_inner).get(publisher).copied();
        known.unwrap_or_else(|| ChainHead { next_seq: 0, head: self.registry().first_prev(publisher) })
    }

    /// Adds to the sealer's times.
    pub(crate) fn times_mut(&self, add: impl FnOnce(&mut SealerTimes)) {
        add(&mut self.times.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Says whether this sealer committed the newest batch.
    pub(crate) fn set_active(&self, active: bool) {
        self.active.store(active, Ordering::Release);
    }

    /// Which key-encryption key this node waits for, and the number of its epoch.
    pub(crate) fn waits_for_key(&self) -> Option<(u64, String)> {
        self.waits_for_key.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_waits_for_key(&self, key: Option<(u64, String)>) {
        *self.waits_for_key.lock().unwrap_or_else(PoisonError::into_inner) = key;
    }

    /// Says that the node has read the stream to where it ended when the node started.
    pub(crate) fn set_caught_up(&self) {
        self.caught_up.store(true, Ordering::Release);
    }

    /// Says that a checkpoint of this size is on the broker.
    pub(crate) fn saw_checkpoint(&self, size: u64) {
        self.announced.send_if_modified(|seen| {
            let newer = size > *seen;
            *seen = size.max(*seen);
            newer
        });
    }

    pub(crate) fn is_active(&self) -> bool {
        self.active.load(Ordering::Acquire)
    }

    pub(crate) fn is_caught_up(&self) -> bool {
        self.caught_up.load(Ordering::Acquire)
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    pub(crate) fn watch_announced(&self) -> watch::Receiver<u64> {
        self.announced.subscribe()
    }

    pub(crate) fn watch_size(&self) -> watch::Receiver<u64> {
        self.size.subscribe()
    }

    pub(crate) fn times(&self) -> SealerTimes {
        *self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_stopped(&self) {
        self.stopped.store(true, Ordering::Release);
    }
}
