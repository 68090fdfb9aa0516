//! The rounds in which a ledger asks its witnesses.
//!
//! One thread, `gt-witness`, decides what is asked; one more for each witness asks, so that a slow one holds up nobody else. A round is
//! about the newest checkpoint; there is at most one a second. What a witness did not answer is asked again, about the round that
//! is on by then.

mod coordinator;
mod starting;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use gt_core::checkpoint::SignedCheckpoint;
use gt_core::policy::Policy;
use gt_core::{Hash, TreeSize};

use super::comparing::WitnessContradiction;
use super::held::Held;
use super::peer::Peer;
use super::transport::Transport;
use crate::integrity::IntegrityAlert;
use crate::open_ledger::Shared;
use crate::refusal::Refusal;
use crate::sealer::{Answering, Sealed};
use coordinator::Event;

/// How a ledger uses its witnesses.
#[derive(Clone)]
pub struct Witnessing {
    /// Who they are, where, and how many make a quorum.
    pub policy: Policy,
    /// How they are reached.
    pub transport: Arc<dyn Transport>,
    /// Receipts go out only under checkpoints that met the quorum.
    pub require_quorum: bool,
    /// How long a receipt waits for the quorum.
    pub patience: Duration,
    /// The least time from one round to the next.
    pub interval: Duration,
}

/// Why a ledger does not start with its witnesses.
#[derive(Debug, thiserror::Error)]
pub enum WitnessingError {
    /// The policy says nothing of where witnesses are.
    #[error("the policy names no witness with an address: `witness NAME VKEY URL`")]
    NobodyToAsk,
    /// The policy is about other logs.
    #[error(
        "the policy lists logs, and none of them is this ledger, {origin}, with a key that it signs with"
    )]
    OtherLog {
        /// This ledger's origin.
        origin: String,
    },
    /// A witness has seen what contradicts the folder.
    #[error(transparent)]
    Contradiction(#[from] WitnessContradiction),
    /// It has witnesses already.
    #[error("this ledger has its witnesses already")]
    Twice,
    /// The thread cannot be started.
    #[error("the threads that ask witnesses cannot be started: {0}")]
    Threads(#[source] std::io::Error),
}

/// How things stand with one witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessStatus {
    /// The names of its keys.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// The size of the checkpoint that it signed last; 0 if it has signed none since the start.
    pub size: TreeSize,
    /// When it signed that, by its own clock, in seconds since the Unix epoch.
    pub cosigned_at: Option<u64>,
    /// Why it did not sign when it was asked last.
    pub problem: Option<String>,
}

/// A ledger's rounds, as its other threads see them.
pub(crate) struct Rounds {
    root: PathBuf,
    peers: Vec<Peer>,
    require_quorum: bool,
    patience: Duration,
    events: Mutex<Sender<Event>>,
    cosigned: RwLock<Option<Arc<SignedCheckpoint>>>,
    statuses: Mutex<Vec<WitnessStatus>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Rounds {
    /// Compares with what the witnesses have seen, and starts to ask them. `waits` is for a node of several: another one may have
    /// sealed what this one has not read yet.
    pub(crate) fn start(
        root: &Path,
        shared: &Arc<Shared>,
        witnessing: &Witnessing,
        waits: bool,
    ) -> Result<(), WitnessingError> {
        starting::start(root, shared, witnessing, waits)
    }

    /// The answer of the sealer, or what waits with it until the quorum is met.
    pub(crate) fn hold(self: &Arc<Self>, answering: Answering) -> Answering {
        if !self.require_quorum {
            return answering;
        }
        let rounds = Arc::clone(self);
        Box::new(move |answer| match answer {
            Ok(sealed) => rounds.wait(sealed, answering),
            Err(refusal) => answering(Err(refusal)),
        })
    }

    fn wait(&self, sealed: Sealed, answering: Answering) {
        let held = Held { sealed, answering, until: Instant::now() + self.patience };
        let sent =
            self.events.lock().unwrap_or_else(PoisonError::into_inner).send(Event::Held(Box::new(held)));
        // The thread ends when the ledger closes.
        if let Err(unsent) = sent
            && let Event::Held(held) = unsent.0
        {
            (held.answering)(Err(Refusal::NotWitnessed));
        }
    }

    /// Says that there is a new checkpoint.
    pub(crate) fn grown(&self) {
        self.tell(Event::Grown);
    }

    fn tell(&self, event: Event) {
        // The thread ends when the ledger closes.
        let _ = self.events.lock().unwrap_or_else(PoisonError::into_inner).send(event);
    }

    /// The newest checkpoint that met the quorum.
    pub(crate) fn cosigned(&self) -> Option<Arc<SignedCheckpoint>> {
        self.cosigned.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How things stand with each witness.
    pub(crate) fn statuses(&self) -> Vec<WitnessStatus> {
        self.statuses.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the thread. What still waits is answered with [`Refusal::NotWitnessed`].
    pub(crate) fn close(&self) {
        self.tell(Event::Close);
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // A panic has been reported by the panic hook already.
            let _ = thread.join();
        }
    }

    /// Before a sealer that takes over signs its first head, which is committed: nothing that witnesses have seen may contradict it.
    pub(crate) fn check_take_over(
        &self,
        shared: &Shared,
        committed: TreeSize,
        root: Hash,
    ) -> Result<(), WitnessContradiction> {
        starting::check_take_over(self, shared, committed, root)
    }

    /// Keeps the evidence of a contradiction, and raises the alert.
    pub(crate) fn keep_evidence(&self, shared: &Shared, contradiction: &WitnessContradiction) {
        shared.integrity.raise(&IntegrityAlert::WitnessContradiction { reason: contradiction.to_string() });
        match contradiction.keep(&self.root, &shared.log) {
            Ok(folder) => tracing::error!(folder = %folder.display(), "{contradiction}"),
            Err(error) => tracing::error!(%error, "the evidence could not be kept: {contradiction}"),
        }
    }
}

impl fmt::Debug for Witnessing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witnessing").field("require_quorum", &self.require_quorum).finish_non_exhaustive()
    }
}
