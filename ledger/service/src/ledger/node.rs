//! A ledger as one node of several.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::Ledger;
use super::starting::Parts;
use crate::clock::Clock;
use crate::disk::{Disk, Recorder};
use crate::erasure::Renewals;
use crate::jetstream::{self, NodeOptions, Opening, Outgoing, Saying};
use crate::keyring::{RetiredKek, retired};
use crate::layout;
use crate::open::{self, OpenLedgerError};
use crate::sealer::{Home, Node};
use crate::secrets::Secrets;

/// What a node of a shared stream has besides.
pub(super) struct NodeHandle {
    pub(super) outgoing: Mutex<Option<UnboundedSender<Outgoing>>>,
    pub(super) closing: Arc<AtomicBool>,
    pub(super) only_follows: bool,
    pub(super) renewals: Renewals,
    pub(super) saying: Arc<Saying>,
}

impl Ledger {
    /// Opens the data folder as a node of a stream, and returns once it has caught up with it. A folder that is not there is made from
    /// the stream. Blocks; not to be called on a thread of the runtime.
    pub fn open_node(
        root: &Path,
        secrets: &Secrets,
        clock: Box<dyn Clock>,
        options: &NodeOptions,
    ) -> Result<Self, OpenLedgerError> {
        Self::open_node_recorded(root, secrets, clock, options, None)
    }

    /// The same, and whatever changes in the folder is recorded.
    pub fn open_node_recorded(
        root: &Path,
        secrets: &Secrets,
        clock: Box<dyn Clock>,
        options: &NodeOptions,
        recorder: Option<Arc<dyn Recorder>>,
    ) -> Result<Self, OpenLedgerError> {
        if !root.join(layout::checkpoint()).exists() {
            jetstream::join(root, secrets, options, recorder.clone()).map_err(Box::new)?;
        }
        let signer = if options.only_follows { None } else { Some(secrets.log_signer()?) };
        let mut opened = open::open(root, secrets, Disk::new(root, recorder))?;
        let mut opening = Opening::new(root, options, secrets, &opened.unfinished.kek)?;
        let new_keys = opening.read_keys(root, options, &mut opened.keyring)?;
        let parts = Parts::new(root, clock, opened)?;
        let io = |source| OpenLedgerError::Io { file: layout::node().display().to_string(), source };
        let saying = Saying::start(root, options.buckets(), &options.runtime).map_err(io)?;
        saying.confirmed(&retired::load(root).map_err(io)?);
        let told = Some(Arc::clone(&saying));
        let started = jetstream::start(opening, options, parts.local, secrets.pin().0, new_keys, told);
        let node = NodeHandle {
            saying,
            outgoing: Mutex::new(Some(started.outgoing)),
            closing: started.closing,
            only_follows: options.only_follows,
            renewals: Renewals {
                source: secrets.kek_source().cloned(),
                buckets: options.buckets(),
                runtime: options.runtime.clone(),
            },
        };
        let home = Home::JetStream(Box::new(Node::new(started.port)));
        let (ledger, works) = parts.rest.start(home, signer, Some(node), None)?;
        let (following, runtime) = (started.following, options.runtime.clone());
        let follow = std::thread::Builder::new()
            .name("gt-follow".into())
            .spawn(move || following.run(&runtime, &works))
            .map_err(OpenLedgerError::Threads)?;
        if let Some(threads) = &mut *ledger.threads.lock().unwrap_or_else(PoisonError::into_inner) {
            threads.add(follow);
        }
        while !ledger.shared.is_caught_up() {
            if ledger.is_stopped() {
                return Err(OpenLedgerError::NotCaughtUp);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(ledger)
    }

    /// What beginning another epoch of the key-encryption key needs, on a node of several.
    pub(crate) fn renewals(&self) -> Option<Renewals> {
        self.node.as_ref().map(|node| node.renewals.clone())
    }

    /// Tells a ledger's other nodes that what is derived from this one's log holds nothing that erasures below this size have ended.
    pub fn has_folded(&self, size: u64) {
        if let Some(node) = &self.node {
            node.saying.folded(size);
        }
    }

    /// Tells them what was confirmed at this one.
    pub(crate) fn tell_confirmed(&self, listed: &[RetiredKek]) {
        if let Some(node) = &self.node {
            node.saying.confirmed(listed);
        }
    }

    /// The key-encryption key that this node waits for: the number of its epoch, and its fingerprint. What others seal from then on is not
    /// in the folder, and nothing is sealed here.
    pub fn waits_for_key(&self) -> Option<(u64, String)> {
        self.shared.waits_for_key()
    }
}
